using System.Globalization;

namespace StreamMetrics.Query.Model;

/// <summary>Durations as they stand in parameters: <c>90s</c>, <c>5m</c>, <c>1h</c>, <c>1d</c> or milliseconds.</summary>
static class Durations
{
    static readonly (string Suffix, long Ms)[] Units = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

    /// <summary>Largest duration, ms: ten years. Keeps sums of times and durations far from overflow.</summary>
    public const long MaxMs = 3_660L * 86_400_000;

    public static bool TryParse(string text, out long ms)
    {
        var unit = Units.FirstOrDefault(u => text.EndsWith(u.Suffix, StringComparison.Ordinal));
        var digits = unit.Suffix is null ? text : text[..^unit.Suffix.Length];
        ms = 0;
        if (!long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return false;
        var scale = unit.Suffix is null ? 1 : unit.Ms;
        if (number > MaxMs / scale) return false;
        ms = number * scale;
        return true;
    }

    public static string Format(long ms)
    {
        var (suffix, unit) = Units.Last(u => ms % u.Ms == 0);
        return (ms / unit).ToString(CultureInfo.InvariantCulture) + suffix;
    }
}
