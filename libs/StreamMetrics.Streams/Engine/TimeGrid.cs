using System.Globalization;

namespace StreamMetrics.Streams;

/// <summary>A tumbling window size in numbers.</summary>
/// <param name="Name">Its name.</param>
/// <param name="NameBytes">Its name in UTF-8.</param>
/// <param name="Size">Length, ms.</param>
/// <param name="Slots">How many windows of the size can be open at once, so that window n lives in slot n mod Slots.</param>
sealed record WindowSize(string Name, byte[] NameBytes, long Size, int Slots);

/// <summary>Panes and windows in numbers: pane n is [n·Pane, (n+1)·Pane) of event time, ms since the epoch. All times are ≥ 0.</summary>
sealed class TimeGrid
{
    public TimeGrid(EngineOptions options)
    {
        Pane = Milliseconds(options.Pane);
        Grace = Milliseconds(options.Grace);
        Sliding = options.SlidingName.Length == 0 ? 0 : Milliseconds(options.SlidingSize);
        SlidingName = options.SlidingName;
        SlidingNameBytes = System.Text.Encoding.UTF8.GetBytes(SlidingName);
        MaxFuture = Milliseconds(options.MaxFuture);
        MaxAge = Milliseconds(options.MaxAge);
        Horizon = Milliseconds(options.CorrectionHorizon);
        PaneSlots = PaneSlotsOf(options);
        Windows = [.. options.EffectiveWindows.Select(w =>
            new WindowSize(w.Name, System.Text.Encoding.UTF8.GetBytes(w.Name), Milliseconds(w.Size), (int)((MaxFuture + Grace) / Milliseconds(w.Size)) + 2))];
        Layout = string.Create(
            CultureInfo.InvariantCulture,
            $"Pane {options.Pane}, Grace {options.Grace}, MaxFuture {options.MaxFuture}, SlidingSize {options.SlidingSize}, Windows {string.Join(", ", Windows.Select(w => $"{w.Name} {w.Size} ms"))}");
    }

    /// <summary>The options that decide what the state's records mean; a state written with others cannot be read.</summary>
    public string Layout { get; }

    public long Pane { get; }

    public long Grace { get; }

    /// <summary>Length of the sliding window; 0 when there is none.</summary>
    public long Sliding { get; }

    public string SlidingName { get; }

    public byte[] SlidingNameBytes { get; }

    public long MaxFuture { get; }

    public long MaxAge { get; }

    public long Horizon { get; }

    public int PaneSlots { get; }

    public WindowSize[] Windows { get; }

    /// <summary>Panes that can be kept at once: from the oldest one that is open or in the sliding window to the newest of the allowed future.</summary>
    public static int PaneSlotsOf(EngineOptions options)
    {
        var pane = Milliseconds(options.Pane);
        var kept = Math.Max(Milliseconds(options.Grace), options.SlidingName.Length == 0 ? 0 : Milliseconds(options.SlidingSize));
        return (int)((Milliseconds(options.MaxFuture) + kept + pane - 1) / pane) + 3;
    }

    /// <summary>Number of the newest pane that is closed at a watermark: its end + grace is reached.</summary>
    public long ClosedPane(long watermark) => FloorDivide(watermark - Grace, Pane) - 1;

    /// <summary>Whether a window that ends at <paramref name="end"/> is final.</summary>
    public bool IsFinal(long end, long watermark) => watermark >= end + Grace;

    static long FloorDivide(long value, long divisor) => value >= 0 ? value / divisor : -((divisor - 1 - value) / divisor);

    static long Milliseconds(TimeSpan time) => (long)time.TotalMilliseconds;
}
