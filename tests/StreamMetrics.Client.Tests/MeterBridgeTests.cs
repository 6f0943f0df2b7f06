using System.Diagnostics.Metrics;
using System.Text.Json;
using StreamMetrics.Client.Meters;
using Xunit;

namespace StreamMetrics.Client.Tests;

public sealed class MeterBridgeTests : IDisposable
{
    readonly Meter _meter = new($"Shop.{Guid.NewGuid():N}");
    readonly Recording _recording = new(maxSeries: 10);
    readonly MeterBridge _bridge;

    public MeterBridgeTests() => _bridge = new([_meter.Name], _recording.Recorder);

    public void Dispose()
    {
        _bridge.Dispose();
        _meter.Dispose();
    }

    [Fact]
    public void A_histogram_writes_one_event_per_measurement_at_once()
    {
        var histogram = _meter.CreateHistogram<double>("checkout.duration", "s");
        histogram.Record(0.5, new KeyValuePair<string, object?>("http.response.status_code", 200));
        histogram.Record(0.75);
        var events = _recording.Take();
        Assert.Equal([0.5, 0.75], events.Select(Value));
        Assert.All(events, e => Assert.Equal(("TIMER", "seconds"), (Text(e, "metricType"), Text(e, "unit"))));
        Assert.Equal("200", events[0].GetProperty("tags").GetProperty("http.response.status_code").GetString());
    }

    [Theory]
    [InlineData("http.server.request.duration", "s", "HTTP_REQUEST", "seconds")]
    [InlineData("db.client.operation.duration", "ms", "DB_QUERY", "milliseconds")]
    [InlineData("messaging.process.duration", "s", "MESSAGE", "seconds")]
    [InlineData("jvm.gc.duration", "s", "JVM", "seconds")]
    [InlineData("order.size", "{item}", "CUSTOM", "item")]
    [InlineData("order.weight", null, "CUSTOM", "1")]
    public void Well_known_names_and_units_decide_type_and_unit(string name, string? unit, string type, string expectedUnit)
    {
        _meter.CreateHistogram<int>(name, unit).Record(3);
        var e = Assert.Single(_recording.Take());
        Assert.Equal((type, expectedUnit, 3), (Text(e, "metricType"), Text(e, "unit"), Value(e)));
    }

    [Fact]
    public void A_counter_writes_one_delta_per_series_and_flush()
    {
        var counter = _meter.CreateCounter<long>("orders");
        for (var i = 0; i < 5; i++) counter.Add(2, new KeyValuePair<string, object?>("region", "eu"));
        counter.Add(7, new KeyValuePair<string, object?>("region", "us"));
        Assert.Empty(_recording.Take());
        _bridge.Flush();
        var events = _recording.Take();
        Assert.Equal([7, 10], events.Select(Value).Order());
        Assert.All(events, e => Assert.Equal("COUNTER", Text(e, "metricType")));
        _bridge.Flush();
        Assert.Empty(_recording.Take());
        counter.Add(1, new KeyValuePair<string, object?>("region", "eu"));
        _bridge.Flush();
        Assert.Equal(1, Value(Assert.Single(_recording.Take())));
    }

    [Fact]
    public async Task A_counter_loses_no_increment_between_threads_and_flushes()
    {
        var counter = _meter.CreateCounter<int>("hits");
        var adding = Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 50_000; i++) counter.Add(1);
        })));
        double sum = 0;
        while (!adding.IsCompleted)
        {
            _bridge.Flush();
            sum += _recording.Take().Sum(Value);
            await Task.Yield();
        }

        await adding;
        _bridge.Flush();
        Assert.Equal(200_000, sum + _recording.Take().Sum(Value));
    }

    [Fact]
    public void Observable_instruments_write_at_each_flush_counters_their_increment()
    {
        var total = 100L;
        _meter.CreateObservableCounter("bytes.read", () => total, "By");
        _meter.CreateObservableGauge("queue.length", () => 42, "{message}");
        _bridge.Flush();
        Assert.Equal([42, 100], _recording.Take().Select(Value).Order());
        total = 130;
        _bridge.Flush();
        Assert.Equal([30, 42], _recording.Take().Select(Value).Order());
        total = 5; // began anew
        _bridge.Flush();
        Assert.Equal([5, 42], _recording.Take().Select(Value).Order());
    }

    [Fact]
    public void Up_down_counters_write_their_total_and_gauges_their_newest_value()
    {
        var open = _meter.CreateUpDownCounter<int>("connections");
        var temperature = _meter.CreateGauge<double>("temperature", "Cel");
        open.Add(3);
        open.Add(-1);
        temperature.Record(20);
        temperature.Record(21.5);
        _bridge.Flush();
        var events = _recording.Take();
        Assert.Equal([2, 21.5], events.Select(Value).Order());
        Assert.All(events, e => Assert.Equal("GAUGE", Text(e, "metricType")));
        _bridge.Flush();
        Assert.Equal(2, Value(Assert.Single(_recording.Take())));
    }

    [Fact]
    public void What_a_meter_measured_last_is_written_after_its_end_but_its_totals_end_with_it()
    {
        _meter.CreateUpDownCounter<int>("connections").Add(3);
        _meter.CreateCounter<int>("orders").Add(4);
        _meter.Dispose();
        _bridge.Flush();
        Assert.Equal("orders", Text(Assert.Single(_recording.Take()), "metricName"));
    }

    [Fact]
    public void Beyond_the_limit_of_series_increments_are_written_at_once_and_totals_are_dropped()
    {
        var counter = _meter.CreateCounter<int>("hits");
        for (var i = 0; i < 15; i++) counter.Add(1, new KeyValuePair<string, object?>("k", i));
        Assert.Equal(5, _recording.Take().Count);
        _meter.CreateUpDownCounter<int>("open").Add(1);
        Assert.Equal(1, _recording.Recorder.DroppedCount(DropReason.SeriesLimit));
        _bridge.Flush();
        Assert.Equal(10, _recording.Take().Count);
    }

    [Fact]
    public void Only_chosen_meters_are_bridged()
    {
        using var other = new Meter("Other");
        other.CreateHistogram<int>("a").Record(1);
        using var family = new MeterBridge(["Oth*"], _recording.Recorder);
        Assert.Empty(_recording.Take());
        other.CreateHistogram<int>("b").Record(2);
        Assert.Equal("b", Text(Assert.Single(_recording.Take()), "metricName"));
    }

    [Fact]
    public void A_measurement_that_is_no_number_is_dropped_and_counted()
    {
        _meter.CreateHistogram<double>("h").Record(double.NaN);
        Assert.Empty(_recording.Take());
        Assert.Equal(1, _recording.Recorder.DroppedCount(DropReason.ValueNotFinite));
    }

    static double Value(JsonElement e) => e.GetProperty("value").GetDouble();

    static string Text(JsonElement e, string field) => e.GetProperty(field).GetString()!;
}
