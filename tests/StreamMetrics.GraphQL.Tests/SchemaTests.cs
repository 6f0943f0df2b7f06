using System.Diagnostics.CodeAnalysis;
using HotChocolate;
using HotChocolate.Types;
using Microsoft.Extensions.DependencyInjection;
using StreamMetrics.GraphQL.Tests.Support;

namespace StreamMetrics.GraphQL.Tests;

public sealed class SchemaTests : IDisposable
{
    readonly Engine _engine = new();

    public void Dispose() => _engine.Dispose();

    [Fact]
    public void The_sdl_has_names_nullability_defaults_descriptions_deprecations_and_costs()
    {
        var sdl = SdlPrinter.Print(_engine.Schema);

        foreach (var part in (string[])
        [
            "schema {\n  query: Query\n  mutation: Mutation\n  subscription: Subscription\n}",
            "  later(milliseconds: Int! = 0): Thing @cost(weight: \"10\")\n",
            "  text(value: String!, more: String): String!\n",
            "  numbers(i: Int! = 1, l: Long! = 2, d: Float! = 3, b: Boolean! = true): String!\n",
            "  ofColor(color: Color! = RED): String!\n",
            "  ofList(list: [Int]): String!\n",
            "  ofLists(lists: [[Int!]!]!): String!\n",
            "  add(number: Int!): Int! @cost(weight: \"10\")\n",
            "  counted(from: Int!, to: Int!, fails: Boolean! = false): Thing @cost(weight: \"10\")\n",
            "  words: [String]! @listSize(assumedSize: 10)\n",
            "  self: Thing! @cost(weight: \"5\")\n",
            "  oldName: String @deprecated(reason: \"Use name.\")\n",
            "\"Where something is.\"\ninput PointInput {\n  x: Int!\n  y: Int! = 7\n  color: Color\n}",
            "input ShapeInput {\n  name: String!\n  corners: [PointInput!]!\n  center: PointInput\n}",
            "enum Color {\n  RED\n  DARK_BLUE\n  YELLOW @deprecated(reason: \"It hurts.\")\n}",
            "scalar Long",
            "directive @cost(",
        ])
            Assert.Contains(part, sdl, StringComparison.Ordinal);
        Assert.DoesNotContain("__", sdl, StringComparison.Ordinal);
        Assert.DoesNotContain("scalar String", sdl, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{ __type(name: \"Thing\") { kind name fields { name } } }", """{"__type":{"kind":"OBJECT","name":"Thing","fields":[{"name":"name"},{"name":"nothing"},{"name":"large"},{"name":"notANumber"},{"name":"mustNotBeNull"},{"name":"throws"},{"name":"color"},{"name":"words"},{"name":"wordsWithoutNull"},{"name":"self"},{"name":"other"},{"name":"things"}]}}""")]
    [InlineData("{ __type(name: \"Color\") { enumValues(includeDeprecated: true) { name isDeprecated deprecationReason } fields { name } inputFields { name } interfaces { name } possibleTypes { name } } }", """{"__type":{"enumValues":[{"name":"RED","isDeprecated":false,"deprecationReason":null},{"name":"DARK_BLUE","isDeprecated":false,"deprecationReason":null},{"name":"YELLOW","isDeprecated":true,"deprecationReason":"It hurts."}],"fields":null,"inputFields":null,"interfaces":null,"possibleTypes":null}}""")]
    [InlineData("{ __type(name: \"PointInput\") { description inputFields { name defaultValue type { kind name ofType { name } } } } }", """{"__type":{"description":"Where something is.","inputFields":[{"name":"x","defaultValue":null,"type":{"kind":"NON_NULL","name":null,"ofType":{"name":"Int"}}},{"name":"y","defaultValue":"7","type":{"kind":"NON_NULL","name":null,"ofType":{"name":"Int"}}},{"name":"color","defaultValue":null,"type":{"kind":"ENUM","name":"Color","ofType":null}}]}}""")]
    [InlineData("{ __schema { mutationType { name } subscriptionType { name } directives { name isRepeatable } } }", """{"__schema":{"mutationType":{"name":"Mutation"},"subscriptionType":{"name":"Subscription"},"directives":[{"name":"skip","isRepeatable":false},{"name":"include","isRepeatable":false},{"name":"deprecated","isRepeatable":false},{"name":"specifiedBy","isRepeatable":false},{"name":"cost","isRepeatable":false},{"name":"listSize","isRepeatable":false}]}}""")]
    [InlineData("{ __type(name: \"Nowhere\") { name } }", """{"__type":null}""")]
    public async Task The_schema_tells_of_itself(string query, string data) => Assert.Equal(data, await _engine.DataAsync(query));

    [Theory]
    [InlineData(typeof(WithDictionary))]
    [InlineData(typeof(WithInterface))]
    [InlineData(typeof(WithGuid))]
    [InlineData(typeof(WithVoid))]
    public void What_only_the_real_package_does_is_refused_with_its_name(Type query)
    {
        using var engine = new Engine(b => ((HotChocolate.Execution.Configuration.RequestExecutorBuilder)b).Setup.Query = query);

        Assert.Contains("HotChocolate.AspNetCore", Assert.Throws<NotSupportedException>(() => engine.Schema).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_subscription_needs_its_source()
    {
        using var engine = new Engine(b => b.AddSubscriptionType<WithoutSource>());

        Assert.Contains("'With'", Assert.Throws<NotSupportedException>(() => engine.Schema).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_types_of_one_name_are_an_error()
    {
        using var engine = new Engine(b => b.AddQueryType<WithSameName>());

        Assert.Contains("'Thing'", Assert.Throws<InvalidOperationException>(() => engine.Schema).Message, StringComparison.Ordinal);
    }

    public sealed class WithDictionary
    {
        public IReadOnlyDictionary<string, string> Tags { get; } = new Dictionary<string, string>();
    }

    public sealed class WithInterface
    {
        public IDisposable? Something { get; init; }
    }

    public sealed class WithGuid
    {
        public Guid Id { get; init; }
    }

    public sealed class WithVoid
    {
        [SuppressMessage("Performance", "CA1822", Justification = "Fields are instance members.")]
        public Task DoAsync() => Task.CompletedTask;
    }

    public sealed class WithoutSource
    {
        [Subscribe]
        [SuppressMessage("Performance", "CA1822", Justification = "Fields are instance members.")]
        public string Event([EventMessage] string text) => text;
    }

    public sealed class WithSameName
    {
        public Thing? One { get; init; }

        public OtherThing? Two { get; init; }
    }

    [GraphQLName("Thing")]
    public sealed class OtherThing
    {
        public string? Name { get; init; }
    }
}
