using System.Globalization;
using System.Text;
using StreamMetrics.Streams;

namespace StreamMetrics.Benchmarks.Engine;

/// <summary>
/// Events of work W, the load that stream processors are compared on: about 390 bytes each, 20 services, two metrics, log-normal values,
/// event times in order but for 2 s of jitter. Deterministic.
/// </summary>
sealed class WorkW
{
    public const long Start = 1_707_267_600_000;

    static readonly string[] Methods = ["GET", "POST", "PUT"];
    static readonly string[] Codes = ["200", "200", "200", "201", "404", "500"];

    const string BeforeTime = "{\"eventId\":\"00000000-0000-0000-0000-000000000000\",\"timestamp\":";
    const int TimeDigits = 13;

    readonly byte[] _bytes;
    readonly int[] _ends;

    /// <summary>Makes the events.</summary>
    /// <param name="count">How many.</param>
    /// <param name="series">Over how many series.</param>
    /// <param name="spanMs">Over what span of event time.</param>
    public WorkW(int count, int series, long spanMs)
    {
        var random = new Random(1);
        var text = new StringBuilder();
        var medians = new double[series];
        for (var i = 0; i < series; i++) medians[i] = 5 * Math.Pow(100, random.NextDouble());
        _ends = new int[count];
        LogTimes = new long[count];
        using var bytes = new MemoryStream(count * 400);
        for (var n = 0; n < count; n++)
        {
            var now = Start + 2000 + n * spanMs / count;
            text.Clear();
            Append(text, random, now - random.Next(2000), random.Next(series), medians);
            bytes.Write(Encoding.UTF8.GetBytes(text.ToString()));
            _ends[n] = (int)bytes.Length;
            LogTimes[n] = now;
        }

        _bytes = bytes.ToArray();
    }

    public int Count => _ends.Length;

    /// <summary>Log times, ms since the epoch, rising.</summary>
    public long[] LogTimes { get; }

    public ReadOnlySpan<byte> this[int index]
    {
        get
        {
            var start = index == 0 ? 0 : _ends[index - 1];
            return _bytes.AsSpan(start, _ends[index] - start);
        }
    }

    /// <summary>Makes the same events happen later: event and log times rise.</summary>
    /// <param name="milliseconds">By how much.</param>
    public void Shift(long milliseconds)
    {
        for (var i = 0; i < Count; i++)
        {
            LogTimes[i] += milliseconds;
            var digits = _bytes.AsSpan((i == 0 ? 0 : _ends[i - 1]) + BeforeTime.Length, TimeDigits);
            var time = long.Parse(digits, CultureInfo.InvariantCulture) + milliseconds;
            time.TryFormat(digits, out _, default, CultureInfo.InvariantCulture);
        }
    }

    public InputRecord Record(int index, long offset) => new() { Offset = offset, LogTime = LogTimes[index], Value = this[index] };

    static void Append(StringBuilder text, Random random, long time, int series, double[] medians)
    {
        var service = $"service-{series % 20:00}";
        var isHttp = series % 3 != 0;
        var normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        var id = new byte[16];
        random.NextBytes(id);
        text.Append(CultureInfo.InvariantCulture, $"{{\"eventId\":\"{new Guid(id)}\",\"timestamp\":{time},\"serviceId\":\"{service}\",");
        text.Append(CultureInfo.InvariantCulture, $"\"instanceId\":\"{service}-pod-{random.Next(4)}\",\"metricType\":\"{(isHttp ? "HTTP_REQUEST" : "DB_QUERY")}\",");
        text.Append(CultureInfo.InvariantCulture, $"\"metricName\":\"{(isHttp ? "api.request.duration" : "db.query.duration")}\",");
        text.Append(CultureInfo.InvariantCulture, $"\"value\":{Math.Round(medians[series] * Math.Exp(0.6 * normal), 3)},\"unit\":\"milliseconds\",");
        text.Append(CultureInfo.InvariantCulture, $"\"tags\":{{\"endpoint\":\"/api/v1/resource-{series / 20}\",\"method\":\"{Methods[series % 3]}\",");
        text.Append(CultureInfo.InvariantCulture, $"\"statusCode\":\"{Codes[series % 6]}\",\"region\":\"us-east-1\"}},");
        text.Append(CultureInfo.InvariantCulture, $"\"metadata\":{{\"traceId\":\"{random.NextInt64():x16}\",\"spanId\":\"{random.Next():x8}\"}}}}");
    }
}
