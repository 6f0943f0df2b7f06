using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using StackExchange.Redis;
using StreamMetrics.Aggregator.Live;
using StreamMetrics.Contracts;
using StreamMetrics.Streams;
using StreamMetrics.Streams.Worker;
using StreamMetrics.TestSupport;
using Xunit;

namespace StreamMetrics.Aggregator.Tests.Live;

/// <summary>Snapshots of a real engine, written by the script into a real Redis.</summary>
public sealed class LiveScriptTests : IAsyncLifetime, IDisposable
{
    const long Now = 1_800_000_000_000;
    readonly AggregatorMetrics _metrics = new(new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>());
    readonly FakeTimeProvider _time = new();
    RealRedis? _redis;
    IConnectionMultiplexer? _connection;

    IDatabase Database => _connection!.GetDatabase();

    public async Task InitializeAsync()
    {
        _redis = await RealRedis.StartAsync();
        _connection = await _redis.ConnectAsync();
    }

    public async Task DisposeAsync()
    {
        await _connection!.DisposeAsync();
        await _redis!.DisposeAsync();
    }

    public void Dispose() => _metrics.Dispose();

    [Fact]
    public async Task A_hash_holds_the_fields_of_the_aggregate()
    {
        var lane = new Lane(this, "t1");
        lane.Process(1, 10);
        lane.Process(2, 30);
        await lane.WriteAsync();

        var hash = (await Database.HashGetAllAsync("metrics:svc:m:1m")).ToDictionary(f => f.Name.ToString(), f => f.Value);
        Assert.Equal(2, (long)hash["count"]);
        Assert.Equal(40.0, (double)hash["sum"]);
        Assert.Equal(20.0, (double)hash["avg"]);
        Assert.Equal("total", hash["scope"]);
        Assert.Equal("{}", hash["tags"]);
        Assert.Equal("provisional", hash["kind"]);
        Assert.Equal(2, (long)hash["offset"]);
        Assert.Equal(Now + 2, (long)hash["asOf"]);
        Assert.Equal(Now / 60_000 * 60_000, (long)hash["start"]);
        Assert.Equal(2, Sketches.ExponentialHistogram.Read((byte[])hash["sketch"]!).Count);
        Assert.Equal(1, (long)hash["incarnation"]);
        Assert.InRange((await Database.KeyTimeToLiveAsync("metrics:svc:m:1m"))!.Value, RedisKeys.TimeToLive - TimeSpan.FromMinutes(5), RedisKeys.TimeToLive);
        var tagsHash = TagsHash.Compute(new Dictionary<string, string> { ["endpoint"] = "/a", ["statusCode"] = "200" });
        foreach (var window in new[] { "1m", "5m", "15m", "1m-10s" })
        {
            Assert.Equal(2, (long)await Database.HashGetAsync(RedisKeys.Metrics("svc", "m", window, TagsHash.Total), "count"));
            Assert.Equal(2, (long)await Database.HashGetAsync(RedisKeys.Metrics("svc", "m", window, tagsHash), "count"));
        }
    }

    [Fact]
    public async Task The_catalog_names_totals_and_series()
    {
        var lane = new Lane(this, "t1");
        lane.Process(1, 10);
        await lane.WriteAsync();

        Assert.Equal(Now + 1, (long)await Database.HashGetAsync(RedisKeys.Services, "svc"));
        var total = System.Text.Json.JsonSerializer.Deserialize((string)(await Database.HashGetAsync(RedisKeys.Catalog("svc"), "m"))!, ContractsJson.Default.CatalogEntry)!;
        Assert.Equal(("HTTP_REQUEST", "milliseconds", 0, Now + 1), (total.MetricType, total.Unit, total.Tags.Count, total.LastSeen));
        Assert.Equal(2, await Database.HashLengthAsync(RedisKeys.Catalog("svc")));
    }

    [Fact]
    public async Task The_larger_offset_wins_whoever_comes_later()
    {
        var old = new Lane(this, "t1");
        old.Process(1, 10);
        var newer = new Lane(this, "t1");
        newer.Process(1, 10);
        newer.Process(2, 30);
        await newer.WriteAsync();
        await old.WriteAsync();
        Assert.Equal(2, (long)await Database.HashGetAsync("metrics:svc:m:1m", "count"));
    }

    [Fact]
    public async Task A_topic_that_was_created_again_is_newer_whatever_its_offsets()
    {
        var old = new Lane(this, "t1");
        for (var i = 1; i <= 5; i++) old.Process(i, 10);
        await old.WriteAsync();
        var again = new Lane(this, "t2");
        again.Process(0, 7);
        await again.WriteAsync();
        Assert.Equal(7.0, (double)await Database.HashGetAsync("metrics:svc:m:1m", "sum"));

        old.Process(6, 10);
        await old.WriteAsync();
        Assert.Equal(7.0, (double)await Database.HashGetAsync("metrics:svc:m:1m", "sum"));
    }

    [Fact]
    public async Task Nothing_is_taken_from_the_engine_while_no_buffer_is_free_and_the_newest_state_comes_after()
    {
        var lane = new Lane(this, "t1");
        lane.Process(1, 10);
        var first = lane.Snapshot();
        lane.Process(2, 10);
        var second = lane.Snapshot();
        lane.Process(3, 10);
        Assert.Null(lane.Snapshot());

        await lane.WriteAsync(first!);
        await lane.WriteAsync(second!);
        await lane.WriteAsync();
        Assert.Equal(3, (long)await Database.HashGetAsync("metrics:svc:m:1m", "count"));
    }

    /// <summary>An engine with its lane, and a clock that lets every series be written at every turn.</summary>
    sealed class Lane
    {
        readonly LiveScriptTests _test;
        readonly LiveShared _shared;
        readonly PartitionEngine _engine = new(0, new());
        readonly PartitionLane _lane;

        public Lane(LiveScriptTests test, string topicId)
        {
            _test = test;
            _shared = new(Options.Create(new LiveLaneOptions()), test._metrics, test._time) { TopicId = topicId };
            _lane = new(_engine, _shared);
            _engine.CompleteRestore();
        }

        public void Process(long offset, double value) => _engine.Process(new InputRecord
        {
            Offset = offset,
            LogTime = Now + offset,
            Key = "svc"u8,
            Value = EventLoad.Event("svc", "m", "/a", Now, value),
        });

        public LiveBuffer? Snapshot()
        {
            _test._time.Advance(TimeSpan.FromSeconds(1));
            _lane.Turn();
            return _shared.Filled.TryRead(out var buffer) ? buffer : null;
        }

        public Task WriteAsync() => WriteAsync(Snapshot() ?? throw new InvalidOperationException("Nothing was dirty."));

        public async Task WriteAsync(LiveBuffer buffer)
        {
            for (var i = 0; i < buffer.Count; i++) await LiveScript.CallAsync(_test.Database, buffer[i].Keys, buffer[i].Arguments);
            _lane.Return(buffer);
        }
    }
}
