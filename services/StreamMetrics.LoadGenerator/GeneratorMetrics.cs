using System.Diagnostics.Metrics;

namespace StreamMetrics.LoadGenerator;

/// <summary>Meter <c>StreamMetrics.LoadGenerator</c>; recorded per batch.</summary>
sealed class GeneratorMetrics
{
    const string UnitEvent = "{event}";

    readonly Counter<long> _sent;
    readonly Counter<long> _acknowledged;
    readonly Counter<double> _missed;

    public GeneratorMetrics(IMeterFactory meters)
    {
        var meter = meters.Create("StreamMetrics.LoadGenerator");
        _sent = meter.CreateCounter<long>("streammetrics.generator.events.sent", UnitEvent, "Events handed to the Kafka client.");
        _acknowledged = meter.CreateCounter<long>("streammetrics.generator.events.acknowledged", UnitEvent, "Events acknowledged by Kafka.");
        _missed = meter.CreateCounter<double>(
            "streammetrics.generator.events.missed", UnitEvent, "Events that the rate asked for and that could not be sent in time; they never will be.");
    }

    public void Batch(long sent, long acknowledged, double missed)
    {
        if (sent > 0) _sent.Add(sent);
        if (acknowledged > 0) _acknowledged.Add(acknowledged);
        if (missed > 0) _missed.Add(missed);
    }
}
