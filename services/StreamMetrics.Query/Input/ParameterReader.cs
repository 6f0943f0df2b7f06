using System.Buffers;
using System.Globalization;
using Microsoft.Extensions.Primitives;
using StreamMetrics.Contracts;
using StreamMetrics.Query.Model;

namespace StreamMetrics.Query.Input;

/// <summary>
/// Reads named text parameters and collects everything that is wrong with them, so that the caller learns all of it at once. After the
/// last parameter call <see cref="ThrowIfInvalid"/>; until then a wrong one has a harmless value.
/// </summary>
sealed class ParameterReader(IEnumerable<KeyValuePair<string, StringValues>> given)
{
    const int MaxEchoedLength = 100;
    const string TagPrefix = "tags.";

    // 1970-01-01 and 2200-01-01: far beyond every stored time, far from the limits of the date types
    const long MaxTimeMs = 7_258_118_400_000;

    static readonly SearchValues<char> ServiceIdCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    static readonly SearchValues<char> MetricNameCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/");

    readonly Dictionary<string, StringValues> _given = new(given, StringComparer.OrdinalIgnoreCase);
    readonly HashSet<string> _known = new(StringComparer.OrdinalIgnoreCase);
    readonly List<FieldError> _errors = [];
    bool _tagsKnown;

    public void Fail(string field, string? value, string rule) =>
        _errors.Add(new(field, value is { Length: > MaxEchoedLength } ? value[..MaxEchoedLength] + "…" : value, rule));

    /// <exception cref="InvalidRequestException">Something was wrong, or a parameter was given that nobody asked for.</exception>
    public void ThrowIfInvalid()
    {
        foreach (var (name, value) in _given)
        {
            if (_known.Contains(name) || (_tagsKnown && IsTag(name))) continue;
            var known = _known.Concat(_tagsKnown ? [TagPrefix + "*"] : []).ToList();
            Fail(name, value, known.Count == 0 ? "is not a parameter here; there is none" : $"is not a parameter here; there are {string.Join(", ", known)}");
        }

        if (_errors.Count > 0) throw new InvalidRequestException(_errors);
    }

    /// <summary>A parameter's text; null when it is absent or empty.</summary>
    public string? Text(string name)
    {
        _known.Add(name);
        if (!_given.TryGetValue(name, out var values)) return null;
        if (values.Count > 1) Fail(name, values, "may be given once");
        return string.IsNullOrEmpty(values[0]) ? null : values[0];
    }

    public string ServiceId(string? value) =>
        Name("serviceId", value, EventLimits.MaxServiceIdLength, ServiceIdCharacters, "A-Z a-z 0-9 . _ -");

    public string MetricName(string field, string? value) =>
        Name(field, value, EventLimits.MaxMetricNameLength, MetricNameCharacters, "A-Z a-z 0-9 . _ - /");

    public QueryWindow Window(string fallback = WindowNames.OneMinute)
    {
        var text = Text("window") ?? fallback;
        if (QueryWindow.Find(text) is { } window) return window;
        Fail("window", text, $"must be one of {QueryWindow.Names}");
        return QueryWindow.OneMinute;
    }

    /// <summary>A time as ISO 8601 (UTC unless it says otherwise) or ms since the epoch.</summary>
    public long Time(string name, long fallback)
    {
        const string Rule = "must be ISO 8601 (2026-02-07T00:00:00Z; a '+' is written %2B) or ms since the epoch, from 1970 to 2199";
        if (Text(name) is not { } text) return fallback;
        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var ms))
        {
            if (!DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) || !char.IsAsciiDigit(text[0]))
            {
                Fail(name, text, Rule);
                return fallback;
            }

            ms = time.ToUnixTimeMilliseconds();
        }

        if (ms is >= 0 and < MaxTimeMs) return ms;
        Fail(name, text, Rule);
        return fallback;
    }

    public long Duration(string name, long fallback)
    {
        if (Text(name) is not { } text) return fallback;
        if (Durations.TryParse(text, out var ms) && ms > 0) return ms;
        Fail(name, text, "must be a positive duration such as 30s, 5m, 1h, 1d, or milliseconds, at most ten years");
        return fallback;
    }

    public int Integer(string name, int fallback, int min, int max)
    {
        if (Text(name) is not { } text) return fallback;
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= min && value <= max) return value;
        Fail(name, text, string.Create(CultureInfo.InvariantCulture, $"must be an integer from {min} to {max}"));
        return fallback;
    }

    /// <summary>The parts of a comma-separated list, without repetitions.</summary>
    public IReadOnlyList<string> List(string name, int max)
    {
        if (Text(name) is not { } text) return [];
        string[] parts = [.. text.Split(',', StringSplitOptions.TrimEntries).Distinct(StringComparer.Ordinal)];
        if (parts.Length <= max) return parts;
        Fail(name, text, string.Create(CultureInfo.InvariantCulture, $"must list at most {max} values"));
        return [];
    }

    /// <summary>One of <paramref name="choices"/>, which are lower case.</summary>
    public string Choice(string name, string fallback, params ReadOnlySpan<string> choices)
    {
        if (Text(name) is not { } text) return fallback;
        foreach (var choice in choices)
        {
            if (string.Equals(choice, text, StringComparison.Ordinal)) return choice;
        }

        Fail(name, text, $"must be one of {string.Join(", ", choices!)}");
        return fallback;
    }

    /// <summary>Which of <paramref name="choices"/> the list <c>include</c> names.</summary>
    public IReadOnlyList<string> Include(params ReadOnlySpan<string> choices)
    {
        var parts = List("include", 10);
        foreach (var part in parts)
        {
            if (!choices.Contains(part)) Fail("include", part, $"must list some of {string.Join(", ", choices!)}");
        }

        return parts;
    }

    public IReadOnlyList<double> Percentiles(int max)
    {
        var parts = List("percentiles", max);
        var numbers = new List<double>(parts.Count);
        foreach (var part in parts)
        {
            if (double.TryParse(part, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var p) && p is >= 0 and <= 100) numbers.Add(p);
            else Fail("percentiles", part, "must list numbers from 0 to 100");
        }

        return numbers;
    }

    public IReadOnlyList<string> GroupBy(int max)
    {
        var keys = List("groupBy", max);
        foreach (var key in keys) CheckTagKey("groupBy", key);
        return keys;
    }

    /// <summary>Every <c>tags.key=value</c>.</summary>
    public IReadOnlyDictionary<string, string> Tags()
    {
        _tagsKnown = true;
        var tags = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, values) in _given)
        {
            if (!IsTag(name)) continue;
            var key = name[TagPrefix.Length..];
            CheckTagKey(name, key);
            if (values.Count > 1) Fail(name, values, "may be given once");
            tags[key] = CheckTagValue(name, values[0] ?? "");
        }

        if (tags.Count > EventLimits.MaxTags) Fail("tags", null, $"there may be at most {EventLimits.MaxTags}");
        return tags;
    }

    static bool IsTag(string name) => name.StartsWith(TagPrefix, StringComparison.Ordinal);

    // U+0000 is no text for PostgreSQL, so no stored tag has it
    void CheckTagKey(string field, string key)
    {
        if (key.Length is 0 or > EventLimits.MaxTagKeyLength || key.Contains('\0'))
            Fail(field, key, $"must name a tag of 1 to {EventLimits.MaxTagKeyLength} characters, none of them U+0000");
    }

    string CheckTagValue(string field, string value)
    {
        if (value.Length > EventLimits.MaxTagValueLength || value.Contains('\0'))
            Fail(field, value, $"must have at most {EventLimits.MaxTagValueLength} characters, none of them U+0000");
        return value;
    }

    string Name(string field, string? value, int maxLength, SearchValues<char> allowed, string allowedText)
    {
        if (value is { Length: > 0 } && value.Length <= maxLength && !value.AsSpan().ContainsAnyExcept(allowed)) return value;
        Fail(field, value, $"must have 1 to {maxLength} characters of {allowedText}");
        return "";
    }
}
