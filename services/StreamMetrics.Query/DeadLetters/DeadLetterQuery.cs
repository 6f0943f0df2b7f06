using System.Globalization;
using StreamMetrics.Contracts;
using StreamMetrics.Query.Input;

namespace StreamMetrics.Query.DeadLetters;

/// <summary>A topic of events that were put aside.</summary>
/// <param name="Name">Its name in the API.</param>
/// <param name="Topic">Its name in Kafka.</param>
sealed record DeadLetterTopic(string Name, string Topic)
{
    public static readonly DeadLetterTopic DeadLetter = new("dead-letter", Topics.DeadLetter);
    public static readonly DeadLetterTopic Late = new("late", Topics.Late);

    public int Partitions => Topics.All.Single(t => t.Name == Topic).Partitions;

    public static DeadLetterTopic Read(ParameterReader p) => p.Choice("topic", DeadLetter.Name, DeadLetter.Name, Late.Name) == Late.Name ? Late : DeadLetter;
}

/// <summary>Which events to show: the newest that match, older than the cursor.</summary>
/// <param name="Topic">Where to look.</param>
/// <param name="Reason">Reason code, or any.</param>
/// <param name="ServiceId">Key, or any.</param>
/// <param name="From">First time of putting aside, ms since the epoch.</param>
/// <param name="To">Last time, exclusive.</param>
/// <param name="Before">Offset by partition that the page ends before; null for the newest page.</param>
/// <param name="Limit">Most events of a page.</param>
sealed record DeadLetterQuery(DeadLetterTopic Topic, string? Reason, string? ServiceId, long? From, long? To, IReadOnlyList<long>? Before, int Limit)
{
    const int MaxLimit = 200;
    const int DefaultLimit = 50;

    public static DeadLetterQuery Read(ParameterReader p)
    {
        var topic = DeadLetterTopic.Read(p);
        var service = p.Text("serviceId") is { } name ? p.ServiceId(name) : null;
        var from = p.Time("from", -1);
        var to = p.Time("to", -1);
        if (from >= 0 && to >= 0 && from >= to) p.Fail("from", p.Text("from"), "must be before 'to'");
        var query = new DeadLetterQuery(topic, ReasonOf(p), service, from < 0 ? null : from, to < 0 ? null : to, Cursor(p, topic), p.Integer("limit", DefaultLimit, 1, MaxLimit));
        p.ThrowIfInvalid();
        return query;
    }

    /// <summary>Partition and offset of one event, from a path.</summary>
    public static (DeadLetterTopic Topic, int Partition, long Offset) ReadPosition(ParameterReader p, string partition, string offset)
    {
        var topic = DeadLetterTopic.Read(p);
        if (!int.TryParse(partition, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number >= topic.Partitions)
            p.Fail("partition", partition, string.Create(CultureInfo.InvariantCulture, $"must be from 0 to {topic.Partitions - 1}"));
        if (!long.TryParse(offset, NumberStyles.None, CultureInfo.InvariantCulture, out var position)) p.Fail("offset", offset, "must be an integer from 0");
        p.ThrowIfInvalid();
        return (topic, number, position);
    }

    public static string ToCursor(IEnumerable<long> before) => string.Join('-', before.Select(o => o.ToString(CultureInfo.InvariantCulture)));

    static string? ReasonOf(ParameterReader p)
    {
        if (p.Text("reason") is not { } reason) return null;
        if (reason.Length <= 64 && reason.All(c => char.IsAsciiLetterLower(c) || c == '-')) return reason;
        p.Fail("reason", reason, "must be a reason code such as invalid-field: up to 64 characters of a-z and -");
        return null;
    }

    static long[]? Cursor(ParameterReader p, DeadLetterTopic topic)
    {
        if (p.Text("before") is not { } text) return null;
        var parts = text.Split('-');
        var offsets = new long[parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            if (parts.Length == topic.Partitions && long.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out offsets[i])) continue;
            p.Fail("before", text, "must be the 'next' of the page before");
            return null;
        }

        return offsets;
    }
}
