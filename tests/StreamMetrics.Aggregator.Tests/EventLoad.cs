using System.Globalization;
using System.Text;
using Confluent.Kafka;
using StreamMetrics.Contracts;
using StreamMetrics.TestSupport;

namespace StreamMetrics.Aggregator.Tests;

/// <summary>Produces events at a rate with a seed, some of them invalid or late, and counts what Kafka acknowledged.</summary>
sealed class EventLoad : IDisposable
{
    const int Services = 12;
    const int Metrics = 3;
    const int Endpoints = 4;

    readonly IProducer<byte[]?, byte[]?> _producer;
    readonly Random _random;
    long _invalid;
    long _sent;
    long _acknowledged;
    long _failed;

    /// <summary>A load on a cluster.</summary>
    /// <param name="kafka">The cluster.</param>
    /// <param name="seed">Seed.</param>
    public EventLoad(IKafkaUnderTest kafka, int seed)
    {
        _random = new(seed);
        _producer = kafka.CreateProducer(config => config.MessageTimeoutMs = 0);
    }

    /// <summary>Invalid events that were acknowledged.</summary>
    public long Invalid => Interlocked.Read(ref _invalid);

    /// <summary>Events that were acknowledged, invalid ones included.</summary>
    public long Acknowledged => Interlocked.Read(ref _acknowledged);

    /// <summary>Produces until cancelled.</summary>
    /// <param name="eventsPerSecond">Rate.</param>
    /// <param name="stop">Ends it.</param>
    public async Task RunAsync(int eventsPerSecond, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        var start = TimeProvider.System.GetTimestamp();
        while (!stop.IsCancellationRequested)
        {
            var due = (long)(TimeProvider.System.GetElapsedTime(start).TotalSeconds * eventsPerSecond);
            while (_sent < due) Send();
            await timer.WaitForNextTickAsync(CancellationToken.None);
        }
    }

    /// <summary>Produces a number of events at once.</summary>
    /// <param name="count">How many.</param>
    public void Send(int count)
    {
        for (var i = 0; i < count; i++) Send();
    }

    /// <summary>Waits until everything is acknowledged.</summary>
    public async Task FlushAsync()
    {
        await Eventually.TrueAsync("every event is acknowledged", () => _producer.Flush(TimeSpan.FromMilliseconds(200)) == 0);
        if (Interlocked.Read(ref _failed) > 0) throw new InvalidOperationException($"{_failed} events were refused by Kafka.");
    }

    /// <inheritdoc/>
    public void Dispose() => _producer.Dispose();

    void Send()
    {
        _sent++;
        var service = $"service-{_random.Next(Services)}";
        var valid = _random.Next(500) != 0;
        var age = _random.Next(50) == 0 ? _random.Next(1_000, 8_000) : _random.Next(300);
        var time = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() - age;
        var json = Event(service, $"metric.{_random.Next(Metrics)}", $"/e{_random.Next(Endpoints)}", time, Math.Exp(_random.NextDouble() * 8), valid);
        _producer.Produce(Topics.Events, new() { Key = Encoding.UTF8.GetBytes(service), Value = json }, report =>
        {
            if (report.Error.IsError) Interlocked.Increment(ref _failed);
            else Interlocked.Increment(ref _acknowledged);
            if (!report.Error.IsError && !valid) Interlocked.Increment(ref _invalid);
        });
    }

    /// <summary>An event's JSON.</summary>
    public static byte[] Event(string service, string metric, string endpoint, long time, double value, bool valid = true) => Encoding.UTF8.GetBytes(
        string.Create(
            CultureInfo.InvariantCulture,
            $$$"""
            {"eventId":"{{{Guid.NewGuid()}}}","timestamp":{{{time}}},"serviceId":"{{{service}}}","metricType":"{{{(valid ? "HTTP_REQUEST" : "http")}}}","metricName":"{{{metric}}}","value":{{{value:R}}},"unit":"milliseconds","tags":{"endpoint":"{{{endpoint}}}","statusCode":"200"}}
            """));
}
