using System.Globalization;
using System.Text;
using HotChocolate.Language;

namespace HotChocolate.Types;

/// <summary>Writes a schema in the schema definition language: operations first, then types by name, then directives of our own.</summary>
static class SdlPrinter
{
    static readonly string[] DirectivesOfGraphQL = ["skip", "include", "deprecated", "specifiedBy"];
    static readonly ScalarType[] ScalarsOfGraphQL = [ScalarType.String, ScalarType.Boolean, ScalarType.Int, ScalarType.Float];

    public static string Print(Schema schema)
    {
        var roots = new[] { OperationType.Query, OperationType.Mutation, OperationType.Subscription }.Select(o => (Operation: o, Type: schema.Root(o))).Where(r => r.Type is not null).ToList();
        var parts = new List<string> { $"schema {{\n{string.Concat(roots.Select(r => $"  {r.Operation.ToString().ToLowerInvariant()}: {r.Type}\n"))}}}" };
        var others = schema.OwnTypes.Except(roots.Select(r => r.Type!)).Except(ScalarsOfGraphQL).OrderBy(Order).ThenBy(t => t.Name, StringComparer.Ordinal);
        parts.AddRange(roots.Select(r => (NamedType)r.Type!).Concat(others).Select(Type));
        parts.AddRange(schema.Directives.Where(d => !DirectivesOfGraphQL.Contains(d.Name)).Select(Directive));
        return string.Join("\n\n", parts) + "\n";
    }

    static int Order(NamedType type) => type switch { ObjectType => 0, InputObjectType => 1, EnumType => 2, _ => 3 };

    static string Type(NamedType type) => Description(type.Description, "") + type switch
    {
        ObjectType o => $"type {o.Name} {{\n{string.Concat(o.Fields.Where(f => !f.Name.StartsWith("__", StringComparison.Ordinal)).Select(Field))}}}",
        InputObjectType i => $"input {i.Name} {{\n{string.Concat(i.Fields.Select(f => $"{Description(f.Description, "  ")}  {Value(f)}\n"))}}}",
        EnumType e => $"enum {e.Name} {{\n{string.Concat(e.Values.Select(v => $"{Description(v.Description, "  ")}  {v.Name}{Deprecated(v.DeprecationReason)}\n"))}}}",
        _ => $"scalar {type.Name}",
    };

    static string Field(Field field)
    {
        var text = new StringBuilder(Description(field.Description, "  "));
        text.Append("  ").Append(field.Name).Append(Arguments(field.Arguments, "    ")).Append(": ").Append(field.Type);
        if (field.Cost is { } cost) text.Append(CultureInfo.InvariantCulture, $" @cost(weight: \"{cost}\")");
        if (field.ListSize is { } size) text.Append(CultureInfo.InvariantCulture, $" @listSize(assumedSize: {size})");
        return text.Append(Deprecated(field.DeprecationReason)).Append('\n').ToString();
    }

    // on lines of their own as soon as one of them is described
    static string Arguments(IReadOnlyList<InputValue> arguments, string indent)
    {
        if (arguments.Count == 0) return "";
        if (arguments.All(a => a.Description is null)) return $"({string.Join(", ", arguments.Select(Value))})";
        return $"(\n{string.Concat(arguments.Select(a => $"{Description(a.Description, indent)}{indent}{Value(a)}\n"))}{indent[2..]})";
    }

    static string Value(InputValue value) => $"{value.Name}: {value.Type}{(value.Default is { } given ? " = " + ValuePrinter.Print(given) : "")}";

    static string Directive(DirectiveType directive) =>
        $"{Description(directive.Description, "")}directive @{directive.Name}{Arguments(directive.Arguments, "  ")} on {string.Join(" | ", directive.Locations.Select(l => ClrNames.ToUpperSnake(l.ToString())))}";

    static string Deprecated(string? reason) => reason is null ? "" : $" @deprecated(reason: {ValuePrinter.Quote(reason)})";

    static string Description(string? text, string indent) => text is null ? "" : $"{indent}{ValuePrinter.Quote(text)}\n";
}
