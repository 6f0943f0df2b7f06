using FsCheck.Fluent;
using FsCheck.Xunit;
using HotChocolate;
using HotChocolate.Language;

namespace StreamMetrics.GraphQL.Tests;

public sealed class ParserTests
{
    [Fact]
    public void An_operation_has_its_parts()
    {
        var document = Parser.Parse("""
            query Q($a: [Int!]! = [1, 2], $b: P = { x: 1.5e3, y: "s", z: RED, n: null, l: [] } @d) @e(f: true) {
              alias: field(arg: $a) @skip(if: false) { ...F ... on T { x } ... @include(if: true) { y } }
            }
            fragment F on T @g { name }
            """);

        var operation = Assert.Single(document.Operations);
        Assert.Equal((OperationType.Query, "Q", new Location(1, 1)), (operation.Type, operation.Name, operation.Location));
        Assert.Equal("[1, 2]", ValuePrinter.Print(operation.Variables[0].DefaultValue!));
        Assert.Equal("""{x: 1.5e3, y: "s", z: RED, n: null, l: []}""", ValuePrinter.Print(operation.Variables[1].DefaultValue!));
        Assert.Equal("d", Assert.Single(operation.Variables[1].Directives).Name);
        var field = Assert.IsType<FieldNode>(Assert.Single(operation.Selections.Items));
        Assert.Equal(("field", "alias", new Location(2, 3)), (field.Name, field.ResponseName, field.Location));
        Assert.Equal([typeof(FragmentSpread), typeof(InlineFragment), typeof(InlineFragment)], field.Selections!.Items.Select(s => s.GetType()));
        Assert.Equal(("F", "T"), (document.Fragments[0].Name, document.Fragments[0].TypeCondition.Name));
    }

    [Theory]
    [InlineData("\"\"", "")]
    [InlineData("\"a\\\"b\\\\c\\/d\\b\\f\\n\\r\\t\\u0041\\uD83D\\uDE00\"", "a\"b\\c/d\b\f\n\r\tA\ud83d\ude00")]
    [InlineData("\"#no,comment\"", "#no,comment")]
    [InlineData("\"\"\"\"\"\"", "")]
    [InlineData("\"\"\"a \\\"\"\" b\"\"\"", "a \"\"\" b")]
    [InlineData("\"\"\"\n    Hello,\n      World!\n\n    Yours,\n      GraphQL.\n  \"\"\"", "Hello,\n  World!\n\nYours,\n  GraphQL.")]
    [InlineData("\"\"\"first\r\n  second\r  third\"\"\"", "first\nsecond\nthird")]
    [InlineData("\"\"\"\\n\"\"\"", "\\n")]
    public void A_string_has_its_content(string literal, string content)
    {
        var argument = ((FieldNode)Parser.Parse($"{{ f(a: {literal}) }}").Operations[0].Selections.Items[0]).Arguments[0];

        Assert.Equal(content, Assert.IsType<ScalarNode>(argument.Value).Text);
        Assert.Equal(content, ((ScalarNode)((FieldNode)Parser.Parse($"{{ f(a: {ValuePrinter.Print(argument.Value)}) }}").Operations[0].Selections.Items[0]).Arguments[0].Value).Text);
    }

    [Theory]
    [InlineData("", 1, 1, "the end")]
    [InlineData("{", 1, 2, "the end")]
    [InlineData("{ }", 1, 3, "'}'")]
    [InlineData("{\n  a\n  b:\n}", 4, 1, "a name")]
    [InlineData("{ a(b: ) }", 1, 8, "a value")]
    [InlineData("{ a() }", 1, 5, "a name")]
    [InlineData("query ($a: Int = $b) { a }", 1, 18, "without variables")]
    [InlineData("fragment on on T { a }", 1, 10, "name")]
    [InlineData("fragment F T { a }", 1, 12, "'on'")]
    [InlineData("{ a(b: 01) }", 1, 8, "begin with 0")]
    [InlineData("{ a(b: 1.) }", 1, 10, "Unexpected character ')'")]
    [InlineData("{ a(b: 1x) }", 1, 9, "'x'")]
    [InlineData("{ a(b: 1.5.6) }", 1, 11, "'.'")]
    [InlineData("{ a(b: -) }", 1, 9, "')'")]
    [InlineData("{ a(b: \"x) }", 1, 8, "not closed")]
    [InlineData("{ a(b: \"x\ny\") }", 1, 8, "not closed")]
    [InlineData("{ a(b: \"\"\"x) }", 1, 8, "not closed")]
    [InlineData("{ a(b: \"\\q\") }", 1, 9, "escape")]
    [InlineData("{ a(b: \"\\u12G4\") }", 1, 9, "escape")]
    [InlineData("{ a(b: \"\u0007\") }", 1, 9, "U+0007")]
    [InlineData("{ a ? }", 1, 5, "'?'")]
    [InlineData("{ a .. }", 1, 5, "'.'")]
    [InlineData("{ \u00e4 }", 1, 3, "U+00E4")]
    [InlineData("type Query { a: Int }", 1, 1, "operations and fragments only")]
    [InlineData("{ a }\nextend type T { a: Int }", 2, 1, "operations and fragments only")]
    [InlineData("what { a }", 1, 1, "'what'")]
    public void What_is_no_document_is_told_with_its_place(string text, int line, int column, string message)
    {
        var error = Assert.Throws<SyntaxException>(() => Parser.Parse(text));

        Assert.Equal(new Location(line, column), error.Location);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Commas_comments_byte_order_marks_and_line_ends_are_nothing() =>
        Assert.Equal(2, Parser.Parse("\ufeff{,,a # } comment\r\n,b\r}").Operations[0].Selections.Items.Count);

    [Theory]
    [InlineData("{", "}", 201, "nested")]
    [InlineData("[", "]", 201, "nested")]
    public void Depth_is_bounded(string open, string close, int depth, string message)
    {
        var nested = open == "{"
            ? string.Concat(Enumerable.Repeat("{ a ", depth)) + string.Concat(Enumerable.Repeat("}", depth))
            : "{ a(b: " + string.Concat(Enumerable.Repeat(open, depth)) + string.Concat(Enumerable.Repeat(close, depth)) + ") }";

        Assert.Contains(message, Assert.Throws<SyntaxException>(() => Parser.Parse(nested)).Message, StringComparison.Ordinal);
        // 100,000 levels must not even be tried: they would exhaust the stack
        Assert.Throws<SyntaxException>(() => Parser.Parse(string.Concat(Enumerable.Repeat("{ a ", 100_000))));
    }

    [Fact]
    public void Fields_and_tokens_are_bounded()
    {
        Assert.Contains("2048 fields", Assert.Throws<SyntaxException>(() => Parser.Parse($"{{ {string.Concat(Enumerable.Repeat("a ", 2049))} }}")).Message, StringComparison.Ordinal);
        Assert.Contains("15000 tokens", Assert.Throws<SyntaxException>(() => Parser.Parse($"{{ a(b: [{string.Concat(Enumerable.Repeat("1 ", 15_000))}]) }}")).Message, StringComparison.Ordinal);
        Assert.Equal(2048, Parser.Parse($"{{ {string.Concat(Enumerable.Repeat("a ", 2048))} }}").Operations[0].Selections.Items.Count);
    }

    [Property(MaxTest = 2_000)]
    public void No_text_makes_the_parser_fail_in_another_way(string? text) => ParseOrRefuse(text ?? "");

    [Fact]
    public void No_sequence_of_tokens_makes_the_parser_fail_in_another_way()
    {
        string[] tokens =
        [
            "{", "}", "(", ")", "[", "]", "!", "$", "@", "...", ":", "=", "|", "&", "query", "mutation", "fragment", "on", "a", "Int", "true", "null", "1", "-2.5e1", "\"s\"", "\"\"\"b\"\"\"", "#c\n", ",",
        ];
        foreach (var text in Gen.Elements(tokens).ListOf().Select(t => "{ a " + string.Join(' ', t)).Sample(5_000, 20)) ParseOrRefuse(text);
    }

    static void ParseOrRefuse(string text)
    {
        try
        {
            Parser.Parse(text);
        }
        catch (SyntaxException exception)
        {
            Assert.True(exception.Location is { Line: > 0, Column: > 0 });
        }
    }
}
