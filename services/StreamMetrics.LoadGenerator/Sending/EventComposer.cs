using System.Buffers.Text;
using System.Diagnostics;
using System.Text;
using StreamMetrics.LoadGenerator.Simulation;

namespace StreamMetrics.LoadGenerator.Sending;

/// <summary>Writes events into one buffer that is used again for each: the text of the series with id, times and value put in.</summary>
sealed class EventComposer(EventIds ids, RandomSource random, double traceShare)
{
    /// <summary>Ends every second copy; nothing else of ours has it.</summary>
    public static ReadOnlySpan<byte> SecondAttempt => ",\"metadata\":{\"attempt\":\"2\"}}"u8;

    const int InvalidForms = 7;
    static readonly long FutureMs = (long)TimeSpan.FromMinutes(10).TotalMilliseconds;
    static readonly long TooOldMs = (long)TimeSpan.FromDays(8).TotalMilliseconds;

    // Longest event: head and tail of a few hundred bytes, a value, a trace.
    readonly byte[] _buffer = new byte[4096];
    readonly byte[] _timestamp = new byte[SimulatedSeries.TimestampLength];
    long _timestampMs = -1;
    int _tailEnd;
    int _nextInvalidForm;

    /// <summary>Writes a valid event.</summary>
    /// <param name="series">Its series.</param>
    /// <param name="kind">Valid or late, to stand in its id.</param>
    /// <param name="timestamp">Event time, ms since the epoch.</param>
    /// <param name="thousandths">Its value in thousandths.</param>
    public ReadOnlySpan<byte> Compose(SimulatedSeries series, EventKind kind, long timestamp, long thousandths)
    {
        ComposeUpToTail(series, kind, timestamp, thousandths);
        if (traceShare > 0 && !EventTracing.IsWanted && random.NextDouble() < traceShare) return _buffer.AsSpan(0, AppendTrace(_tailEnd));
        _buffer[_tailEnd] = (byte)'}';
        return _buffer.AsSpan(0, _tailEnd + 1);
    }

    /// <summary>Writes a valid event that carries a trace.</summary>
    /// <param name="series">Its series.</param>
    /// <param name="timestamp">Event time, ms since the epoch.</param>
    /// <param name="thousandths">Its value in thousandths.</param>
    /// <param name="trace">The trace.</param>
    public ReadOnlySpan<byte> Compose(SimulatedSeries series, long timestamp, long thousandths, Activity trace)
    {
        ComposeUpToTail(series, EventKind.Valid, timestamp, thousandths);
        var at = WriteText(_tailEnd, ",\"metadata\":{\"traceId\":\""u8);
        at += Encoding.ASCII.GetBytes(trace.TraceId.ToHexString(), _buffer.AsSpan(at));
        at = WriteText(at, "\",\"spanId\":\""u8);
        at += Encoding.ASCII.GetBytes(trace.SpanId.ToHexString(), _buffer.AsSpan(at));
        return _buffer.AsSpan(0, WriteText(at, "\"}}"u8));
    }

    /// <summary>The event that was composed last once more, as a sender would that got no answer: the same id, and the attempt in the metadata.</summary>
    public ReadOnlySpan<byte> ComposeSecondAttempt()
    {
        SecondAttempt.CopyTo(_buffer.AsSpan(_tailEnd));
        return _buffer.AsSpan(0, _tailEnd + SecondAttempt.Length);
    }

    /// <summary>Writes an event that breaks a rule, each time another one.</summary>
    public ReadOnlySpan<byte> ComposeInvalid(SimulatedSeries series, long timestamp, long thousandths)
    {
        var form = _nextInvalidForm++ % InvalidForms;
        var time = form switch
        {
            0 => timestamp + FutureMs,
            1 => timestamp - TooOldMs,
            _ => timestamp,
        };
        ComposeUpToTail(series, EventKind.Invalid, time, thousandths);
        var length = _tailEnd;
        switch (form)
        {
            case 2: // malformed-json: the last brace is missing
                return _buffer.AsSpan(0, length);
            case 3: // missing-field
                "\"none\""u8.CopyTo(_buffer.AsSpan(_buffer.AsSpan(0, _tailEnd).LastIndexOf("\"unit\":"u8)));
                break;
            case 4: // invalid-field: a name may not have a blank
                _buffer[_buffer.AsSpan(0, _tailEnd).IndexOf("\"metricName\":"u8) + "\"metricName\":\""u8.Length] = (byte)' ';
                break;
            case 5: // value-not-finite
                length = WriteTail(series, WriteText(series.Head.Length, "1e999"u8));
                break;
            case 6: // invalid-field: the value is text
                length = WriteTail(series, WriteText(series.Head.Length, "\"12.5\""u8));
                break;
        }

        _buffer[length] = (byte)'}';
        return _buffer.AsSpan(0, length + 1);
    }

    void ComposeUpToTail(SimulatedSeries series, EventKind kind, long timestamp, long thousandths)
    {
        series.Head.CopyTo(_buffer.AsSpan());
        ids.Write(_buffer.AsSpan(SimulatedSeries.EventIdStart), kind);
        if (timestamp != _timestampMs)
        {
            Utf8Formatter.TryFormat(timestamp, _timestamp, out _);
            _timestampMs = timestamp;
        }

        _timestamp.CopyTo(_buffer.AsSpan(SimulatedSeries.TimestampStart));
        _buffer[series.PodStart] = (byte)('0' + random.Next(SimulatedSeries.Pods));
        _tailEnd = WriteTail(series, WriteThousandths(series.Head.Length, thousandths));
    }

    /// <summary>Integer, point, up to three digits; 245500 is 245.5.</summary>
    int WriteThousandths(int at, long thousandths)
    {
        var (whole, rest) = Math.DivRem(thousandths, 1000);
        Utf8Formatter.TryFormat(whole, _buffer.AsSpan(at), out var length);
        at += length;
        if (rest == 0) return at;
        _buffer[at++] = (byte)'.';
        for (var unit = 100L; rest > 0; unit /= 10)
        {
            (var digit, rest) = Math.DivRem(rest, unit);
            _buffer[at++] = (byte)('0' + digit);
        }

        return at;
    }

    int WriteTail(SimulatedSeries series, int at)
    {
        series.Tail.CopyTo(_buffer.AsSpan(at));
        return at + series.Tail.Length;
    }

    int AppendTrace(int at)
    {
        at = WriteText(at, ",\"metadata\":{\"traceId\":\""u8);
        at = WriteHex(WriteHex(at, random.Next()), random.Next());
        at = WriteText(at, "\",\"spanId\":\""u8);
        at = WriteHex(at, random.Next());
        return WriteText(at, "\"}}"u8);
    }

    int WriteHex(int at, ulong number)
    {
        Utf8Formatter.TryFormat(number, _buffer.AsSpan(at), out var length, new('x', 16));
        return at + length;
    }

    int WriteText(int at, ReadOnlySpan<byte> text)
    {
        text.CopyTo(_buffer.AsSpan(at));
        return at + text.Length;
    }
}
