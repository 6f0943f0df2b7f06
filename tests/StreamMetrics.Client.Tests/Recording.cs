using System.Text.Json;
using StreamMetrics.Client.Events;
using StreamMetrics.TestSupport;

namespace StreamMetrics.Client.Tests;

/// <summary>A recorder and its queue, without a sender: what is recorded can be read.</summary>
sealed class Recording
{
    public Recording(TimeProvider? time = null, int maxSeries = 1000, int queueBytes = 1 << 20, params KeyValuePair<string, string>[] tags)
    {
        Ring = new(queueBytes);
        Recorder = new(new("shop", "shop-1", tags), Ring, maxSeries, time ?? TimeProvider.System);
    }

    public EventRing Ring { get; }

    public EventRecorder Recorder { get; }

    public void Record(string name, double value, string unit, string type, params ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (Recorder.TryGetSeries(new(null, name, unit, type, tags), value, out var series, out _)) Recorder.Record(series, value, null);
    }

    /// <summary>Takes all events out of the queue; each satisfies the contract.</summary>
    public List<JsonElement> Take()
    {
        var events = new List<JsonElement>();
        for (; Ring.TryPeek(out var data); Ring.Advance()) events.Add(EventContract.AssertValid(data.ToArray()));
        return events;
    }
}
