using HotChocolate.Language;
using HotChocolate.Types;

namespace HotChocolate.Validation.Rules;

/// <summary>Operations have names of their own; one without a name is alone.</summary>
sealed class OperationNames(ValidationContext context) : Rule(context)
{
    readonly Dictionary<string, OperationDefinition> _seen = new(StringComparer.Ordinal);

    public override void Enter(Definition definition)
    {
        if (definition is not OperationDefinition operation) return;
        if (operation.Name is not { } name)
        {
            if (Context.Document.Operations.Count > 1) Context.Report("Lone-Anonymous-Operation", "An operation without a name must be the only one.", operation);
        }
        else if (!_seen.TryAdd(name, operation))
        {
            Context.Report("Operation-Name-Uniqueness", $"There must be one operation '{name}' only.", _seen[name], operation);
        }
    }
}

/// <summary>The schema has the kind of operation.</summary>
sealed class KnownOperations(ValidationContext context) : Rule(context)
{
    public override void Enter(Definition definition)
    {
        if (definition is OperationDefinition operation && Context.Schema.Root(operation.Type) is null)
            Context.Report("Root-Operation-Types", $"The schema has no {operation.Type.ToString().ToLowerInvariant()}.", operation);
    }
}

/// <summary>
/// A subscription has one root field, of its own and no introspection, and it cannot be left out: later editions of the specification forbid
/// the conditions too.
/// </summary>
sealed class SingleRootField(ValidationContext context) : Rule(context)
{
    const string Section = "Single-root-field";

    public override void Enter(Definition definition)
    {
        if (definition is not OperationDefinition { Type: OperationType.Subscription } operation) return;
        var fields = new List<FieldNode>();
        Collect(operation.Selections, fields, []);
        if (fields.DistinctBy(f => f.ResponseName).Count() != 1) Context.Report(Section, "A subscription must select one field.", [operation, .. fields.Skip(1)]);
        foreach (var field in fields.Where(f => f.Name.StartsWith("__", StringComparison.Ordinal)))
            Context.Report(Section, "A subscription must not select introspection at its root.", field);
    }

    void Collect(SelectionSet set, List<FieldNode> fields, HashSet<string> visited)
    {
        foreach (var selection in set.Items)
        {
            if (selection.Directives.Any(d => d.Name is BuiltInDirectives.Skip or BuiltInDirectives.Include))
                Context.Report(Section, "A subscription's root must not have @skip or @include.", selection);
            switch (selection)
            {
                case FieldNode field: fields.Add(field); break;
                case InlineFragment inline: Collect(inline.Selections, fields, visited); break;
                case FragmentSpread spread when visited.Add(spread.Name) && Context.Document.Fragment(spread.Name) is { } fragment:
                    Collect(fragment.Selections, fields, visited);
                    break;
            }
        }
    }
}
