using System.Globalization;
using HotChocolate.Execution;
using HotChocolate.Execution.Configuration;
using HotChocolate.Language;
using HotChocolate.Types;

namespace HotChocolate.Validation.Rules;

/// <summary>
/// Estimates what an operation costs, without executing it, after https://ibm.github.io/graphql-specs/cost-spec.html: a field has its own
/// weight and a list's content counts as often as the list is taken to have items. A fragment is measured once, so documents that expand
/// without end are measured as fast as any; a field that is selected twice counts twice.
/// </summary>
sealed class Limits(ValidationContext context, SchemaSetup setup, bool isIntrospectionDisabled)
{
    // what the parser allows to be written; with fragments a document can go deeper
    const int MaxNesting = 200;

    // fields of fields of the introspection: each level multiplies the answer by the size of the schema
    const int MaxIntrospectionLists = 2;
    static readonly string[] IntrospectionLists = ["fields", "inputFields", "possibleTypes", "interfaces"];

    readonly Dictionary<string, Measure> _fragments = new(StringComparer.Ordinal);

    /// <summary>Costs of fields and of objects, depth for the configured rule, depth of all, and depth of introspection lists.</summary>
    readonly record struct Measure(double Fields, double Types, int Depth, int Nesting, int Lists)
    {
        public Measure Beside(Measure other) =>
            new(Fields + other.Fields, Types + other.Types, Math.Max(Depth, other.Depth), Math.Max(Nesting, other.Nesting), Math.Max(Lists, other.Lists));
    }

    public void Check()
    {
        foreach (var operation in context.Document.Operations)
        {
            var type = context.Schema.Root(operation.Type)!;
            var measure = Of(operation.Selections, type);
            Check(operation, measure with { Types = measure.Types + 1 });
        }
    }

    void Check(OperationDefinition operation, Measure measure)
    {
        var maxDepth = Math.Min(setup.MaxDepth ?? MaxNesting, MaxNesting);
        if (measure.Depth > maxDepth || measure.Nesting > MaxNesting)
            Report(operation, $"The operation is {Math.Max(measure.Depth, measure.Nesting)} fields deep; at most {maxDepth} are allowed.", ErrorCodes.Depth);
        if (measure.Lists > MaxIntrospectionLists)
            Report(operation, $"The introspection selects fields of fields {measure.Lists} levels deep; at most {MaxIntrospectionLists} are allowed.", ErrorCodes.Depth);
        if (!setup.Cost.EnforceCostLimits) return;
        if (measure.Fields > setup.Cost.MaxFieldCost) ReportCost(operation, "field", measure.Fields, setup.Cost.MaxFieldCost);
        if (measure.Types > setup.Cost.MaxTypeCost) ReportCost(operation, "type", measure.Types, setup.Cost.MaxTypeCost);
    }

    Measure Of(SelectionSet set, ObjectType type)
    {
        var sum = default(Measure);
        foreach (var selection in set.Items)
        {
            sum = sum.Beside(selection switch
            {
                FieldNode field => Of(field, type),
                InlineFragment inline => Of(inline.Selections, type),
                FragmentSpread spread => OfFragment(spread.Name, type),
                _ => default,
            });
        }

        return sum;
    }

    Measure OfFragment(string name, ObjectType type)
    {
        if (!_fragments.TryGetValue(name, out var known)) _fragments[name] = known = Of(context.Document.Fragment(name)!.Selections, type);
        return known;
    }

    Measure Of(FieldNode node, ObjectType type)
    {
        var field = type.Field(node.Name)!;
        var isIntrospection = node.Name is "__schema" or "__type";
        if (isIntrospection && isIntrospectionDisabled)
            context.Report(ErrorBuilder.New().SetMessage("Introspection is not allowed for this request.").SetCode(ErrorCodes.IntrospectionDisabled).AddLocation(node.Location).Build());
        var isObject = field.Type.Named is ObjectType;
        var inner = isObject ? Of(node.Selections!, (ObjectType)field.Type.Named) : default;
        var items = field.Type.Nullable is ListType ? field.ListSize ?? 1 : 1;
        var isList = type.IsIntrospection && IntrospectionLists.Contains(field.Name);
        return new(
            (field.Cost ?? (isObject ? 1 : 0)) + (items * inner.Fields),
            items * ((isObject ? 1 : 0) + inner.Types),
            isIntrospection && setup.SkipIntrospectionDepth ? 0 : inner.Depth + 1,
            inner.Nesting + 1,
            inner.Lists + (isList ? 1 : 0));
    }

    void Report(OperationDefinition operation, string message, string code) =>
        context.Report(ErrorBuilder.New().SetMessage(message).SetCode(code).AddLocation(operation.Location).Build());

    void ReportCost(OperationDefinition operation, string kind, double cost, double max) => context.Report(ErrorBuilder.New()
        .SetMessage(string.Create(CultureInfo.InvariantCulture, $"The operation's {kind} cost is {cost}; at most {max} is allowed. Ask for less at a time."))
        .SetCode(ErrorCodes.Cost)
        .SetExtension(kind + "Cost", cost)
        .SetExtension(kind == "field" ? "maxFieldCost" : "maxTypeCost", max)
        .AddLocation(operation.Location)
        .Build());
}
