using StreamMetrics.Contracts;
using StreamMetrics.Query.Model;

namespace StreamMetrics.Query.Live;

/// <summary>What a subscriber wants: the total when there are no tags, else each series that carries all of them, by itself.</summary>
sealed record LiveFilter(SeriesSelector Selector, QueryWindow Window)
{
    public bool IsTotal => Selector.Tags.Count == 0;

    public bool Matches(Aggregate value)
    {
        if (value.Window != Window.Name || value.MetricName != Selector.MetricName || (value.Scope == AggregateScope.Total) != IsTotal) return false;
        foreach (var (key, text) in Selector.Tags)
        {
            if (!value.Tags.TryGetValue(key, out var actual) || actual != text) return false;
        }

        return true;
    }
}

/// <summary>A value on its way to subscribers.</summary>
/// <param name="Series">Which series it is of; a newer value of the same one replaces it.</param>
/// <param name="Json">The answer as UTF-8 JSON, made once for all subscribers.</param>
sealed record LiveValue(string Series, byte[] Json);
