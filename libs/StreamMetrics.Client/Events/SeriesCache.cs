using System.Collections.Concurrent;

namespace StreamMetrics.Client.Events;

/// <summary>What identifies a series where it is recorded: nothing is copied or turned into text to look it up.</summary>
readonly ref struct SeriesProbe(object? owner, string name, string? unit, string? type, ReadOnlySpan<KeyValuePair<string, object?>> tags)
{
    /// <summary>The instrument, whose running figures are its own; null for raw events.</summary>
    public readonly object? Owner = owner;
    public readonly string Name = name;
    public readonly string? Unit = unit;
    public readonly string? Type = type;
    public readonly ReadOnlySpan<KeyValuePair<string, object?>> Tags = tags;
}

/// <summary>The same, kept. Tag sets of another order are another key: sorting would cost more than the few entries.</summary>
sealed record SeriesKey(object? Owner, string Name, string? Unit, string? Type, KeyValuePair<string, object?>[] Tags);

/// <summary>The series that were seen, up to a limit. Any thread.</summary>
sealed class SeriesCache(EventSource source, int limit)
{
    readonly ConcurrentDictionary<SeriesKey, Series> _series = new(new Comparer());
    int _count;

    public int Count => Volatile.Read(ref _count);

    /// <summary>The series; one that is not kept, for the cache is full, is made anew each time.</summary>
    /// <param name="probe">What identifies it.</param>
    /// <param name="isKept">Whether it will be the same object next time.</param>
    public Series Get(in SeriesProbe probe, out bool isKept)
    {
        isKept = true;
        if (_series.GetAlternateLookup<SeriesProbe>().TryGetValue(probe, out var series)) return series;
        series = Series.Create(source, probe.Name, probe.Unit, probe.Type, probe.Tags);
        if (Interlocked.Increment(ref _count) > limit)
        {
            Interlocked.Decrement(ref _count);
            isKept = false;
            return series;
        }

        var key = new SeriesKey(probe.Owner, probe.Name, probe.Unit, probe.Type, probe.Tags.ToArray());
        if (_series.TryAdd(key, series)) return series;
        Interlocked.Decrement(ref _count);
        return _series[key];
    }

    /// <summary>The kept series of an instrument.</summary>
    public IEnumerable<KeyValuePair<SeriesKey, Series>> Owned => _series.Where(s => s.Key.Owner is not null);

    sealed class Comparer : IEqualityComparer<SeriesKey>, IAlternateEqualityComparer<SeriesProbe, SeriesKey>
    {
        public bool Equals(SeriesKey? x, SeriesKey? y) => x is null ? y is null : y is not null && Equals(Probe(x), y);

        public int GetHashCode(SeriesKey key) => GetHashCode(Probe(key));

        public SeriesKey Create(SeriesProbe probe) => new(probe.Owner, probe.Name, probe.Unit, probe.Type, probe.Tags.ToArray());

        public bool Equals(SeriesProbe probe, SeriesKey key)
        {
            if (!ReferenceEquals(probe.Owner, key.Owner) || probe.Tags.Length != key.Tags.Length) return false;
            if (probe.Name != key.Name || probe.Unit != key.Unit || probe.Type != key.Type) return false;
            for (var i = 0; i < key.Tags.Length; i++)
            {
                if (probe.Tags[i].Key != key.Tags[i].Key || !Equals(probe.Tags[i].Value, key.Tags[i].Value)) return false;
            }

            return true;
        }

        public int GetHashCode(SeriesProbe probe)
        {
            var hash = new HashCode();
            hash.Add(probe.Name);
            foreach (var (key, value) in probe.Tags)
            {
                hash.Add(key);
                hash.Add(value);
            }

            return hash.ToHashCode();
        }

        static SeriesProbe Probe(SeriesKey key) => new(key.Owner, key.Name, key.Unit, key.Type, key.Tags);
    }
}
