using System.Diagnostics;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using StreamMetrics.Client.Events;
using StreamMetrics.Client.Kafka;
using StreamMetrics.Client.Meters;

namespace StreamMetrics.Client;

/// <summary>
/// Sends metric events of a service to Kafka: what <see cref="Record"/> is given, and what the chosen meters of
/// <c>System.Diagnostics.Metrics</c> measure.
/// </summary>
/// <remarks>
/// Recording never blocks and never throws: an event goes into a bounded queue in memory, a thread of the client's own hands it to
/// librdkafka, which retries without limit. What does not fit into the queue is dropped, counted (<see cref="Statistics"/>, meter
/// <c>StreamMetrics.Client</c>) and logged at most every 10 s.
/// </remarks>
public sealed class StreamMetricsClient : IDisposable, IAsyncDisposable
{
    readonly EventRecorder _recorder;
    readonly EventRing _ring;
    readonly EventSender _sender;
    readonly MeterBridge _bridge;
    readonly ClientMetrics _metrics;
    readonly ITimer _flushTimer;
    readonly ILogger _logger;
    int _isDisposed;

    /// <summary>Creates and starts a client. Brokers are contacted in the background.</summary>
    /// <param name="options">The options; not to be changed any more.</param>
    /// <param name="logger">Where trouble is told; none: nowhere.</param>
    /// <param name="timeProvider">Event times and flushes; the system's when null.</param>
    /// <exception cref="OptionsValidationException">An option breaks its rule; the message names key, value and rule.</exception>
    /// <exception cref="EventProducerException">A setting of <see cref="StreamMetricsClientOptions.Kafka"/> is wrong.</exception>
    public StreamMetricsClient(StreamMetricsClientOptions options, ILogger<StreamMetricsClient>? logger = null, TimeProvider? timeProvider = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        var valid = new StreamMetricsClientOptionsValidator().Validate(null, options);
        if (valid.Failed) throw new OptionsValidationException(StreamMetricsClientOptions.Section, typeof(StreamMetricsClientOptions), valid.Failures);
        var time = timeProvider ?? TimeProvider.System;
        _logger = logger ?? NullLogger<StreamMetricsClient>.Instance;
        _ring = new(options.QueueBytes);
        _recorder = new(new(options.ServiceId, options.InstanceId, [.. options.Tags]), _ring, options.MaxSeries, time);
        _sender = new(options, _recorder, _ring, Encoding.UTF8.GetBytes(options.ServiceId), time, _logger);
        _metrics = new(this);
        _bridge = new(options.Meters, _recorder);
        _flushTimer = time.CreateTimer(_ => Flush(), null, options.FlushInterval, options.FlushInterval);
    }

    /// <summary>What the client did so far.</summary>
    public ClientStatistics Statistics => new(
        _recorder.Queued, _sender.Acknowledged, _recorder.Changed, Enum.GetValues<DropReason>().ToDictionary(r => r, _recorder.DroppedCount));

    internal long QueueUsage => _ring.Used;

    internal int SeriesCount => _recorder.SeriesCount;

    /// <summary>
    /// Records one event with the present time, and with the ids of <see cref="Activity.Current"/> if that is sampled. Allocates nothing when
    /// the same name, unit, type and tags (in the same order) were recorded before.
    /// </summary>
    /// <param name="name">Metric name; characters other than <c>[A-Za-z0-9._/-]</c> become <c>_</c>.</param>
    /// <param name="value">The value; NaN and infinities are dropped and counted.</param>
    /// <param name="unit">Unit, such as <c>milliseconds</c>.</param>
    /// <param name="type">Metric type, such as <see cref="Contracts.MetricTypes.HttpRequest"/>; what is none becomes CUSTOM.</param>
    /// <param name="tags">Tags; values become text (invariant culture). What breaks the limits of an event is cut and counted.</param>
    public void Record(string name, double value, string unit, string type, params ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (_recorder.TryGetSeries(new(null, name, unit, type, tags), value, out var series, out _)) _recorder.Record(series, value, Activity.Current);
    }

    /// <summary>Writes what counters and gauges of the chosen meters have gathered, and asks the observable ones; otherwise done at each interval.</summary>
    public void Flush()
    {
        try
        {
            _bridge.Flush();
        }
        catch (AggregateException e)
        {
            // The program's own callbacks; it must not end because it is measured.
            Log.CallbackFailed(_logger, e);
        }
    }

    /// <summary>Flushes and waits until everything is acknowledged, at most <see cref="StreamMetricsClientOptions.ShutdownTimeout"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            await _flushTimer.DisposeAsync().ConfigureAwait(false);
            Flush();
            _bridge.Dispose();
            _recorder.Close();
            _sender.Stop();
        }

        await _sender.Ended.ConfigureAwait(false);
        _metrics.Dispose();
    }

    /// <summary>As <see cref="DisposeAsync"/>, blocking.</summary>
    public void Dispose() => DisposeAsync().AsTask().ConfigureAwait(false).GetAwaiter().GetResult();
}
