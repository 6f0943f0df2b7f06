using HotChocolate;
using HotChocolate.Execution;
using Microsoft.Extensions.DependencyInjection;
using StreamMetrics.GraphQL.Tests.Support;

namespace StreamMetrics.GraphQL.Tests;

public sealed class ExecutionTests : IDisposable
{
    readonly Engine _engine = new();

    public void Dispose() => _engine.Dispose();

    [Theory]
    [InlineData("{ hello }", """{"hello":"world"}""")]
    [InlineData("{ b: hello a: hello __typename }", """{"b":"world","a":"world","__typename":"Query"}""")]
    [InlineData("{ thing { name nothing large color words } }", """{"thing":{"name":"thing","nothing":null,"large":9223372036854775807,"color":"DARK_BLUE","words":["a",null,"c"]}}""")]
    [InlineData("{ maybeThing { name } later { name } }", """{"maybeThing":null,"later":{"name":"later"}}""")]
    [InlineData("{ thing { things { name } self { other { name __typename } } } }", """{"thing":{"things":[{"name":"1"},{"name":"2"},{"name":"3"}],"self":{"other":{"name":"thing'","__typename":"Thing"}}}}""")]
    [InlineData("{ thing { ...F self { name } } ...G } fragment F on Thing { self { large } } fragment G on Query { thing { color ...F } }", """{"thing":{"self":{"large":9223372036854775807,"name":"thing"},"color":"DARK_BLUE"}}""")]
    [InlineData("{ hello @skip(if: true) thing { name @include(if: false) color } ... @skip(if: true) { text(value: \"x\") } }", """{"thing":{"color":"DARK_BLUE"}}""")]
    [InlineData("{ ... @include(if: true) { hello @skip(if: false) } }", """{"hello":"world"}""")]
    [InlineData("{ hello @skip(if: true) hello }", """{"hello":"world"}""")]
    [InlineData("{ numbers }", """{"numbers":"1 2 3 True"}""")]
    [InlineData("{ numbers(i: -5, l: 9007199254740993, d: 1, b: false) }", """{"numbers":"-5 9007199254740993 1 False"}""")]
    [InlineData("{ ofColor a: ofColor(color: DARK_BLUE) }", """{"ofColor":"Red","a":"DarkBlue"}""")]
    [InlineData("{ ofPoint(point: { x: 1 }) b: ofPoint(point: { x: 1, y: 2, color: YELLOW }) }", """{"ofPoint":"Point { X = 1, Y = 7, Color =  }","b":"Point { X = 1, Y = 2, Color = Yellow }"}""")]
    [InlineData("{ ofShape(shape: { name: \"s\", corners: [{ x: 1 }, { x: 2 }], center: { x: 3 } }) }", """{"ofShape":"s Point { X = 1, Y = 7, Color =  };Point { X = 2, Y = 7, Color =  } Point { X = 3, Y = 7, Color =  }"}""")]
    [InlineData("{ ofList(list: [1, null, 3]) b: ofList(list: 4) c: ofList d: ofList(list: null) }", """{"ofList":"1,null,3","b":"4","c":"none","d":"none"}""")]
    [InlineData("{ ofLists(lists: [[1, 2], 3, []]) }", """{"ofLists":"1,2|3|"}""")]
    [InlineData("{ text(value: \"\\u00e4\\\"\\n\") }", """{"text":"ä\"\n"}""")]
    public async Task A_query_is_answered(string query, string data) => Assert.Equal(data, await _engine.DataAsync(query));

    [Theory]
    [InlineData("query ($i: Int, $l: Long, $d: Float, $b: Boolean) { numbers(i: $i, l: $l, d: $d, b: $b) }", null, "1 2 3 True")]
    [InlineData("query ($i: Int = 5, $l: Long, $d: Float, $b: Boolean) { numbers(i: $i, l: $l, d: $d, b: $b) }", """{"l":1e3,"d":2,"b":false}""", "5 1000 2 False")]
    [InlineData("query ($i: Int!) { numbers(i: $i) }", """{"i":7.0}""", "7 2 3 True")]
    [InlineData("query ($c: Color!) { numbers: ofColor(color: $c) }", """{"c":"YELLOW"}""", "Yellow")]
    [InlineData("query ($p: PointInput!) { numbers: ofPoint(point: $p) }", """{"p":{"x":1,"color":"RED"}}""", "Point { X = 1, Y = 7, Color = Red }")]
    [InlineData("query ($x: Int!, $y: Int = 3) { numbers: ofPoint(point: { x: $x, y: $y }) }", """{"x":1}""", "Point { X = 1, Y = 3, Color =  }")]
    [InlineData("query ($x: Int!, $y: Int) { numbers: ofPoint(point: { x: $x, y: $y }) }", """{"x":1}""", "Point { X = 1, Y = 7, Color =  }")]
    [InlineData("query ($l: [Int!]) { numbers: ofList(list: $l) }", """{"l":[1,2]}""", "1,2")]
    [InlineData("query ($l: [Int]) { numbers: ofList(list: $l) }", """{"l":5}""", "5")]
    [InlineData("query ($l: [[Int!]!]!) { numbers: ofLists(lists: $l) }", """{"l":[[1],2]}""", "1|2")]
    [InlineData("query ($a: Int) { numbers: ofList(list: [$a, 2]) }", """{"a":null}""", "null,2")]
    [InlineData("query ($s: ShapeInput) { numbers: ofShape(shape: $s) }", "{}", "none")]
    [InlineData("query ($yes: Boolean = true) { numbers @include(if: $yes) hello @skip(if: $yes) }", null, "1 2 3 True")]
    public async Task Variables_are_coerced(string query, string? variables, string text) =>
        Assert.Equal($$"""{"numbers":"{{text}}"}""", await _engine.DataAsync(query, variables));

    [Theory]
    [InlineData("query ($i: Int!) { numbers(i: $i) }", "{}", "'$i' must be given")]
    [InlineData("query ($i: Int!) { numbers(i: $i) }", """{"i":null}""", "'$i' must not be null")]
    [InlineData("query ($i: Int) { numbers(i: $i) }", """{"i":1.5}""", "'$i' must be of the type 'Int'; it was 1.5")]
    [InlineData("query ($i: Int) { numbers(i: $i) }", """{"i":2147483648}""", "'Int'")]
    [InlineData("query ($l: Long) { numbers(l: $l) }", """{"l":1e300}""", "'Long'")]
    [InlineData("query ($i: Int) { numbers(i: $i) }", """{"i":"1"}""", "it was \"1\"")]
    [InlineData("query ($t: String!) { text(value: $t) }", """{"t":1}""", "'String'")]
    [InlineData("query ($b: Boolean) { numbers(b: $b) }", """{"b":0}""", "'Boolean'")]
    [InlineData("query ($c: Color) { ofColor(color: $c) }", """{"c":"GREEN"}""", "one of RED, DARK_BLUE, YELLOW")]
    [InlineData("query ($p: PointInput!) { ofPoint(point: $p) }", """{"p":{"x":1,"z":2}}""", "the field 'z'")]
    [InlineData("query ($p: PointInput!) { ofPoint(point: $p) }", """{"p":{"y":2}}""", "'$p'.x must be given")]
    [InlineData("query ($p: PointInput!) { ofPoint(point: $p) }", """{"p":[]}""", "'PointInput'")]
    [InlineData("query ($s: ShapeInput) { ofShape(shape: $s) }", """{"s":{"name":"n","corners":[{"x":1},{"x":"2"}]}}""", "'$s'.corners[1].x")]
    [InlineData("query ($l: [[Int!]!]!) { ofLists(lists: $l) }", """{"l":[[1],[null]]}""", "'$l'[1][0] must not be null")]
    public async Task A_wrong_variable_is_named_and_nothing_is_executed(string query, string variables, string message)
    {
        var answer = await _engine.AskAsync(query, variables);

        var error = Assert.Single(answer.GetProperty("errors").EnumerateArray());
        Assert.Contains(message, error.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal("HC0016", error.GetProperty("extensions").GetProperty("code").GetString());
        Assert.False(answer.TryGetProperty("data", out _));
    }

    [Theory]
    [InlineData("{ thing { name throws } }", "null", "thing throws")]
    [InlineData("{ maybeThing(isThere: true) { name mustNotBeNull } hello }", """{"maybeThing":null,"hello":"world"}""", "maybeThing mustNotBeNull")]
    [InlineData("{ later { things { name other { self { throws } } } } }", """{"later":{"things":[{"name":"1","other":null},{"name":"2","other":null},{"name":"3","other":null}]}}""", "later things 0 other self throws")]
    [InlineData("{ later { wordsWithoutNull } hello }", """{"later":null,"hello":"world"}""", "later wordsWithoutNull 1")]
    [InlineData("{ later { notANumber } }", """{"later":null}""", "later notANumber")]
    [InlineData("{ refuses }", "null", "refuses")]
    [InlineData("{ later { alias: throws } }", """{"later":null}""", "later alias")]
    public async Task A_field_that_fails_is_null_or_what_holds_it(string query, string data, string path)
    {
        var answer = await _engine.AskAsync(query);

        Assert.Equal(data, answer.GetProperty("data").GetRawText());
        var error = answer.GetProperty("errors")[0];
        Assert.Equal(path, string.Join(' ', error.GetProperty("path").EnumerateArray()));
        Assert.Equal(1, error.GetProperty("locations")[0].GetProperty("line").GetInt32());
        Assert.DoesNotContain("secret", answer.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_argument_that_is_null_by_its_variable_fails_its_field_alone()
    {
        var answer = await _engine.AskAsync("query ($i: Int = 1) { numbers(i: $i) hello maybeThing { name } }", """{"i":null}""");

        Assert.Contains("'i' must not be null", Assert.Single(answer.GetProperty("errors").EnumerateArray()).GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal("null", answer.GetProperty("data").GetRawText());
    }

    [Fact]
    public async Task A_filter_sees_what_was_thrown_and_says_what_the_client_learns()
    {
        using var engine = new Engine(b => b.AddErrorFilter(_ => new Telling()));

        var error = Assert.Single(await engine.ErrorsAsync("{ later { throws } }"));
        Assert.Equal("InvalidOperationException", error.GetProperty("message").GetString());
        Assert.Equal("TOLD", error.GetProperty("extensions").GetProperty("code").GetString());
        Assert.Equal("""["later","throws"]""", error.GetProperty("path").GetRawText());
        Assert.Equal("NO", Assert.Single(await engine.ErrorsAsync("{ refuses }")).GetProperty("extensions").GetProperty("code").GetString());
    }

    sealed class Telling : IErrorFilter
    {
        public IError OnError(IError error) => error.Exception is null ? error : ErrorBuilder.FromError(error).SetMessage(error.Exception.GetType().Name).SetCode("TOLD").Build();
    }

    [Fact]
    public async Task Mutations_wait_for_each_other()
    {
        Assert.Equal("""{"a":1,"b":5,"c":9}""", await _engine.DataAsync("mutation { a: add(number: 1) b: add(number: 5) c: add(number: 9) }"));
        Assert.Equal(["begin 1", "end 1", "begin 5", "end 5", "begin 9", "end 9"], _engine.Journal.Entries);
    }

    [Fact]
    public async Task The_operation_is_chosen_by_its_name()
    {
        const string Two = "query A { hello } query B { numbers }";

        Assert.Equal("""{"hello":"world"}""", (await _engine.AskAsync(Two, operationName: "A")).GetProperty("data").GetRawText());
        Assert.Contains("operationName", (await _engine.AskAsync(Two)).GetProperty("errors")[0].GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Contains("'C'", (await _engine.AskAsync(Two, operationName: "C")).GetProperty("errors")[0].GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_operation_that_takes_too_long_is_given_up()
    {
        using var engine = new Engine(b => b.ModifyRequestOptions(o => o.ExecutionTimeout = TimeSpan.FromMilliseconds(50)));

        var error = Assert.Single(await engine.ErrorsAsync("{ later(milliseconds: 600000) { name } }"));
        Assert.Equal("HC0045", error.GetProperty("extensions").GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_subscription_answers_for_each_event_and_closes_its_source()
    {
        var answers = new List<string>();
        await foreach (var answer in _engine.SubscribeAsync("subscription { counted(from: 12, to: 15) { name } }")) answers.Add(answer.GetRawText());

        Assert.Equal(3, answers.Count);
        Assert.Equal("""{"data":{"counted":{"name":"12"}}}""", answers[0]);
        Assert.Contains("\"data\":{\"counted\":null}", answers[1], StringComparison.Ordinal);
        Assert.Contains("\"path\":[\"counted\"]", answers[1], StringComparison.Ordinal);
        Assert.Equal("""{"data":{"counted":{"name":"14"}}}""", answers[2]);
        Assert.Equal(["the source is closed"], _engine.Journal.Entries);
    }

    [Theory]
    [InlineData("subscription { refused }", 0, "nothing to hear")]
    [InlineData("subscription { counted(from: 1, to: 3, fails: true) { name } }", 2, "source is dry")]
    public async Task A_source_that_fails_ends_the_subscription_with_its_error(string query, int events, string message)
    {
        var answers = new List<System.Text.Json.JsonElement>();
        await foreach (var answer in _engine.SubscribeAsync(query)) answers.Add(answer);

        Assert.Equal(events + 1, answers.Count);
        Assert.False(answers[^1].TryGetProperty("data", out _));
        Assert.Contains(message, answers[^1].GetProperty("errors")[0].GetProperty("message").GetString(), StringComparison.Ordinal);
    }
}
