using System.Text.Json;
using StreamMetrics.GraphQL.Tests.Support;

namespace StreamMetrics.GraphQL.Tests;

/// <summary>Each rule of https://spec.graphql.org/October2021/#sec-Validation, with documents that keep it and documents that break it.</summary>
public sealed class ValidationTests : IDisposable
{
    readonly Engine _engine = new();

    public void Dispose() => _engine.Dispose();

    [Theory]
    [InlineData("query A { hello } query A { hello }", "Operation-Name-Uniqueness", "1:1 1:19")]
    [InlineData("query A { hello } mutation A { add(number: 1) }", "Operation-Name-Uniqueness", "1:1 1:19")]
    [InlineData("{ hello } query A { hello }", "Lone-Anonymous-Operation", "1:1")]
    [InlineData("subscription { refused silence }", "Single-root-field", "1:1 1:24")]
    [InlineData("subscription { ...F } fragment F on Subscription { refused silence }", "Single-root-field", "1:1 1:60")]
    [InlineData("subscription { __typename }", "Single-root-field", "1:16")]
    [InlineData("subscription { refused @skip(if: true) }", "Single-root-field", "1:16")]
    [InlineData("{ hullo }", "Field-Selections", "1:3")]
    [InlineData("{ thing { hullo } }", "Field-Selections", "1:11")]
    [InlineData("{ ...F } fragment F on Query { thing { nam } }", "Field-Selections", "1:40")]
    [InlineData("{ __schema { typos } }", "Field-Selections", "1:14")]
    [InlineData("{ thing { name name: color } }", "Field-Selection-Merging", "1:11 1:16")]
    [InlineData("{ text(value: \"a\") text(value: \"b\") }", "Field-Selection-Merging", "1:3 1:20")]
    [InlineData("{ text(value: \"a\") text(value: \"a\", more: \"b\") }", "Field-Selection-Merging", "1:3 1:20")]
    [InlineData("{ thing { a: self { name } } thing { a: other { name } } }", "Field-Selection-Merging", "1:11 1:38")]
    [InlineData("{ thing { self { x: name } ...F } } fragment F on Thing { self { x: large } }", "Field-Selection-Merging", "1:18 1:66")]
    [InlineData("query ($a: Int, $b: Int) { numbers(i: $a) ... { numbers(i: $b) } }", "Field-Selection-Merging", "1:28 1:49")]
    [InlineData("{ thing }", "Leaf-Field-Selections", "1:3")]
    [InlineData("{ hello { length } }", "Leaf-Field-Selections", "1:3")]
    [InlineData("{ thing { color { name } } }", "Leaf-Field-Selections", "1:11")]
    [InlineData("{ text(value: \"a\", mode: 1) }", "Argument-Names", "1:20")]
    [InlineData("{ hello @skip(if: true, unless: false) }", "Argument-Names", "1:25")]
    [InlineData("{ text(value: \"a\", value: \"b\") }", "Argument-Uniqueness", "1:8 1:20")]
    [InlineData("{ text }", "Required-Arguments", "1:3")]
    [InlineData("{ hello @include }", "Required-Arguments", "1:9")]
    [InlineData("{ ...F } fragment F on Query { hello } fragment F on Query { hello }", "Fragment-Name-Uniqueness", "1:10 1:40")]
    [InlineData("{ ... on Nowhere { hello } }", "Fragment-Spread-Type-Existence", "1:10")]
    [InlineData("{ ...F } fragment F on Nowhere { hello }", "Fragment-Spread-Type-Existence", "1:24")]
    [InlineData("{ ... on PointInput { x } }", "Fragments-On-Composite-Types", "1:10")]
    [InlineData("{ ... on Color { x } }", "Fragments-On-Composite-Types", "1:10")]
    [InlineData("{ hello } fragment F on Query { hello }", "Fragments-Must-Be-Used", "1:11")]
    [InlineData("{ hello } fragment F on Query { ...G } fragment G on Query { hello }", "Fragments-Must-Be-Used", "1:11")]
    [InlineData("{ ...F }", "Fragment-spread-target-defined", "1:3")]
    [InlineData("{ ...F } fragment F on Query { hello ...F }", "Fragment-spreads-must-not-form-cycles", "1:38")]
    [InlineData("{ ...F } fragment F on Query { ...G } fragment G on Query { ... { ...F } hello }", "Fragment-spreads-must-not-form-cycles", "1:67")]
    [InlineData("{ ...F } fragment F on Thing { name }", "Fragment-spread-is-possible", "1:3")]
    [InlineData("{ thing { ... on Query { hello } } }", "Fragment-spread-is-possible", "1:11")]
    [InlineData("{ numbers(i: 1.5) }", "Values-of-Correct-Type", "1:14")]
    [InlineData("{ numbers(i: 2147483648) }", "Values-of-Correct-Type", "1:14")]
    [InlineData("{ numbers(l: 9223372036854775808) }", "Values-of-Correct-Type", "1:14")]
    [InlineData("{ numbers(d: 1e999) }", "Values-of-Correct-Type", "1:14")]
    [InlineData("{ numbers(b: \"true\") }", "Values-of-Correct-Type", "1:14")]
    [InlineData("{ text(value: 1) }", "Values-of-Correct-Type", "1:15")]
    [InlineData("{ text(value: null) }", "Values-of-Correct-Type", "1:15")]
    [InlineData("{ text(value: {}) }", "Values-of-Correct-Type", "1:15")]
    [InlineData("{ text(value: [\"a\"]) }", "Values-of-Correct-Type", "1:15")]
    [InlineData("{ ofColor(color: GREEN) }", "Values-of-Correct-Type", "1:18")]
    [InlineData("{ ofColor(color: \"RED\") }", "Values-of-Correct-Type", "1:18")]
    [InlineData("{ ofPoint(point: 3) }", "Values-of-Correct-Type", "1:18")]
    [InlineData("{ ofPoint(point: { x: \"1\" }) }", "Values-of-Correct-Type", "1:23")]
    [InlineData("{ ofList(list: [1, \"2\"]) }", "Values-of-Correct-Type", "1:20")]
    [InlineData("{ ofLists(lists: [[1], [null]]) }", "Values-of-Correct-Type", "1:25")]
    [InlineData("query ($a: Int = \"1\") { numbers(i: $a) }", "Values-of-Correct-Type", "1:18")]
    [InlineData("{ ofPoint(point: { x: 1, z: 2 }) }", "Input-Object-Field-Names", "1:26")]
    [InlineData("{ ofPoint(point: { x: 1, x: 2 }) }", "Input-Object-Field-Uniqueness", "1:20 1:26")]
    [InlineData("{ ofPoint(point: { y: 1 }) }", "Input-Object-Required-Fields", "1:18")]
    [InlineData("{ ofShape(shape: { name: \"n\", corners: [{}] }) }", "Input-Object-Required-Fields", "1:41")]
    [InlineData("{ hello @nothing }", "Directives-Are-Defined", "1:9")]
    [InlineData("query @skip(if: true) { hello }", "Directives-Are-In-Valid-Locations", "1:7")]
    [InlineData("{ hello @deprecated }", "Directives-Are-In-Valid-Locations", "1:9")]
    [InlineData("{ hello @skip(if: true) @skip(if: false) }", "Directives-Are-Unique-Per-Location", "1:9 1:25")]
    [InlineData("query ($a: Int, $a: Int) { numbers(i: $a) }", "Variable-Uniqueness", "1:17")]
    [InlineData("query ($a: Thing) { numbers(i: $a) }", "Variables-Are-Input-Types", "1:12")]
    [InlineData("query ($a: [Nowhere!]!) { numbers(i: $a) }", "Variables-Are-Input-Types", "1:12")]
    [InlineData("{ numbers(i: $a) }", "All-Variable-Uses-Defined", "1:14 1:1")]
    [InlineData("query A($a: Int) { numbers(i: $a) ...F } query B { ...F } fragment F on Query { thing { name @skip(if: $c) } }", "All-Variable-Uses-Defined", "1:104 1:1")]
    [InlineData("query ($a: Int) { hello }", "All-Variables-Used", "1:8")]
    [InlineData("query ($a: Int) { text(value: $a) }", "All-Variable-Usages-are-Allowed", "1:31 1:8")]
    [InlineData("query ($a: String) { text(value: $a) }", "All-Variable-Usages-are-Allowed", "1:34 1:8")]
    [InlineData("query ($a: String = null) { text(value: $a) }", "All-Variable-Usages-are-Allowed", "1:41 1:8")]
    [InlineData("query ($a: [Int]) { ofLists(lists: [$a]) }", "All-Variable-Usages-are-Allowed", "1:37 1:8")]
    [InlineData("query ($a: Int) { ofLists(lists: [[$a]]) }", "All-Variable-Usages-are-Allowed", "1:36 1:8")]
    [InlineData("query ($a: Int) { ofList(list: $a) }", "All-Variable-Usages-are-Allowed", "1:32 1:8")]
    public async Task A_document_that_breaks_a_rule_is_refused_with_the_rule_and_the_places(string document, string rule, string places)
    {
        var errors = await _engine.ErrorsAsync(document);

        var error = errors.FirstOrDefault(e => e.GetProperty("extensions").GetProperty("specifiedBy").GetString()!.EndsWith("#sec-" + rule, StringComparison.Ordinal));
        Assert.True(error.ValueKind == JsonValueKind.Object, $"{rule} is not among {string.Join(", ", errors)}");
        Assert.Equal(places, string.Join(' ', error.GetProperty("locations").EnumerateArray().Select(l => $"{l.GetProperty("line")}:{l.GetProperty("column")}")));
        Assert.Equal("HC0010", error.GetProperty("extensions").GetProperty("code").GetString());
    }

    [Theory]
    [InlineData("query A { hello } query B { hello }")]
    [InlineData("subscription { ...F } fragment F on Subscription { refused ... { refused } }")]
    [InlineData("subscription { a: refused }")]
    [InlineData("{ hello hello thing { name } thing { name color } }")]
    [InlineData("{ ofPoint(point: { x: 1, y: 2 }) ofPoint(point: { y: 2, x: 1 }) }")]
    [InlineData("{ text(value: \"a\", more: \"b\") text(more: \"b\", value: \"a\") }")]
    [InlineData("{ thing { a: self { name } b: self { name: oldName } } }")]
    [InlineData("{ __typename thing { __typename } __schema { __typename } }")]
    [InlineData("{ hello @skip(if: true) @include(if: false) }")]
    [InlineData("{ ...F ...F } fragment F on Query { ...G hello } fragment G on Query { hello }")]
    [InlineData("{ ... on Query { hello } ... { hello } ... @include(if: true) { hello } }")]
    [InlineData("{ numbers(i: -1, l: 2147483648, d: 3, b: false) }")]
    [InlineData("{ ofList(list: 1) ofLists(lists: [[1], 2]) }")]
    [InlineData("{ ofList(list: [1, null]) }")]
    [InlineData("{ ofList(list: null) ofShape(shape: null) }")]
    [InlineData("{ ofPoint(point: { x: 1, color: null }) }")]
    [InlineData("{ ofShape(shape: { name: \"n\", corners: { x: 1 } }) }")]
    [InlineData("query ($a: Int) { numbers(i: $a) }")]
    [InlineData("query ($a: Int = 1) { numbers(i: $a) }")]
    [InlineData("query ($a: String = \"a\") { text(value: $a) }")]
    [InlineData("query ($a: Int!) { ofList(list: [$a]) }")]
    [InlineData("query ($a: [Int!]!) { ofList(list: $a) }")]
    [InlineData("query ($a: [[Int!]!]!) { ofLists(lists: $a) }")]
    [InlineData("query ($p: PointInput!) { ofPoint(point: $p) }")]
    [InlineData("query ($x: Int!) { ofPoint(point: { x: $x }) }")]
    [InlineData("query ($c: Boolean!) { ...F } fragment F on Query { hello @include(if: $c) }")]
    [InlineData("query A($a: Int) { ...F } query B($a: Int) { ...F } fragment F on Query { numbers(i: $a) }")]
    public async Task A_document_that_keeps_them_all_passes(string document)
    {
        // variables may be missing and the operation's name too, which is told after validation
        var errors = await _engine.ErrorsAsync(document);

        Assert.All(errors, e => Assert.False(e.GetProperty("extensions").TryGetProperty("specifiedBy", out _), $"{e}"));
    }

    [Fact]
    public async Task A_schema_without_mutation_says_so()
    {
        using var engine = new Engine(b => ((HotChocolate.Execution.Configuration.RequestExecutorBuilder)b).Setup.Mutation = null);

        Assert.Contains("no mutation", Assert.Single(await engine.ErrorsAsync("mutation { add(number: 1) }")).GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_mistake_is_told_at_once_but_not_more_than_a_hundred()
    {
        Assert.Equal(3, (await _engine.ErrorsAsync("query ($a: Int) { hullo text }")).Count);
        Assert.Equal(100, (await _engine.ErrorsAsync($"{{ {string.Join(' ', Enumerable.Range(0, 300).Select(i => $"x{i}"))} }}")).Count);
    }
}
