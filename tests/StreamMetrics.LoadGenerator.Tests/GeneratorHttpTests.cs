using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using StreamMetrics.LoadGenerator.Http;
using StreamMetrics.TestSupport;
using Xunit;

namespace StreamMetrics.LoadGenerator.Tests;

/// <summary>A generator and its broker for the tests of a class.</summary>
public sealed class RunningGenerator : IAsyncLifetime
{
    readonly TempFolder _data = new("generator");
    EmbeddedKafkaUnderTest? _kafka;
    ServiceProcess? _process;

    public Uri Address => _process!.Address;

    public async Task InitializeAsync()
    {
        _kafka = await EmbeddedKafkaUnderTest.StartAsync();
        _process = ServiceProcess.Start("StreamMetrics.LoadGenerator", new Dictionary<string, string?>
        {
            ["ConnectionStrings__kafka"] = _kafka.BootstrapServers,
            ["LoadGenerator__EventsPerSecond"] = "100",
            ["LoadGenerator__DataDirectory"] = _data.Path,
        });
        await _process.WaitForHealthAsync();
        await _process.WaitForOutputAsync("Generating");
    }

    public async Task DisposeAsync()
    {
        if (_process is not null) await _process.DisposeAsync();
        if (_kafka is not null) await _kafka.DisposeAsync();
        _data.Dispose();
    }
}

public sealed class GeneratorHttpTests(RunningGenerator generator) : IClassFixture<RunningGenerator>
{
    static readonly HttpClient Http = new();

    [Fact]
    public async Task The_rate_can_be_changed_and_the_generator_paused_and_resumed()
    {
        Assert.Equal(new RateAnswer(0, false), await Read<RateAnswer>(await PutRate("""{"eventsPerSecond":0}""")));
        await AssertNothingIsSent();
        Assert.Equal(new RateAnswer(3000, false), await Read<RateAnswer>(await PutRate("""{"eventsPerSecond":3000}""")));
        await AssertItSends();
        Assert.Equal(new RateAnswer(3000, true), await Read<RateAnswer>(await Http.PostAsync(Path("/pause"), null)));
        await AssertNothingIsSent();
        Assert.Equal(new RateAnswer(3000, false), await Read<RateAnswer>(await Http.PostAsync(Path("/resume"), null)));
        await AssertItSends();
    }

    /// <summary>From the answer on: everything is acknowledged, and then time passes, as asOf shows, without another event.</summary>
    async Task AssertNothingIsSent()
    {
        var answered = (await LedgerAsync()).Events.Sent;
        LedgerAnswer? idle = null;
        await Eventually.AssertAsync("all is acknowledged", async () =>
        {
            idle = await LedgerAsync();
            Assert.Equal(idle.Events.Sent, idle.Events.Acknowledged);
        });
        Assert.Equal(answered, idle!.Events.Sent);
        await Eventually.AssertAsync("a second passes", async () => Assert.InRange((await LedgerAsync()).AsOf, idle!.AsOf + 1000, long.MaxValue));
        Assert.Equal(idle!.Events, (await LedgerAsync()).Events);
    }

    async Task AssertItSends()
    {
        var before = (await LedgerAsync()).Events.Sent;
        await Eventually.AssertAsync("it sends", async () => Assert.InRange((await LedgerAsync()).Events.Sent, before + 1000, long.MaxValue));
    }

    [Fact]
    public async Task A_ledger_of_a_span_has_the_windows_that_begin_in_it()
    {
        await Eventually.AssertAsync("there are windows", async () => Assert.NotEmpty((await LedgerAsync()).Windows));
        var start = (await LedgerAsync()).Windows.Min(w => w.Start);
        Assert.Empty((await LedgerAsync($"?to={start}")).Windows);
        var iso = DateTimeOffset.FromUnixTimeMilliseconds(start).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", null);
        var spanned = (await LedgerAsync($"?from={iso}&to={start + 60_000}")).Windows;
        Assert.NotEmpty(spanned);
        Assert.All(spanned, w => Assert.Equal(start, w.Start));
    }

    [Theory]
    [InlineData("?from=yesterday", "from", "'yesterday'")]
    [InlineData("?to=1e9", "to", "'1e9'")]
    [InlineData("?from=5&to=4", "from", "5 is after to, 4")]
    public async Task A_wrong_span_is_refused_by_name(string query, string field, string text) =>
        await AssertProblem(await Http.GetAsync(Path($"/ledger{query}")), field, text);

    [Theory]
    [InlineData("""{"eventsPerSecond":-1}""", "eventsPerSecond", "-1")]
    [InlineData("""{"eventsPerSecond":1e9}""", "eventsPerSecond", "1e9")]
    [InlineData("""{"eventsPerSecond":"5"}""", "eventsPerSecond", "\"5\"")]
    [InlineData("""{"rate":5}""", "eventsPerSecond", "missing")]
    [InlineData("[5]", "eventsPerSecond", "missing")]
    [InlineData("five", "body", "not JSON")]
    [InlineData("", "body", "not JSON")]
    public async Task A_wrong_rate_is_refused_by_name(string body, string field, string text) => await AssertProblem(await PutRate(body), field, text);

    static async Task AssertProblem(HttpResponseMessage answer, string field, string text)
    {
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
        var problem = await Read<JsonElement>(answer);
        Assert.Contains(text, problem.GetProperty("errors").GetProperty(field)[0].GetString(), StringComparison.Ordinal);
    }

    Task<HttpResponseMessage> PutRate(string body) => Http.PutAsync(Path("/rate"), new StringContent(body));

    async Task<LedgerAnswer> LedgerAsync(string query = "") => await Read<LedgerAnswer>(await Http.GetAsync(Path($"/ledger{query}")));

    static async Task<T> Read<T>(HttpResponseMessage answer) => (await answer.Content.ReadFromJsonAsync<T>())!;

    Uri Path(string path) => new(generator.Address, path);
}
