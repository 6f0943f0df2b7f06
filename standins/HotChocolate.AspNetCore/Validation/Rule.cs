using HotChocolate.Language;
using HotChocolate.Types;

namespace HotChocolate.Validation;

/// <summary>
/// A rule sees a document piece by piece, in its order. Types are null where the document is wrong about them; another rule tells of that.
/// </summary>
abstract class Rule(ValidationContext context)
{
    protected ValidationContext Context { get; } = context;

    public virtual void Enter(Definition definition)
    {
    }

    public virtual void Leave(Definition definition)
    {
    }

    public virtual void Variable(VariableDefinition variable)
    {
    }

    public virtual void Field(FieldNode node, ObjectType? owner, Field? field)
    {
    }

    public virtual void Spread(FragmentSpread spread, ObjectType? owner)
    {
    }

    public virtual void Inline(InlineFragment fragment, ObjectType? owner)
    {
    }

    public virtual void Directives(IReadOnlyList<DirectiveNode> directives, DirectiveLocation location)
    {
    }

    /// <summary>The arguments of a field or a directive.</summary>
    /// <param name="owner">The field's or directive's node.</param>
    /// <param name="name">How to call it in messages.</param>
    /// <param name="given">What stands in the document.</param>
    /// <param name="known">What there is.</param>
    public virtual void Arguments(Node owner, string name, IReadOnlyList<ArgumentNode> given, IReadOnlyList<InputValue> known)
    {
    }

    /// <summary>An argument's value or a part of it, or a variable's default.</summary>
    /// <param name="value">The value.</param>
    /// <param name="type">What it should be.</param>
    /// <param name="hasDefault">Whether leaving it out takes a default.</param>
    public virtual void Value(ValueNode value, SchemaType? type, bool hasDefault)
    {
    }
}

/// <summary>Goes through a document once and shows each piece, with its type, to every rule.</summary>
sealed class DocumentWalker(ValidationContext context, IReadOnlyList<Rule> rules)
{
    public void Walk()
    {
        foreach (var definition in context.Document.Definitions)
        {
            foreach (var rule in rules) rule.Enter(definition);
            if (definition is OperationDefinition operation) Operation(operation);
            else Fragment((FragmentDefinition)definition);
            foreach (var rule in rules) rule.Leave(definition);
        }
    }

    void Operation(OperationDefinition operation)
    {
        foreach (var variable in operation.Variables)
        {
            foreach (var rule in rules) rule.Variable(variable);
            if (variable.DefaultValue is { } value) Value(value, context.Schema.Resolve(variable.Type), hasDefault: false);
            Directives(variable.Directives, DirectiveLocation.VariableDefinition);
        }

        Directives(operation.Directives, operation.Type switch
        {
            OperationType.Mutation => DirectiveLocation.Mutation,
            OperationType.Subscription => DirectiveLocation.Subscription,
            _ => DirectiveLocation.Query,
        });
        Selections(operation.Selections, context.Schema.Root(operation.Type));
    }

    void Fragment(FragmentDefinition fragment)
    {
        Directives(fragment.Directives, DirectiveLocation.FragmentDefinition);
        Selections(fragment.Selections, context.TypeOf(fragment.TypeCondition));
    }

    void Selections(SelectionSet set, ObjectType? owner)
    {
        foreach (var selection in set.Items)
        {
            switch (selection)
            {
                case FieldNode field:
                    Field(field, owner);
                    break;
                case FragmentSpread spread:
                    foreach (var rule in rules) rule.Spread(spread, owner);
                    Directives(spread.Directives, DirectiveLocation.FragmentSpread);
                    break;
                case InlineFragment inline:
                    foreach (var rule in rules) rule.Inline(inline, owner);
                    Directives(inline.Directives, DirectiveLocation.InlineFragment);
                    Selections(inline.Selections, inline.TypeCondition is { } condition ? context.TypeOf(condition) : owner);
                    break;
            }
        }
    }

    void Field(FieldNode node, ObjectType? owner)
    {
        var field = owner?.Field(node.Name);
        foreach (var rule in rules) rule.Field(node, owner, field);
        Arguments(node, $"the field '{node.Name}'", node.Arguments, field?.Arguments);
        Directives(node.Directives, DirectiveLocation.Field);
        if (node.Selections is { } selections) Selections(selections, field?.Type.Named as ObjectType);
    }

    void Directives(IReadOnlyList<DirectiveNode> directives, DirectiveLocation location)
    {
        foreach (var rule in rules) rule.Directives(directives, location);
        foreach (var directive in directives) Arguments(directive, $"the directive '@{directive.Name}'", directive.Arguments, context.Schema.Directive(directive.Name)?.Arguments);
    }

    void Arguments(Node owner, string name, IReadOnlyList<ArgumentNode> given, IReadOnlyList<InputValue>? known)
    {
        if (known is not null)
        {
            foreach (var rule in rules) rule.Arguments(owner, name, given, known);
        }

        foreach (var argument in given)
        {
            var definition = known?.FirstOrDefault(k => k.Name == argument.Name);
            Value(argument.Value, definition?.Type, definition?.Default is not null);
        }
    }

    void Value(ValueNode value, SchemaType? type, bool hasDefault)
    {
        foreach (var rule in rules) rule.Value(value, type, hasDefault);
        switch (value)
        {
            case ListNode list:
                foreach (var item in list.Items) Value(item, (type?.Nullable as ListType)?.Item, hasDefault: false);
                break;
            case ObjectNode node:
                // one object may stand for a list of one
                var input = type?.Named as InputObjectType;
                foreach (var field in node.Fields)
                {
                    var definition = input?.Field(field.Name);
                    Value(field.Value, definition?.Type, definition?.Default is not null);
                }

                break;
        }
    }
}
