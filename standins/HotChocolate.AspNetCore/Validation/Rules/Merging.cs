using HotChocolate.Language;
using HotChocolate.Types;

namespace HotChocolate.Validation.Rules;

/// <summary>
/// Fields with the same response name are the same field with the same arguments, all the way down
/// (https://spec.graphql.org/October2021/#sec-Field-Selection-Merging). There are no interfaces and unions, so all of them are of one object, and
/// comparing each with the first is enough. The document must have passed the other rules.
/// </summary>
sealed class Merging(ValidationContext context)
{
    public void Check()
    {
        foreach (var operation in context.Document.Operations) Check([operation.Selections], context.Schema.Root(operation.Type)!);
    }

    void Check(IReadOnlyList<SelectionSet> sets, ObjectType type)
    {
        var grouped = new OrderedDictionary<string, List<FieldNode>>(StringComparer.Ordinal);
        var visited = new HashSet<string>(StringComparer.Ordinal);
        foreach (var set in sets) Collect(set, grouped, visited);
        foreach (var (name, fields) in grouped)
        {
            var arguments = fields.Count > 1 ? Canonical(fields[0].Arguments) : "";
            if (fields.Skip(1).FirstOrDefault(f => f.Name != fields[0].Name || Canonical(f.Arguments) != arguments) is { } other)
                context.Report("Field-Selection-Merging", $"'{name}' stands for two different things: give one of them another name.", fields[0], other);
            else if (type.Field(fields[0].Name)!.Type.Named is ObjectType inner)
                Check([.. fields.Select(f => f.Selections!)], inner);
        }
    }

    void Collect(SelectionSet set, OrderedDictionary<string, List<FieldNode>> grouped, HashSet<string> visited)
    {
        foreach (var selection in set.Items)
        {
            switch (selection)
            {
                case FieldNode field:
                    if (grouped.TryGetValue(field.ResponseName, out var fields)) fields.Add(field);
                    else grouped.Add(field.ResponseName, [field]);
                    break;
                case InlineFragment inline:
                    Collect(inline.Selections, grouped, visited);
                    break;
                case FragmentSpread spread when visited.Add(spread.Name):
                    Collect(context.Document.Fragment(spread.Name)!.Selections, grouped, visited);
                    break;
            }
        }
    }

    // arguments and fields of input objects have no order
    static string Canonical(IReadOnlyList<ArgumentNode> arguments) =>
        string.Join(',', arguments.OrderBy(a => a.Name, StringComparer.Ordinal).Select(a => $"{a.Name}:{Canonical(a.Value)}"));

    static string Canonical(ValueNode value) => value switch
    {
        ObjectNode node => $"{{{Canonical(node.Fields)}}}",
        ListNode list => $"[{string.Join(',', list.Items.Select(Canonical))}]",
        _ => ValuePrinter.Print(value),
    };
}
