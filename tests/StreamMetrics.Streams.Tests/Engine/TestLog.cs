using System.Text;

namespace StreamMetrics.Streams.Tests.Engine;

/// <summary>An input log with everything in it: several series, disorder, late and far too late events, invalid ones, clock records, gaps, pauses, replays.</summary>
sealed class TestLog
{
    public const long Start = 1_707_267_600_000; // a multiple of 15 minutes

    static readonly string[] Endpoints = ["/a", "/b", "/c/ä", "/d\"e"];
    static readonly string[] Statuses = ["200", "404", "503"];

    readonly Random _random;
    long _now = Start + 1234;
    long _offset;

    TestLog(int seed) => _random = new(seed);

    public List<LogRecord> Records { get; } = [];

    /// <summary>The valid events among them, by offset.</summary>
    public SortedDictionary<long, TestEvent> Events { get; } = [];

    public static TestLog Make(int seed, int count)
    {
        var log = new TestLog(seed);
        for (var i = 0; i < count; i++) log.Add();
        return log;
    }

    void Add()
    {
        // Mostly milliseconds, sometimes a pause that closes windows, sometimes a leader whose clock is behind.
        _now += _random.Next(40) switch
        {
            0 => _random.Next(60_000),
            1 => -_random.Next(3_000),
            < 8 => _random.Next(4_000),
            _ => _random.Next(200),
        };
        _offset += _random.Next(20) == 0 ? 2 : 1;
        switch (_random.Next(30))
        {
            case 0: Records.Add(new(_offset, _now, []) { IsClock = true }); break;
            case 1: Records.Add(new(_offset, _now, Garbage())); break;
            case 2: AddEvent(new($"metrics-late", 1, _random.Next(8))); break;
            default: AddEvent(null); break;
        }
    }

    void AddEvent(ReplayOrigin? replay)
    {
        var age = _random.Next(20) switch
        {
            0 => _random.Next(300_000), // late for some windows or all
            1 => _random.Next(5_000_000), // some beyond the horizon
            2 => -_random.Next(70_000), // some in the future
            3 when _random.Next(4) == 0 => 8L * 86_400_000, // too old
            _ => _random.Next(3_000),
        };
        var e = Next(_now - age);
        Events.Add(_offset, e);
        Records.Add(new(_offset, _now, e.ToJson(_random.Next(100))) { Replay = replay });
    }

    TestEvent Next(long time)
    {
        var isCounter = _random.Next(4) == 0;
        var value = isCounter ? _random.Next(5) : Math.Round(Math.Exp(3 + 2 * _random.NextDouble()), 3);
        var tags = new Dictionary<string, string>();
        if (_random.Next(10) != 0) tags["endpoint"] = Endpoints[_random.Next(Endpoints.Length)];
        if (_random.Next(3) != 0) tags["statusCode"] = Statuses[_random.Next(Statuses.Length)];
        return new(time, value)
        {
            ServiceId = _random.Next(3) == 0 ? "payment-service" : "order-service",
            MetricType = isCounter ? "COUNTER" : "HTTP_REQUEST",
            MetricName = isCounter ? "orders" : "api.request.duration",
            Unit = isCounter ? "1" : "milliseconds",
            Tags = tags,
            TraceId = _random.Next(2) == 0 ? $"{_random.Next():x8}" : null,
            SpanId = _random.Next(2) == 0 ? $"{_random.Next():x8}" : null,
        };
    }

    byte[] Garbage() => _random.Next(3) switch
    {
        0 => Encoding.UTF8.GetBytes("{\"eventId\":"),
        1 => Next(_now).ToJson()[..^3],
        _ => (Next(_now) with { Value = -1 - _random.Next(100) }).ToJson(),
    };
}
