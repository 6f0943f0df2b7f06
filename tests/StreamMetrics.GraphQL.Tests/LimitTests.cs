using Microsoft.Extensions.DependencyInjection;
using StreamMetrics.GraphQL.Tests.Support;

namespace StreamMetrics.GraphQL.Tests;

public sealed class LimitTests
{
    static string Code(System.Text.Json.JsonElement error) => error.GetProperty("extensions").GetProperty("code").GetString()!;

    [Theory]
    [InlineData("{ hello }", 0, 1)]
    [InlineData("{ thing { name } }", 1, 2)]
    [InlineData("{ later { name } }", 10, 2)]
    [InlineData("{ thing { self { self { name } } } }", 11, 4)]
    [InlineData("{ thing { things { things { name } } } }", 1 + 1 + (3 * 1), 1 + 1 + 3 + 9)]
    [InlineData("{ a: thing { name } b: thing { name } }", 2, 3)]
    [InlineData("{ ...F ...F } fragment F on Query { later { name } }", 20, 3)]
    [InlineData("{ ... { later { name } } ... on Query { thing { name } } }", 11, 3)]
    public async Task An_operation_costs_what_its_fields_and_lists_cost(string query, double fields, double types)
    {
        using var enough = new Engine(b => b.ModifyCostOptions(c => (c.MaxFieldCost, c.MaxTypeCost) = (fields, types)));
        Assert.Empty(await enough.ErrorsAsync(query));
        using var tooFew = new Engine(b => b.ModifyCostOptions(c => c.MaxTypeCost = types - 1));
        var error = Assert.Single(await tooFew.ErrorsAsync(query));
        Assert.Equal(("HC0047", types), (Code(error), error.GetProperty("extensions").GetProperty("typeCost").GetDouble()));
        if (fields == 0) return;
        using var tooCheap = new Engine(b => b.ModifyCostOptions(c => c.MaxFieldCost = fields - 1));
        Assert.Equal(fields, Assert.Single(await tooCheap.ErrorsAsync(query)).GetProperty("extensions").GetProperty("fieldCost").GetDouble());
        using var free = new Engine(b => b.ModifyCostOptions(c => (c.MaxFieldCost, c.MaxTypeCost, c.EnforceCostLimits) = (0, 0, false)));
        Assert.Empty(await free.ErrorsAsync(query));
    }

    [Theory]
    [InlineData("{ thing { self { name } } }", 3)]
    [InlineData("{ thing { ...F } } fragment F on Thing { self { ... { other { name } } } }", 4)]
    public async Task Depth_is_limited(string query, int depth)
    {
        using var enough = new Engine(b => b.AddMaxExecutionDepthRule(depth));
        Assert.Empty(await enough.ErrorsAsync(query));
        using var tooFew = new Engine(b => b.AddMaxExecutionDepthRule(depth - 1));
        Assert.Equal("HC0048", Code(Assert.Single(await tooFew.ErrorsAsync(query))));
    }

    [Fact]
    public async Task Introspection_may_be_exempt_from_depth_but_not_from_its_own_limit()
    {
        const string Deep = "{ __schema { types { fields { type { ofType { ofType { name } } } } } } }";
        using var counted = new Engine(b => b.AddMaxExecutionDepthRule(4));
        Assert.Equal("HC0048", Code(Assert.Single(await counted.ErrorsAsync(Deep))));
        using var exempt = new Engine(b => b.AddMaxExecutionDepthRule(4, skipIntrospectionFields: true));
        Assert.Empty(await exempt.ErrorsAsync(Deep));
        Assert.Empty(await exempt.ErrorsAsync("{ __schema { types { fields { type { fields { name } } } } } }"));
        Assert.Equal("HC0048", Code(Assert.Single(await exempt.ErrorsAsync("{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }"))));
    }

    [Fact]
    public async Task Introspection_is_off_outside_development_unless_it_is_wanted()
    {
        const string Query = "{ __schema { queryType { name } } __type(name: \"Query\") { name } __typename }";
        using var production = new Engine(environment: "Production");
        Assert.Equal(["HC0046", "HC0046"], (await production.ErrorsAsync(Query)).Select(Code));
        Assert.Equal("""{"__typename":"Query"}""", await production.DataAsync("{ __typename }"));
        using var open = new Engine(b => b.DisableIntrospection(disable: false), "Production");
        Assert.Equal("""{"__schema":{"queryType":{"name":"Query"}},"__type":{"name":"Query"},"__typename":"Query"}""", await open.DataAsync(Query));
    }

    [Fact]
    public async Task Fragments_that_double_at_every_level_are_refused_without_being_expanded()
    {
        // 2^100 fields: any walk through the expansion would not end
        var fragments = Enumerable.Range(0, 100).Select(i => $"fragment F{i} on Thing {{ a: self {{ ...F{i + 1} }} b: self {{ ...F{i + 1} }} }}");
        using var engine = new Engine();
        var errors = await engine.ErrorsAsync($"{{ thing {{ ...F0 }} }} {string.Join(' ', fragments)} fragment F100 on Thing {{ name }}");

        Assert.Contains("HC0047", errors.Select(Code));
    }

    [Fact]
    public async Task Fragments_that_lead_deeper_than_a_document_may_be_written_are_refused()
    {
        var fragments = Enumerable.Range(0, 500).Select(i => $"fragment F{i} on Thing {{ self {{ ...F{i + 1} }} }}");
        using var engine = new Engine(b => b.ModifyCostOptions(c => c.EnforceCostLimits = false));
        var errors = await engine.ErrorsAsync($"{{ thing {{ ...F0 }} }} {string.Join(' ', fragments)} fragment F500 on Thing {{ name }}");

        Assert.Equal("HC0048", Code(Assert.Single(errors)));
    }

    [Fact]
    public async Task Many_fragments_in_a_ring_are_told_once()
    {
        var fragments = Enumerable.Range(0, 1_000).Select(i => $"fragment F{i} on Query {{ hello ...F{(i + 1) % 1_000} }}");
        using var engine = new Engine();

        Assert.Single(await engine.ErrorsAsync($"{{ ...F0 }} {string.Join(' ', fragments)}"));
    }
}
