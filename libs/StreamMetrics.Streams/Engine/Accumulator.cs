using System.Runtime.CompilerServices;
using StreamMetrics.Sketches;

namespace StreamMetrics.Streams;

/// <summary>
/// What is known of a set of events: one pane or window of one series. The sum is compensated after Neumaier
/// ("Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen", 1974); the compensation is kept, so that parts merge
/// without losing it. The sketch is the base class: an event then touches one object instead of two.
/// </summary>
sealed class Accumulator : ExponentialHistogram
{
    /// <summary>Longest trace or span id that makes an exemplar, bytes of JSON text; W3C ids have 32 and 16.</summary>
    public const int MaxIdLength = 64;

    double _sum;
    double _compensation;
    double _last;
    long _lastTime = long.MinValue;
    long _errors;

    // The exemplar; _traceLength is 0 while there is none. _ids holds both ids as they stand in the event's JSON.
    double _exemplarValue;
    long _exemplarTime;
    long _exemplarOffset;
    byte[]? _ids;
    int _traceLength;
    int _spanLength;

    public double Last => _last;

    public long LastTime => _lastTime;

    public long Errors => _errors;

    public bool HasExemplar => _traceLength > 0;

    public double ExemplarValue => _exemplarValue;

    public long ExemplarTime => _exemplarTime;

    public ReadOnlySpan<byte> TraceId => _ids.AsSpan(0, _traceLength);

    public ReadOnlySpan<byte> SpanId => _spanLength == 0 ? default : _ids.AsSpan(MaxIdLength, _spanLength);

    /// <summary>The compensated sum; one beyond the numbers there are becomes the largest of them, so that it stays a JSON number.</summary>
    public double Sum
    {
        get
        {
            var sum = _sum + _compensation;
            return double.IsFinite(sum) ? sum : double.IsFinite(_sum) ? _sum : double.CopySign(double.MaxValue, _sum);
        }
    }

    /// <summary>Adds one event.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(double value, long time, bool isError)
    {
        Add(value);
        AddToSum(value);
        if (time > _lastTime || (time == _lastTime && value > _last))
        {
            _last = value;
            _lastTime = time;
        }

        if (isError) _errors++;
    }

    /// <summary>Whether a value with a trace becomes the exemplar: the largest does, among equals the first in the log.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool WantsExemplar(double value, long offset) =>
        _traceLength == 0 || value > _exemplarValue || (value == _exemplarValue && offset < _exemplarOffset);

    public void SetExemplar(double value, long time, long offset, ReadOnlySpan<byte> traceId, ReadOnlySpan<byte> spanId)
    {
        _exemplarValue = value;
        _exemplarTime = time;
        _exemplarOffset = offset;
        _ids ??= new byte[2 * MaxIdLength];
        traceId.CopyTo(_ids);
        _traceLength = traceId.Length;
        _spanLength = spanId.Length <= MaxIdLength ? spanId.Length : 0;
        spanId[.._spanLength].CopyTo(_ids.AsSpan(MaxIdLength));
    }

    public void MergeFrom(Accumulator other)
    {
        base.MergeFrom(other);
        AddToSum(other._sum);
        _compensation += other._compensation;
        if (other._lastTime > _lastTime || (other._lastTime == _lastTime && other._last > _last))
        {
            _last = other._last;
            _lastTime = other._lastTime;
        }

        _errors += other._errors;
        if (other.HasExemplar && WantsExemplar(other._exemplarValue, other._exemplarOffset))
        {
            SetExemplar(other._exemplarValue, other._exemplarTime, other._exemplarOffset, other.TraceId, other.SpanId);
        }
    }

    public new void Clear()
    {
        base.Clear();
        _sum = _compensation = _last = 0;
        _lastTime = long.MinValue;
        _errors = 0;
        _traceLength = _spanLength = 0;
    }

    /// <summary>Writes the state form (docs/formats/state.md).</summary>
    public void WriteTo(System.Buffers.IBufferWriter<byte> output, System.Buffers.ArrayBufferWriter<byte> scratch)
    {
        scratch.ResetWrittenCount();
        WriteTo(scratch);
        var writer = new ByteWriter(output);
        writer.Byte((byte)((HasExemplar ? StateFormat.HasExemplar : 0) | (Count > 0 ? StateFormat.HasEvents : 0)));
        if (Count > 0)
        {
            writer.Varint((ulong)scratch.WrittenCount);
            writer.Bytes(scratch.WrittenSpan);
            writer.Double(_sum);
            writer.Double(_compensation);
            writer.Double(_last);
            writer.Varint((ulong)_lastTime);
            writer.Varint((ulong)_errors);
        }

        if (HasExemplar)
        {
            writer.Double(_exemplarValue);
            writer.Varint((ulong)_exemplarTime);
            writer.Varint((ulong)_exemplarOffset);
            writer.Varint((ulong)_traceLength);
            writer.Bytes(TraceId);
            writer.Varint((ulong)_spanLength);
            writer.Bytes(SpanId);
        }

        writer.Flush();
    }

    /// <summary>Reads the state form into this empty accumulator.</summary>
    public void ReadFrom(ref ByteReader reader)
    {
        var flags = reader.Byte();
        if (flags > (StateFormat.HasExemplar | StateFormat.HasEvents)) throw new FormatException($"Flags {flags} of an accumulator are not known.");
        if ((flags & StateFormat.HasEvents) == 0) return;
        ReadFrom(reader.Take(reader.Length()));
        _sum = reader.Double();
        _compensation = reader.Double();
        _last = reader.Double();
        _lastTime = (long)reader.Varint();
        _errors = (long)reader.Varint();
        if ((flags & StateFormat.HasExemplar) == 0) return;
        var value = reader.Double();
        var time = (long)reader.Varint();
        var offset = (long)reader.Varint();
        var traceId = reader.Take(reader.Length(MaxIdLength));
        var spanId = reader.Take(reader.Length(MaxIdLength));
        SetExemplar(value, time, offset, traceId, spanId);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    void AddToSum(double value)
    {
        var sum = _sum + value;
        _compensation += Math.Abs(_sum) >= Math.Abs(value) ? (_sum - sum) + value : (value - sum) + _sum;
        _sum = sum;
    }
}
