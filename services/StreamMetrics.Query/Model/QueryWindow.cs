using System.Collections.Frozen;
using StreamMetrics.Contracts;

namespace StreamMetrics.Query.Model;

/// <summary>A window size that can be asked for.</summary>
/// <param name="Name">Its name in APIs, Redis keys and tables.</param>
/// <param name="SizeMs">Its length, ms.</param>
/// <param name="AdvanceMs">Distance between the starts of neighbours, ms; less than the length for a sliding window.</param>
/// <param name="IsHot">Whether Redis has its current value and its last hour.</param>
sealed record QueryWindow(string Name, long SizeMs, long AdvanceMs, bool IsHot)
{
    public const string OneHour = "1h";
    public const string OneDay = "1d";

    static readonly QueryWindow[] Windows =
    [
        new(WindowNames.SlidingMinute, 60_000, 10_000, IsHot: true),
        new(WindowNames.OneMinute, 60_000, 60_000, IsHot: true),
        new(WindowNames.FiveMinutes, 300_000, 300_000, IsHot: true),
        new(WindowNames.FifteenMinutes, 900_000, 900_000, IsHot: true),
        new(OneHour, 3_600_000, 3_600_000, IsHot: false),
        new(OneDay, 86_400_000, 86_400_000, IsHot: false),
    ];

    static readonly FrozenDictionary<string, QueryWindow> ByName = Windows.ToFrozenDictionary(w => w.Name, StringComparer.Ordinal);

    /// <summary>Every window, from the smallest.</summary>
    public static IReadOnlyList<QueryWindow> All => Windows;

    /// <summary>The names, for messages and documentation.</summary>
    public static string Names { get; } = string.Join(", ", Windows.Select(w => w.Name));

    public static QueryWindow OneMinute => ByName[WindowNames.OneMinute];

    /// <summary>Sliding windows overlap: they are never merged over time.</summary>
    public bool IsSliding => AdvanceMs != SizeMs;

    public static QueryWindow? Find(string name) => ByName.GetValueOrDefault(name);

    /// <summary>
    /// The tumbling windows of which a step can be put together, from the largest: a step of 1 h can come from 1 h, 15 m, 5 m and 1 m.
    /// </summary>
    public static IReadOnlyList<QueryWindow> PartsOf(long stepMs) =>
        [.. Windows.Where(w => !w.IsSliding && w.SizeMs <= stepMs && stepMs % w.SizeMs == 0).Reverse()];
}
