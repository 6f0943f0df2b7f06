using System.Globalization;

namespace StreamMetrics.Streams;

/// <summary>The rules of <see cref="EngineOptions"/>, one message per broken one.</summary>
sealed class EngineOptionsChecks(EngineOptions options, string section)
{
    const int MaxWindows = 8;
    const int MaxSlidingPanes = 64;
    const int MaxPaneSlots = 128;
    const int MaxNameLength = 16;

    readonly List<string> _errors = [];

    public IReadOnlyList<string> Run()
    {
        Span("Pane", options.Pane, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
        if (options.Pane > TimeSpan.Zero && (options.Pane.Ticks % TimeSpan.TicksPerSecond != 0 || TimeSpan.TicksPerMinute % options.Pane.Ticks != 0))
        {
            Add("Pane", options.Pane, "must be whole seconds that divide a minute");
        }

        Span("Grace", options.Grace, TimeSpan.Zero, TimeSpan.FromMinutes(5));
        Span("MaxFuture", options.MaxFuture, TimeSpan.Zero, TimeSpan.FromMinutes(10));
        Span("CorrectionHorizon", options.CorrectionHorizon, options.Grace, TimeSpan.FromDays(30));
        Span("MaxAge", options.MaxAge, options.CorrectionHorizon, TimeSpan.FromDays(365));
        Span("ReplayRetention", options.ReplayRetention, TimeSpan.FromMinutes(1), TimeSpan.FromDays(365));
        Number("MaxSeriesPerService", options.MaxSeriesPerService, 1, 1_000_000);
        Number("MaxSeriesPerPartition", options.MaxSeriesPerPartition, 1, 10_000_000);
        Number("InputPartitions", options.InputPartitions, 0, 100_000);
        CheckWindows();
        CheckSliding();
        CheckGroupBy();
        if (_errors.Count == 0 && TimeGrid.PaneSlotsOf(options) > MaxPaneSlots)
        {
            Add("Pane", options.Pane, $"is too short: MaxFuture and SlidingSize together may span at most {MaxPaneSlots - 3} panes");
        }

        return _errors;
    }

    void CheckWindows()
    {
        if (options.Windows.Count > MaxWindows) Add("Windows", options.Windows.Count, $"at most {MaxWindows} window sizes");
        for (var i = 0; i < options.Windows.Count; i++)
        {
            var window = options.Windows[i];
            Name($"Windows:{i}:Name", window.Name);
            Span($"Windows:{i}:Size", window.Size, options.Pane, TimeSpan.FromDays(1));
            Multiple($"Windows:{i}:Size", window.Size);
            if (options.Windows.Take(i).Any(w => w.Name == window.Name || w.Size == window.Size)) Add($"Windows:{i}", window.Name, "name or size appears twice");
        }
    }

    void CheckSliding()
    {
        if (options.SlidingName.Length == 0) return;
        Name("SlidingName", options.SlidingName);
        if (options.EffectiveWindows.Any(w => w.Name == options.SlidingName)) Add("SlidingName", options.SlidingName, "is the name of a tumbling window");
        Span("SlidingSize", options.SlidingSize, options.Pane, options.Pane * MaxSlidingPanes);
        Multiple("SlidingSize", options.SlidingSize);
    }

    void CheckGroupBy()
    {
        foreach (var (metric, tags) in options.GroupBy)
        {
            if (tags.Count > Contracts.EventLimits.MaxTags) Add($"GroupBy:{metric}", tags.Count, $"at most {Contracts.EventLimits.MaxTags} tags");
            if (tags.Exists(string.IsNullOrEmpty)) Add($"GroupBy:{metric}", "", "a tag's name must not be empty");
        }
    }

    void Name(string key, string name)
    {
        if (name.Length is < 1 or > MaxNameLength || !name.All(c => char.IsAsciiLetterOrDigit(c) || c == '-'))
        {
            Add(key, name, $"must be 1-{MaxNameLength} characters of A-Z a-z 0-9 -");
        }
    }

    void Multiple(string key, TimeSpan size)
    {
        if (options.Pane > TimeSpan.Zero && size.Ticks % options.Pane.Ticks != 0) Add(key, size, $"must be a multiple of the pane, {options.Pane}");
    }

    void Span(string key, TimeSpan value, TimeSpan min, TimeSpan max)
    {
        if (value < min || value > max) Add(key, value, $"must be {min} to {max}");
        else if (value.Ticks % TimeSpan.TicksPerMillisecond != 0) Add(key, value, "must be whole milliseconds");
    }

    void Number(string key, int value, int min, int max)
    {
        if (value < min || value > max) Add(key, value, string.Create(CultureInfo.InvariantCulture, $"must be {min} to {max}"));
    }

    void Add(string key, object value, string rule) =>
        _errors.Add(string.Create(CultureInfo.InvariantCulture, $"{section}:{key} is '{value}': {rule}."));
}
