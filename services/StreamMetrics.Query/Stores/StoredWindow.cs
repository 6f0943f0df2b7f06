using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics;
using StreamMetrics.Contracts;
using StreamMetrics.Query.Model;
using StreamMetrics.Sketches;

namespace StreamMetrics.Query.Stores;

/// <summary>A window as a store has it.</summary>
/// <param name="Value">The aggregate; its sketch may be missing (<see cref="ReadSketch"/>). Partition and offset are -1 where the store does not keep them.</param>
/// <param name="TagsHash">Identifies the series; empty for a total.</param>
/// <param name="Revision">0 for a provisional value, else the store's count of versions.</param>
/// <param name="Source">The store.</param>
/// <param name="AsOf">Log time of the newest event that is included, ms since the epoch, where the store knows it.</param>
sealed record StoredWindow(Aggregate Value, string TagsHash, long Revision, DataSource Source, long? AsOf = null)
{
    /// <summary>The sketch as base64, checked, where it came so and nobody has needed it yet.</summary>
    public ReadOnlyMemory<byte> SketchText { get; init; }

    public long SizeMs => Value.End - Value.Start;

    public bool IsFinal => Value.Kind != AggregateKind.Provisional;

    /// <summary>The sketch's binary form; null when it was not asked for.</summary>
    public byte[]? SketchBytes()
    {
        if (Value.Sketch is not null || SketchText.IsEmpty) return Value.Sketch;
        var buffer = new byte[Base64.GetMaxDecodedFromUtf8Length(SketchText.Length)];
        return buffer[..Decode(buffer)];
    }

    /// <summary>Reads the sketch.</summary>
    /// <param name="sketch">Takes its values in place of those it has.</param>
    /// <exception cref="FormatException">It was not asked for, or is unreadable.</exception>
    public void ReadSketch(ExponentialHistogram sketch)
    {
        if (Value.Sketch is { } binary)
        {
            sketch.ReadFrom(binary);
            return;
        }

        if (SketchText.IsEmpty) throw new FormatException($"the window {Value.Window} of {Value.MetricName} at {Value.Start} came without its sketch");
        var buffer = ArrayPool<byte>.Shared.Rent(Base64.GetMaxDecodedFromUtf8Length(SketchText.Length));
        try
        {
            sketch.ReadFrom(buffer.AsSpan(0, Decode(buffer)));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    int Decode(Span<byte> buffer)
    {
        var status = Base64.DecodeFromUtf8(SketchText.Span, buffer, out _, out var length);
        Debug.Assert(status == OperationStatus.Done, "SketchText is not checked.");
        return length;
    }

    /// <summary>Whether this is the better of two values of the same window.</summary>
    public bool Supersedes(StoredWindow other) =>
        IsFinal != other.IsFinal ? IsFinal : IsFinal ? Revision > other.Revision : Value.AsOfOffset > other.Value.AsOfOffset;
}

/// <summary>A service as a store knows it.</summary>
sealed record SeenService(string ServiceId, long LastSeen, int Metrics, IReadOnlyDictionary<string, string> Attributes);

/// <summary>A total (empty hash) or a series of a service.</summary>
sealed record CatalogItem(string MetricName, string TagsHash, CatalogEntry Entry);
