using System.Buffers.Text;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using StackExchange.Redis;
using StreamMetrics.Contracts;
using StreamMetrics.Sketches;
using Aggregate = StreamMetrics.Contracts.Aggregate;

namespace StreamMetrics.Benchmarks.Query;

/// <summary>WebSocket clients that each follow one series, and the publisher of its values. A value carries its own time as <c>sum</c>.</summary>
sealed class Subscribers(Uri address, IConnectionMultiplexer redis, Func<long> readMemory) : IAsyncDisposable
{
    readonly List<ClientWebSocket> _sockets = [];
    readonly List<Task<Latencies>> _readers = [];
    readonly CancellationTokenSource _end = new();

    /// <summary>Connects and subscribes.</summary>
    /// <param name="count">How many clients.</param>
    /// <param name="slow">How many of them never read what comes.</param>
    public async Task ConnectAsync(int count, int slow)
    {
        for (var i = 0; i < count; i++)
        {
            var socket = new ClientWebSocket();
            _sockets.Add(socket);
            await socket.ConnectAsync(address, CancellationToken.None);
            var series = i % (SyntheticHistory.Services * SyntheticHistory.SeriesPerService);
            var subscribe = JsonSerializer.SerializeToUtf8Bytes(new
            {
                type = "subscribe", id = "1", serviceId = SyntheticHistory.Service(series / SyntheticHistory.SeriesPerService), metricName = SyntheticHistory.Metric, window = WindowNames.OneMinute,
                tags = SyntheticHistory.Tags(series % SyntheticHistory.SeriesPerService),
            });
            await socket.SendAsync(subscribe, WebSocketMessageType.Text, true, CancellationToken.None);
            var buffer = new byte[16 * 1024];
            var reply = await socket.ReceiveAsync(buffer, CancellationToken.None);
            if (!Encoding.UTF8.GetString(buffer, 0, reply.Count).Contains("subscribed", StringComparison.Ordinal)) throw new InvalidOperationException(Encoding.UTF8.GetString(buffer, 0, reply.Count));
            if (i < count - slow) _readers.Add(Task.Run(() => ReadAsync(socket, buffer)));
        }
    }

    /// <summary>Publishes every series ten times a second.</summary>
    /// <returns>How long values took from the publish to the client.</returns>
    public async Task<Latencies> PublishAsync(TimeSpan duration)
    {
        const int RoundsPerSecond = 10;
        var values = Enumerable.Range(0, SyntheticHistory.Services * SyntheticHistory.SeriesPerService).Select(Value).ToList();
        var publisher = redis.GetSubscriber();
        var started = TimeProvider.System.GetTimestamp();
        for (var round = 0; round < duration.TotalSeconds * RoundsPerSecond; round++)
        {
            if (round % (RoundsPerSecond * 10) == 0) Console.WriteLine($"  after {round / RoundsPerSecond,3} s: {readMemory() >> 20} MiB");
            var due = TimeSpan.FromSeconds((double)round / RoundsPerSecond);
            for (var i = 0; i < values.Count; i++)
            {
                // Spread over the tenth of a second, as aggregators would.
                if (i % 50 == 0) await WaitUntilAsync(started, due + TimeSpan.FromMilliseconds(i * 100.0 / values.Count));
                var json = JsonSerializer.SerializeToUtf8Bytes(values[i] with { Sum = Microseconds() }, ContractsJson.Default.Aggregate);
                await publisher.PublishAsync(RedisChannel.Literal(RedisKeys.Live(values[i].ServiceId)), json, CommandFlags.FireAndForget);
            }
        }

        await WaitUntilAsync(started, duration + TimeSpan.FromSeconds(1));
        await _end.CancelAsync();
        var all = new Latencies();
        foreach (var reader in _readers) all.AddRange(await reader);
        return all;
    }

    public ValueTask DisposeAsync()
    {
        foreach (var socket in _sockets) socket.Dispose();
        _end.Dispose();
        return ValueTask.CompletedTask;
    }

    static Aggregate Value(int series)
    {
        var sketch = new ExponentialHistogram();
        sketch.Add(1);
        return new()
        {
            ServiceId = SyntheticHistory.Service(series / SyntheticHistory.SeriesPerService), MetricName = SyntheticHistory.Metric, MetricType = MetricTypes.HttpRequest, Unit = "milliseconds",
            Scope = AggregateScope.Series, Tags = SyntheticHistory.Tags(series % SyntheticHistory.SeriesPerService), Window = WindowNames.OneMinute, Start = 0, End = 60_000,
            Kind = AggregateKind.Provisional, Count = 1, Avg = 1, Min = 1, Max = 1, P50 = 1, P95 = 1, P99 = 1, Rate = 1, Last = 1, LastTime = 1, MaxRelativeError = sketch.MaxRelativeError,
            Partition = 0, AsOfOffset = 1, Late = 0, Errors = 0, Sum = 0,
        };
    }

    async Task<Latencies> ReadAsync(ClientWebSocket socket, byte[] buffer)
    {
        var latencies = new Latencies();
        try
        {
            while (true)
            {
                var message = await socket.ReceiveAsync(buffer.AsMemory(), _end.Token);
                var now = Microseconds();
                // What was there before the subscription does not count; published windows start at 0.
                if (buffer.AsSpan(0, message.Count).IndexOf("\"start\":0,"u8) < 0) continue;
                var at = buffer.AsSpan(0, message.Count).IndexOf("\"sum\":"u8);
                if (at >= 0 && Utf8Parser.TryParse(buffer.AsSpan(at + 6), out double sent, out _)) latencies.Add((now - sent) / 1000);
            }
        }
        catch (OperationCanceledException) when (_end.IsCancellationRequested)
        {
            return latencies;
        }
    }

    static async Task WaitUntilAsync(long started, TimeSpan due)
    {
        var wait = due - TimeProvider.System.GetElapsedTime(started);
        if (wait > TimeSpan.FromMilliseconds(1)) await Task.Delay(wait, TimeProvider.System);
    }

    // A whole number well below 2^53, so that it passes as JSON unharmed.
    static long Microseconds() => TimeProvider.System.GetTimestamp() / (TimeProvider.System.TimestampFrequency / 1_000_000);
}
