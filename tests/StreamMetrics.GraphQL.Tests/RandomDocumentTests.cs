using FsCheck;
using FsCheck.Fluent;
using HotChocolate.Types;
using StreamMetrics.GraphQL.Tests.Support;

namespace StreamMetrics.GraphQL.Tests;

/// <summary>Documents made from the schema, right and wrong ones, with variables of any kind: each is answered, with data or with errors.</summary>
public sealed class RandomDocumentTests
{
    static readonly string[] Values =
    [
        "1", "-2147483648", "2147483648", "1.5", "1e400", "\"a\"", "true", "null", "RED", "[]", "[1, null]", "[[1]]", "{}", "{ x: 1 }", "{ x: $v0, y: null }", "$v0", "$v1", "$v2", "\"\"\"b\"\"\"",
    ];

    static readonly string[] Types = ["Int", "Int!", "[Int]", "[[Int!]!]!", "String", "String!", "Boolean!", "Float", "Long", "Color", "PointInput", "PointInput!", "ShapeInput", "Thing", "Nowhere"];

    static readonly string[] Json = ["1", "-1.5", "1e300", "\"a\"", "\"RED\"", "true", "null", "[]", "[1,null]", "[[1]]", "{}", "{\"x\":1}", "{\"x\":1,\"y\":\"2\"}", "[{\"x\":1}]"];

    [Fact]
    public async Task Every_document_is_answered_and_no_answer_is_an_accident()
    {
        using var engine = new Engine();
        var executed = 0;
        var refused = 0;
        foreach (var (document, variables) in Requests(engine.Schema).Sample(3_000, 6))
        {
            var answer = await engine.AskAsync(document, variables);
            var hasData = answer.TryGetProperty("data", out _);
            if (hasData) executed++;
            else refused++;
            var errors = answer.TryGetProperty("errors", out var found) ? found.EnumerateArray().ToList() : [];
            Assert.True(hasData || errors.Count > 0, document);
            // the test's schema has one resolver that throws something unexpected; nothing else may
            foreach (var error in errors.Where(e => e.GetProperty("message").GetString() == "Unexpected Execution Error"))
                Assert.True(document.Contains("throws", StringComparison.Ordinal), $"{document} {variables} {error}");
        }

        // both kinds must have been among them, or the generator tests nothing
        Assert.True(executed > 300 && refused > 300, $"{executed} executed, {refused} refused");
    }

    static Gen<(string Document, string Variables)> Requests(Schema schema)
    {
        var operation = from body in Selections(schema, schema.Query, 3) from definitions in Definitions select (definitions, body);
        var fragment = from type in Gen.Elements("Query", "Thing") from body in Selections(schema, (ObjectType)schema.Type(type)!, 2) select $"fragment F on {type} {body}";
        return from o in operation
               from f in Gen.Frequency((1, Gen.Constant("")), (9, fragment))
               from values in Gen.Elements(Json).ListOf(3)
               select ($"query Q{o.definitions} {o.body} {(o.body.Contains("...F", StringComparison.Ordinal) ? f : "")}", $$"""{"v0":{{values[0]}},"v1":{{values[1]}},"v2":{{values[2]}}}""");
    }

    static Gen<string> Definitions => Gen.Frequency(
        (3, Gen.Constant("")),
        (1, from types in Gen.Elements(Types).ListOf(3)
            from defaults in Gen.Elements(["", "", "", " = 1", " = null", " = \"a\"", " = RED"]).ListOf(3)
            from count in Gen.Choose(1, 3)
            select $"({string.Join(", ", Enumerable.Range(0, count).Select(i => $"$v{i}: {types[i]}{defaults[i]}"))})"));

    static Gen<string> Selections(Schema schema, ObjectType type, int depth) =>
        from items in Selection(schema, type, depth).NonEmptyListOf().Resize(3)
        select $"{{ {string.Join(' ', items)} }}";

    static Gen<string> Selection(Schema schema, ObjectType type, int depth)
    {
        var fields = type.Fields.Where(f => depth > 0 || f.Type.IsLeaf).Where(f => !f.Name.StartsWith("__", StringComparison.Ordinal) || depth > 1).ToArray();
        var field = from f in Gen.Elements(fields)
                    from alias in Gen.Frequency((5, Gen.Constant("")), (1, Gen.Elements("a: ", "b: ")))
                    from arguments in Arguments(f)
                    from directive in Gen.Frequency((20, Gen.Constant("")), (1, Gen.Elements(" @skip(if: $v0)", " @include(if: true)", " @include", " @nothing")))
                    from body in f.Type.Named is ObjectType inner && depth > 0 ? Selections(schema, inner, depth - 1) : Gen.Constant("")
                    select $"{alias}{f.Name}{arguments}{directive} {body}";
        return Gen.Frequency((30, field), (1, Gen.Elements("...F", "__typename", "nothing", "... { __typename }", "... on Thing { name }")));
    }

    static Gen<string> Arguments(Field field)
    {
        if (field.Arguments.Count == 0) return Gen.Frequency((20, Gen.Constant("")), (1, Gen.Constant("(x: 1)")));
        return from chosen in Gen.SubListOf(field.Arguments.ToArray())
               from values in Gen.Frequency((9, Gen.Constant("")), (1, Gen.Elements(Values))).ListOf(field.Arguments.Count)
               let given = field.Arguments.Select((a, i) => (Argument: a, Value: values[i].Length > 0 ? values[i] : Right(a))).Where(g => g.Argument.IsRequired || chosen.Contains(g.Argument)).ToList()
               select given.Count == 0 ? "" : $"({string.Join(", ", given.Select(g => $"{g.Argument.Name}: {g.Value}"))})";
    }

    static string Right(InputValue argument) => argument.Type.ToString() switch
    {
        "Int!" or "Int" or "Long!" or "Float!" => "1",
        "Boolean!" or "Boolean" => "false",
        "String!" or "String" => "\"Query\"",
        "Color!" => "RED",
        "PointInput!" => "{ x: 1 }",
        "[Int]" => "[1, null]",
        "[[Int!]!]!" => "[[1]]",
        _ => "null",
    };
}
