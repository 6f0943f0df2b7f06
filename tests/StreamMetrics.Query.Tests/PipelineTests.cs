using StreamMetrics.Contracts;
using StreamMetrics.Query.Pipeline;
using StreamMetrics.Query.Tests.Support;
using StreamMetrics.TestSupport;

namespace StreamMetrics.Query.Tests;

[Collection(ServersCollection.Name)]
public sealed class PipelineTests(Servers servers) : IAsyncLifetime
{
    public async Task InitializeAsync() => await servers.Hot.ClearAsync();

    public Task DisposeAsync() => Task.CompletedTask;

    static PartitionStatus Status(int partition, long events = 100, string owner = "a", long deadLetters = 0, long aggregates = 0, double? p99 = null, bool watched = false) => new()
    {
        Partition = partition,
        Owner = owner,
        Time = 1_000,
        Position = 10,
        Committed = 9,
        Watermark = 5,
        OpenWindows = 3,
        Series = 2,
        Events = events,
        Aggregates = aggregates,
        DeadLetters = deadLetters,
        Late = 1,
        CommitMs = 2.5,
        VisibleP99Ms = p99,
        VisibleWatched = watched,
    };

    [Fact]
    public async Task It_shows_what_the_owners_of_the_partitions_say_and_their_totals()
    {
        await servers.Hot.PipelineAsync(Status(0, deadLetters: 4, p99: 540));
        await servers.Hot.PipelineAsync(Status(3, deadLetters: 1, p99: 30, watched: true));
        await using var query = await QueryHost.StartAsync(servers, null, ("Query:PollInterval", "00:00:00.100"));

        await Eventually.AssertAsync("the poller ran", async () =>
        {
            var answer = await query.GetAsync("/api/v1/pipeline");
            var partitions = answer.GetProperty("partitions").EnumerateArray().ToList();
            Assert.Equal(6, partitions.Count);
            Assert.Equal("a", partitions[0].GetProperty("owner").GetString());
            Assert.Equal(9, partitions[3].GetProperty("committed").GetInt64());
            Assert.Equal(2.5, partitions[3].GetProperty("commitMs").GetDouble());
            Assert.False(partitions[1].TryGetProperty("owner", out _));
            Assert.Equal(5, answer.GetProperty("deadLetters").GetInt64());
            Assert.Equal(2, answer.GetProperty("late").GetInt64());
            Assert.Equal(30, answer.GetProperty("visibleP99Ms").GetDouble()); // nobody watches the others, which are held back on purpose
            Assert.Equal("down", answer.GetProperty("dependencies").GetProperty("kafka").GetString());
            Assert.Equal("up", answer.GetProperty("dependencies").GetProperty("redis").GetString());
            Assert.False(answer.TryGetProperty("lag", out _));
        });
    }

    [Fact]
    public void Rates_are_what_the_counters_gained_over_the_span()
    {
        var rates = new PipelineRates(TimeSpan.FromSeconds(5));

        rates.Add(0, [Status(0, events: 1_000, aggregates: 10), null]);
        Assert.Equal(0, rates.EventsPerSecond);
        for (var second = 1; second <= 10; second++)
            rates.Add(second * 1_000, [Status(0, events: 1_000 + (second * 100), aggregates: 10 + second), Status(1, events: second * 50)]);

        Assert.Equal(150, rates.EventsPerSecond);
        Assert.Equal(1, rates.AggregatesPerSecond);
    }

    [Fact]
    public void The_rate_of_aggregates_is_taken_over_a_minute_because_they_come_when_windows_end()
    {
        var rates = new PipelineRates(TimeSpan.FromSeconds(5));

        for (var second = 0; second <= 70; second++) rates.Add(second * 1_000, [Status(0, events: 1_000, aggregates: second < 30 ? 0 : 600)]);

        Assert.Equal(10, rates.AggregatesPerSecond);
        Assert.Equal(0, rates.EventsPerSecond);
    }

    [Fact]
    public void A_new_owner_counts_from_zero_and_nothing_is_lost_or_negative()
    {
        var rates = new PipelineRates(TimeSpan.FromSeconds(5));

        rates.Add(0, [Status(0, events: 1_000, deadLetters: 7)]);
        rates.Add(1_000, [Status(0, events: 1_100, deadLetters: 8)]);
        rates.Add(2_000, [null]);
        rates.Add(3_000, [Status(0, events: 40, deadLetters: 1, owner: "b")]);
        rates.Add(4_000, [Status(0, events: 60, deadLetters: 1, owner: "b")]);
        // the same owner, restarted
        rates.Add(5_000, [Status(0, events: 5, deadLetters: 0, owner: "b")]);

        Assert.Equal(9, rates.DeadLetters);
        Assert.Equal((100 + 40 + 20 + 5) / 5.0, rates.EventsPerSecond);
    }
}
