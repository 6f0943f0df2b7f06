using System.Diagnostics.CodeAnalysis;
using StreamMetrics.Contracts;

namespace StreamMetrics.Archiver.Sink;

/// <summary>The windows that are stored, with their lengths.</summary>
static class WindowLengths
{
    static readonly Dictionary<string, long> All = new()
    {
        [WindowNames.OneMinute] = 60_000,
        [WindowNames.FiveMinutes] = 300_000,
        [WindowNames.FifteenMinutes] = 900_000,
    };

    /// <summary>Length of a window in ms.</summary>
    public static long Milliseconds(string window) => All[window];

    /// <summary>Length of a window in ms, if it is one that is stored.</summary>
    public static bool TryGetMilliseconds([NotNullWhen(true)] string? window, out long length)
    {
        length = 0;
        return window is not null && All.TryGetValue(window, out length);
    }
}
