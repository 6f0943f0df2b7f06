using HotChocolate.Language;
using HotChocolate.Types;

namespace HotChocolate.Validation.Rules;

/// <summary>Variables have names of their own and input types.</summary>
sealed class VariableDefinitions(ValidationContext context) : Rule(context)
{
    readonly HashSet<string> _names = new(StringComparer.Ordinal);

    public override void Enter(Definition definition) => _names.Clear();

    public override void Variable(VariableDefinition variable)
    {
        if (!_names.Add(variable.Name)) Context.Report("Variable-Uniqueness", $"There must be one variable '${variable.Name}' only.", variable);
        var type = Context.Schema.Resolve(variable.Type);
        if (type is null) Context.Report("Variables-Are-Input-Types", $"There is no type '{NameOf(variable.Type)}' for the variable '${variable.Name}'.", variable.Type);
        else if (!type.IsInput) Context.Report("Variables-Are-Input-Types", $"The variable '${variable.Name}' must be of an input type, and '{type}' is none.", variable.Type);
    }

    static string NameOf(TypeNode type) => type switch
    {
        ListTypeNode list => NameOf(list.Item),
        NonNullTypeNode nonNull => NameOf(nonNull.Inner),
        _ => ((NamedTypeNode)type).Name,
    };
}

/// <summary>Variables that are used are defined, those that are defined are used, and their types fit.</summary>
sealed class VariableUses(ValidationContext context, FragmentGraph fragments) : Rule(context)
{
    readonly Dictionary<Definition, List<Use>> _uses = [];
    Definition? _current;

    sealed record Use(VariableNode Node, SchemaType? Type, bool HasDefault);

    public override void Enter(Definition definition) => _uses[_current = definition] = [];

    public override void Value(ValueNode value, SchemaType? type, bool hasDefault)
    {
        if (value is VariableNode node) _uses[_current!].Add(new(node, type, hasDefault));
    }

    /// <summary>To be called when the whole document was seen.</summary>
    public void Check()
    {
        foreach (var operation in Context.Document.Operations) Check(operation);
    }

    void Check(OperationDefinition operation)
    {
        var name = operation.Name is { } given ? $"the operation '{given}'" : "the operation";
        var uses = fragments.Reached(operation).SelectMany(f => _uses[f]).Concat(_uses[operation]).ToList();
        foreach (var use in uses)
        {
            if (operation.Variables.FirstOrDefault(v => v.Name == use.Node.Name) is { } definition) Check(use, definition);
            else Context.Report("All-Variable-Uses-Defined", $"{Capital(name)} has no variable '${use.Node.Name}'.", use.Node, operation);
        }

        foreach (var unused in operation.Variables.Where(v => uses.All(u => u.Node.Name != v.Name)))
            Context.Report("All-Variables-Used", $"The variable '${unused.Name}' of {name} is never used.", unused);
    }

    // https://spec.graphql.org/October2021/#IsVariableUsageAllowed()
    void Check(Use use, VariableDefinition definition)
    {
        if (use.Type is not { } wanted || Context.Schema.Resolve(definition.Type) is not { } type) return;
        var isNeverNull = definition.DefaultValue is not (null or NullNode) || use.HasDefault;
        var needed = wanted is NonNullType { Inner: var inner } && !type.IsNonNull && isNeverNull ? inner : wanted;
        if (!type.FitsInto(needed))
            Context.Report("All-Variable-Usages-are-Allowed", $"The variable '${definition.Name}' of the type '{type}' must not be used where '{wanted}' is wanted.", use.Node, definition);
    }

    static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];
}
