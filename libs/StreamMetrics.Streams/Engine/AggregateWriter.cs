using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using StreamMetrics.Contracts;

namespace StreamMetrics.Streams;

/// <summary>
/// Writes <see cref="Aggregate"/> as JSON (docs/formats/aggregate.md), always in the same order and with the shortest digits that read
/// back as the same number, so that equal aggregates have equal bytes. One buffer, used again and again.
/// </summary>
/// <param name="partition">Input partition.</param>
sealed class AggregateWriter(int partition)
{
    const int MaxNumberLength = 32;

    readonly ArrayBufferWriter<byte> _json = new(4096);
    readonly ArrayBufferWriter<byte> _sketch = new(4096);
    readonly ArrayBufferWriter<byte> _exemplar = new(256);

    /// <summary>The JSON written last; valid until the next call.</summary>
    public ReadOnlySpan<byte> Json => _json.WrittenSpan;

    /// <summary>The sketch's bytes in it.</summary>
    public ReadOnlySpan<byte> Sketch => _sketch.WrittenSpan;

    /// <summary>The exemplar's JSON in it; empty when there is none.</summary>
    public ReadOnlySpan<byte> ExemplarJson => _exemplar.WrittenSpan;

    /// <summary>Writes a final aggregate or a correction, with its sketch.</summary>
    public void Write(in PendingAggregate aggregate)
    {
        var values = AggregateValues.Of(aggregate.Series, aggregate.Cell, aggregate.Window.Size);
        var kind = aggregate.IsCorrection ? "correction"u8 : "final"u8;
        WriteBody(aggregate.Series, aggregate.Cell, values, aggregate.Window.NameBytes, aggregate.Start, aggregate.Start + aggregate.Window.Size, kind,
            aggregate.IsCorrection ? aggregate.Cell.Count : 0, aggregate.AsOfOffset);
        Text(",\"sketch\":\""u8);
        var length = Base64.GetMaxEncodedToUtf8Length(_sketch.WrittenCount);
        Base64.EncodeToUtf8(_sketch.WrittenSpan, _json.GetSpan(length), out _, out var written);
        _json.Advance(written);
        Text("\"}"u8);
    }

    /// <summary>Writes a provisional aggregate, without its sketch.</summary>
    public void WriteProvisional(Series series, Accumulator cell, in AggregateValues values, ReadOnlySpan<byte> window, long start, long end, long asOfOffset)
    {
        WriteBody(series, cell, values, window, start, end, "provisional"u8, 0, asOfOffset);
        Text("}"u8);
    }

    void WriteBody(Series series, Accumulator cell, in AggregateValues values, ReadOnlySpan<byte> window, long start, long end, ReadOnlySpan<byte> kind, long late, long asOfOffset)
    {
        WriteParts(cell);
        _json.ResetWrittenCount();
        Text(series.JsonHead);
        Text(window);
        Number("\",\"start\":"u8, start);
        Number(",\"end\":"u8, end);
        Text(",\"kind\":\""u8);
        Text(kind);
        Number("\",\"count\":"u8, cell.Count);
        Number(",\"sum\":"u8, values.Sum);
        Number(",\"avg\":"u8, values.Avg);
        Number(",\"min\":"u8, values.Min);
        Number(",\"max\":"u8, values.Max);
        Number(",\"p50\":"u8, values.P50);
        Number(",\"p95\":"u8, values.P95);
        Number(",\"p99\":"u8, values.P99);
        Number(",\"rate\":"u8, values.Rate);
        Number(",\"last\":"u8, values.Last);
        Number(",\"lastTime\":"u8, values.LastTime);
        Number(",\"errors\":"u8, cell.Errors);
        if (cell.HasExemplar)
        {
            Text(",\"exemplar\":"u8);
            Text(_exemplar.WrittenSpan);
        }

        Number(",\"maxRelativeError\":"u8, cell.MaxRelativeError);
        Number(",\"late\":"u8, late);
        Number(",\"partition\":"u8, partition);
        Number(",\"asOfOffset\":"u8, asOfOffset);
    }

    void WriteParts(Accumulator cell)
    {
        _sketch.ResetWrittenCount();
        cell.WriteTo(_sketch);
        _exemplar.ResetWrittenCount();
        if (!cell.HasExemplar) return;
        // The ids are JSON text already: they were checked when the event was read.
        _exemplar.Write("{\"traceId\":\""u8);
        _exemplar.Write(cell.TraceId);
        if (!cell.SpanId.IsEmpty)
        {
            _exemplar.Write("\",\"spanId\":\""u8);
            _exemplar.Write(cell.SpanId);
        }

        Number(_exemplar, "\",\"value\":"u8, cell.ExemplarValue);
        Number(_exemplar, ",\"time\":"u8, cell.ExemplarTime);
        _exemplar.Write("}"u8);
    }

    void Text(ReadOnlySpan<byte> text) => _json.Write(text);

    void Number<T>(ReadOnlySpan<byte> key, T value)
        where T : IUtf8SpanFormattable => Number(_json, key, value);

    static void Number<T>(ArrayBufferWriter<byte> buffer, ReadOnlySpan<byte> key, T value)
        where T : IUtf8SpanFormattable
    {
        buffer.Write(key);
        value.TryFormat(buffer.GetSpan(MaxNumberLength), out var written, default, CultureInfo.InvariantCulture);
        buffer.Advance(written);
    }
}

/// <summary>The numbers of an aggregate; all zero for no events.</summary>
readonly record struct AggregateValues(
    double Sum, double Avg, double Min, double Max, double P50, double P95, double P99, double Rate, double Last, long LastTime)
{
    /// <summary>Works them out.</summary>
    /// <param name="series">The series: rates of counters are increments, of all else events.</param>
    /// <param name="cell">Its events.</param>
    /// <param name="size">Length of the window, ms.</param>
    public static AggregateValues Of(Series series, Accumulator cell, long size)
    {
        if (cell.Count == 0) return default;
        var sum = cell.Sum;
        var perSecond = (series.MetricType == MetricTypes.Counter ? sum : cell.Count) / (size / 1000.0);
        return new(sum, sum / cell.Count, cell.Min, cell.Max, cell.Quantile(0.50), cell.Quantile(0.95), cell.Quantile(0.99),
            double.IsFinite(perSecond) ? perSecond : double.CopySign(double.MaxValue, perSecond), cell.Last, cell.LastTime);
    }
}

/// <summary>A final aggregate or correction that waits for the commit. Its cell does not change any more.</summary>
readonly record struct PendingAggregate(Series Series, Accumulator Cell, WindowSize Window, long Start, long AsOfOffset, bool IsCorrection);
