using System.Diagnostics.CodeAnalysis;
using StreamMetrics.Archiver.Rollups;
using StreamMetrics.Contracts;

namespace StreamMetrics.Archiver.Sink;

/// <summary>The windows that the engine emits, and those of the roll-ups, with their lengths.</summary>
static class WindowLengths
{
    static readonly Dictionary<string, long> Emitted = new()
    {
        [WindowNames.OneMinute] = 60_000,
        [WindowNames.FiveMinutes] = 300_000,
        [WindowNames.FifteenMinutes] = 900_000,
    };

    /// <summary>Length in ms of the longest window that the engine emits.</summary>
    public static long Longest { get; } = Emitted.Values.Max();

    /// <summary>Length of a window in ms.</summary>
    public static long Milliseconds(string window) =>
        Emitted.TryGetValue(window, out var length) ? length : (long)RollupTier.All.Single(t => t.Window == window).Length.TotalMilliseconds;

    /// <summary>Length of a window in ms, if it is one that the engine emits.</summary>
    public static bool TryGetMilliseconds([NotNullWhen(true)] string? window, out long length)
    {
        length = 0;
        return window is not null && Emitted.TryGetValue(window, out length);
    }
}
