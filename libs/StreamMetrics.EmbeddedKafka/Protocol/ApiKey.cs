namespace StreamMetrics.EmbeddedKafka;

/// <summary>The requests this broker answers.</summary>
internal enum ApiKey : short
{
    Produce = 0,
    Fetch = 1,
    ListOffsets = 2,
    Metadata = 3,
    OffsetCommit = 8,
    OffsetFetch = 9,
    FindCoordinator = 10,
    JoinGroup = 11,
    Heartbeat = 12,
    LeaveGroup = 13,
    SyncGroup = 14,
    DescribeGroups = 15,
    ListGroups = 16,
    ApiVersions = 18,
    CreateTopics = 19,
    DeleteTopics = 20,
    DeleteRecords = 21,
    InitProducerId = 22,
    OffsetForLeaderEpoch = 23,
    AddPartitionsToTxn = 24,
    AddOffsetsToTxn = 25,
    EndTxn = 26,
    TxnOffsetCommit = 28,
    DescribeConfigs = 32,
    AlterConfigs = 33,
    CreatePartitions = 37,
    DeleteGroups = 42,
    IncrementalAlterConfigs = 44,
    OffsetDelete = 47,
    DescribeCluster = 60,
}

/// <summary>The versions of one request: those served, and from which one on compact types and tagged fields are used.</summary>
internal readonly record struct ApiRange(ApiKey Key, short Min, short Max, short FlexibleFrom)
{
    public bool Serves(short version) => version >= Min && version <= Max;

    /// <summary>
    /// The lowest version announced. Produce is announced from 0 though 0-2 are refused: librdkafka before 2.11 sends uncompressed data
    /// to a broker whose range does not include 0 (KAFKA-18659).
    /// </summary>
    public short AnnouncedMin => Key == ApiKey.Produce ? (short)0 : Min;
}

/// <summary>All served requests; ApiVersions announces exactly this table.</summary>
internal static class ApiTable
{
    const short Never = short.MaxValue;

    public static readonly ApiRange[] All =
    [
        new(ApiKey.Produce, 3, 11, 9),
        new(ApiKey.Fetch, 4, 16, 12),
        new(ApiKey.ListOffsets, 1, 8, 6),
        new(ApiKey.Metadata, 0, 12, 9),
        new(ApiKey.OffsetCommit, 2, 9, 8),
        new(ApiKey.OffsetFetch, 1, 9, 6),
        new(ApiKey.FindCoordinator, 0, 4, 3),
        new(ApiKey.JoinGroup, 0, 9, 6),
        new(ApiKey.Heartbeat, 0, 4, 4),
        new(ApiKey.LeaveGroup, 0, 5, 4),
        new(ApiKey.SyncGroup, 0, 5, 4),
        new(ApiKey.DescribeGroups, 0, 5, 5),
        new(ApiKey.ListGroups, 0, 5, 3),
        new(ApiKey.ApiVersions, 0, 4, 3),
        new(ApiKey.CreateTopics, 2, 7, 5),
        new(ApiKey.DeleteTopics, 1, 6, 4),
        new(ApiKey.DeleteRecords, 0, 2, 2),
        new(ApiKey.InitProducerId, 0, 4, 2),
        new(ApiKey.OffsetForLeaderEpoch, 2, 4, 4),
        new(ApiKey.AddPartitionsToTxn, 0, 3, 3),
        new(ApiKey.AddOffsetsToTxn, 0, 3, 3),
        new(ApiKey.EndTxn, 0, 3, 3),
        new(ApiKey.TxnOffsetCommit, 0, 3, 3),
        new(ApiKey.DescribeConfigs, 1, 4, 4),
        new(ApiKey.AlterConfigs, 0, 2, 2),
        new(ApiKey.CreatePartitions, 0, 3, 2),
        new(ApiKey.DeleteGroups, 0, 2, 2),
        new(ApiKey.IncrementalAlterConfigs, 0, 1, 1),
        new(ApiKey.OffsetDelete, 0, 0, Never),
        new(ApiKey.DescribeCluster, 0, 1, 0),
    ];

    static readonly ApiRange?[] ByKey = Index();

    /// <summary>The range of a key, or null when the request is not served.</summary>
    public static ApiRange? Find(short key) => key >= 0 && key < ByKey.Length ? ByKey[key] : null;

    static ApiRange?[] Index()
    {
        var table = new ApiRange?[64];
        foreach (var range in All) table[(int)range.Key] = range;
        return table;
    }
}
