using System.Buffers;
using System.Collections;
using System.Globalization;
using StreamMetrics.Contracts;

namespace StreamMetrics.Client.Events;

/// <summary>
/// Makes whatever the caller gives fit the limits of an event (<see cref="EventLimits"/>) by fixed rules, the same input always the same way:
/// characters a name may not have become <c>_</c>, what is too long is cut, of too many tags those with the smallest keys (ordinal) stay.
/// </summary>
static class EventText
{
    const string NoUnit = "1";
    const string UnknownType = MetricTypes.Custom;

    static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/-");

    static readonly SearchValues<char> TypeCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

    /// <summary>The metric's name; <paramref name="changed"/> is set when it had to be changed.</summary>
    public static string Name(string name, ref bool changed)
    {
        var cut = Cut(name, EventLimits.MaxMetricNameLength, ref changed);
        if (!cut.AsSpan().ContainsAnyExcept(NameCharacters)) return cut;
        changed = true;
        return string.Create(cut.Length, cut, (target, source) =>
        {
            for (var i = 0; i < target.Length; i++) target[i] = NameCharacters.Contains(source[i]) ? source[i] : '_';
        });
    }

    /// <summary>The unit; an empty one is <c>1</c>.</summary>
    public static string Unit(string? unit, ref bool changed) =>
        string.IsNullOrEmpty(unit) ? NoUnit : Cut(unit, EventLimits.MaxUnitLength, ref changed);

    /// <summary>The type; what is none becomes CUSTOM.</summary>
    public static string Type(string? type, ref bool changed)
    {
        if (type is { Length: > 0 and <= EventLimits.MaxMetricTypeLength } && char.IsAsciiLetterUpper(type[0]) && !type.AsSpan().ContainsAnyExcept(TypeCharacters))
            return type;
        changed = true;
        return UnknownType;
    }

    /// <summary>
    /// The tags as text, by key. A tag without key or without value is none, as in OpenTelemetry; of two with one key the last counts; the
    /// tags every event has stand back behind the event's own.
    /// </summary>
    public static SortedDictionary<string, string> Tags(
        ReadOnlySpan<KeyValuePair<string, object?>> tags, IEnumerable<KeyValuePair<string, string>> common, ref bool changed)
    {
        var all = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in common) Add(all, key, value, ref changed);
        foreach (var (key, value) in tags) Add(all, key, value, ref changed);
        while (all.Count > EventLimits.MaxTags)
        {
            changed = true;
            all.Remove(all.Keys.Last());
        }

        return all;
    }

    static void Add(SortedDictionary<string, string> all, string? key, object? value, ref bool changed)
    {
        if (string.IsNullOrEmpty(key) || value is null) return;
        all[Cut(key, EventLimits.MaxTagKeyLength, ref changed)] = Cut(Text(value), EventLimits.MaxTagValueLength, ref changed);
    }

    static string Text(object value) => value switch
    {
        string text => text,
        bool flag => flag ? "true" : "false",
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        IEnumerable items => $"[{string.Join(',', items.Cast<object?>().Select(item => item is null ? "null" : Text(item)))}]",
        _ => value.ToString() ?? "",
    };

    static string Cut(string text, int length, ref bool changed)
    {
        if (text.Length <= length) return text;
        changed = true;
        return text[..(char.IsHighSurrogate(text[length - 1]) ? length - 1 : length)];
    }
}
