namespace StreamMetrics.LoadGenerator.Sending;

/// <summary>What the system is expected to do with an event. The numbers are part of eventIds: never reuse one.</summary>
enum EventKind
{
    /// <summary>Counted in its windows.</summary>
    Valid = 0,

    /// <summary>Dead-lettered.</summary>
    Invalid = 1,

    /// <summary>Late within the correction horizon: counted in its windows, as a correction.</summary>
    Corrected = 2,

    /// <summary>Late beyond the correction horizon: in no window.</summary>
    BeyondHorizon = 3,

    /// <summary>A second copy of an event, known by its metadata, not by its id: in no window again.</summary>
    Duplicate = 4,
}
