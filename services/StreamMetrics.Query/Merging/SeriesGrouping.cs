using StreamMetrics.Contracts;
using StreamMetrics.Query.Model;
using StreamMetrics.Query.Stores;
using StreamMetrics.Sketches;

namespace StreamMetrics.Query.Merging;

/// <summary>Sorts stored windows into the groups and steps of a series question.</summary>
/// <param name="query">The question.</param>
/// <param name="closedUntil">Spans that end here (ms since the epoch) or before are closed.</param>
sealed class SeriesGrouping(SeriesQuery query, long closedUntil)
{
    readonly Dictionary<string, Group> _groups = new(StringComparer.Ordinal);
    readonly ExponentialHistogram _scratch = new();

    // Windows of one series often come one after the other and share their tags.
    IReadOnlyDictionary<string, string>? _lastTags;
    Group? _lastGroup;

    sealed class Group(IReadOnlyDictionary<string, string> tags)
    {
        public IReadOnlyDictionary<string, string> Tags { get; } = tags;

        public SortedDictionary<long, WindowMerge> Points { get; } = [];
    }

    public int Count => _groups.Count;

    public void Add(StoredWindow window)
    {
        var group = GroupOf(window.Value);
        var start = window.Value.Start - (window.Value.Start % query.StepMs);
        if (!group.Points.TryGetValue(start, out var point)) group.Points[start] = point = new(_scratch);
        point.Add(window);
    }

    /// <summary>The series by their group's values, points by start.</summary>
    public IReadOnlyList<SeriesAnswer> ToAnswers() =>
    [
        .. _groups.Values.OrderBy(SortKey, StringComparer.Ordinal)
            .Select(g => new SeriesAnswer { Tags = g.Tags, Points = Points(g) })
            .Where(s => s.Points.Count > 0),
    ];

    Group GroupOf(Aggregate value)
    {
        if (_lastGroup is not null && ReferenceEquals(value.Tags, _lastTags)) return _lastGroup;
        var tags = TagsOf(value);
        var key = TagsHash.Compute(tags);
        if (!_groups.TryGetValue(key, out var group)) _groups[key] = group = new(tags);
        (_lastTags, _lastGroup) = (value.Tags, group);
        return group;
    }

    List<AggregateAnswer> Points(Group group)
    {
        var points = new List<AggregateAnswer>(group.Points.Count);
        foreach (var (start, merge) in group.Points)
        {
            var end = start + Math.Max(query.StepMs, 0);
            if (query.Window.IsSliding) end = start + query.Window.SizeMs;
            var answer = merge.ToAnswer(new(query.IsTotal ? AggregateScope.Total : AggregateScope.Series, group.Tags, query.StepName, start, end,
                end <= closedUntil, query.Percentiles, query.IncludeSketch));
            if (answer.Final || query.IncludeProvisional) points.Add(answer);
        }

        return points;
    }

    // what was asked for: the filter, and the groupBy values of those tags that the series has
    Dictionary<string, string> TagsOf(Aggregate value)
    {
        var tags = new Dictionary<string, string>(query.Selector.Tags, StringComparer.Ordinal);
        foreach (var key in query.GroupBy)
        {
            if (value.Tags.TryGetValue(key, out var text)) tags[key] = text;
        }

        return tags;
    }

    string SortKey(Group group) => string.Join('\u0001', query.GroupBy.Select(k => group.Tags.GetValueOrDefault(k, "")));
}
