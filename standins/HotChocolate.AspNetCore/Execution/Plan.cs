using HotChocolate.Language;
using HotChocolate.Types;

namespace HotChocolate.Execution;

/// <summary>What a resolver gets.</summary>
/// <param name="Parent">The object whose field it is; of a subscription's field the event.</param>
/// <param name="Arguments">In the order of the field's arguments.</param>
/// <param name="Services">The request's services.</param>
/// <param name="Token">Ends when the client is gone or the time is up.</param>
sealed record ResolverCall(object? Parent, object?[] Arguments, IServiceProvider Services, CancellationToken Token);

/// <summary>A field as it will be executed.</summary>
sealed class PlannedField(string responseName, Field field, FieldNode node)
{
    public string ResponseName { get; } = responseName;

    public Field Field { get; } = field;

    public Location Location { get; } = node.Location;

    public object?[] Arguments { get; init; } = [];

    /// <summary>What is wrong with the arguments; the field fails with it.</summary>
    public string? ArgumentError { get; init; }

    /// <summary>What to select of an object; null for a leaf.</summary>
    public SelectionPlan? Selections { get; init; }

    /// <summary>Whether the value is there without a call.</summary>
    public bool IsPlainLeaf { get; } = field.Resolver.AtOnce is not null && field.Type.Nullable is NamedType && field.Type.IsLeaf;
}

/// <summary>The fields to take of an object.</summary>
sealed class SelectionPlan(IReadOnlyList<PlannedField> fields)
{
    public IReadOnlyList<PlannedField> Fields { get; } = fields;

    public string[] Names { get; } = [.. fields.Select(f => f.ResponseName)];
}

/// <summary>
/// Merges an operation's selections into a plan (https://spec.graphql.org/October2021/#CollectFields()). There are no interfaces and unions, so
/// one plan holds for every object of a field, and arguments are coerced once.
/// </summary>
sealed class Planner(Document document, Variables variables)
{
    public SelectionPlan Plan(ObjectType type, IReadOnlyList<SelectionSet> selections)
    {
        var grouped = new OrderedDictionary<string, List<FieldNode>>(StringComparer.Ordinal);
        var visited = new HashSet<string>(StringComparer.Ordinal);
        foreach (var set in selections) Collect(type, set, grouped, visited);
        return new([.. grouped.Select(g => Field(type, g.Key, g.Value))]);
    }

    void Collect(ObjectType type, SelectionSet set, OrderedDictionary<string, List<FieldNode>> grouped, HashSet<string> visited)
    {
        foreach (var selection in set.Items)
        {
            if (!IsIncluded(selection)) continue;
            switch (selection)
            {
                case FieldNode field:
                    if (grouped.TryGetValue(field.ResponseName, out var nodes)) nodes.Add(field);
                    else grouped.Add(field.ResponseName, [field]);
                    break;
                case InlineFragment inline when inline.TypeCondition is null || inline.TypeCondition.Name == type.Name:
                    Collect(type, inline.Selections, grouped, visited);
                    break;
                case FragmentSpread spread when visited.Add(spread.Name) && document.Fragment(spread.Name) is { } fragment && fragment.TypeCondition.Name == type.Name:
                    Collect(type, fragment.Selections, grouped, visited);
                    break;
            }
        }
    }

    PlannedField Field(ObjectType owner, string responseName, List<FieldNode> nodes)
    {
        var node = nodes[0];
        var field = owner.Field(node.Name)!;
        var selections = field.Type.Named is ObjectType type ? Plan(type, [.. nodes.Select(n => n.Selections!)]) : null;
        try
        {
            var arguments = field.Arguments.Select(a => Coercion.Argument(a, node.Arguments, variables, $"'{a.Name}'")).ToArray();
            return new(responseName, field, node) { Arguments = arguments, Selections = selections };
        }
        catch (CoercionException exception)
        {
            return new(responseName, field, node) { ArgumentError = exception.Message, Selections = selections };
        }
    }

    bool IsIncluded(Selection selection)
    {
        foreach (var directive in selection.Directives)
        {
            if (directive.Name is not (BuiltInDirectives.Skip or BuiltInDirectives.Include)) continue;
            var condition = BuiltInDirectives.All.First(d => d.Name == directive.Name).Arguments[0];
            if (Coercion.Argument(condition, directive.Arguments, variables, $"'{BuiltInDirectives.If}'") is true == (directive.Name == BuiltInDirectives.Skip)) return false;
        }

        return true;
    }
}
