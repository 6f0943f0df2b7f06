namespace StreamMetrics.EmbeddedKafka;

/// <summary>Hands each request to its handler. Only those that may wait are asynchronous.</summary>
internal static class Dispatcher
{
    public static ValueTask HandleAsync(Request request)
    {
        switch (request.Key)
        {
            case ApiKey.Fetch: return FetchHandler.HandleAsync(request);
            case ApiKey.JoinGroup: return GroupHandlers.JoinAsync(request);
            case ApiKey.SyncGroup: return GroupHandlers.SyncAsync(request);
            case ApiKey.Produce: ProduceHandler.Handle(request); break;
            case ApiKey.ListOffsets: OffsetHandlers.List(request); break;
            case ApiKey.OffsetForLeaderEpoch: OffsetHandlers.ForLeaderEpoch(request); break;
            case ApiKey.DeleteRecords: OffsetHandlers.DeleteRecords(request); break;
            case ApiKey.Metadata: ClusterHandlers.Metadata(request); break;
            case ApiKey.FindCoordinator: ClusterHandlers.FindCoordinator(request); break;
            case ApiKey.ApiVersions: ClusterHandlers.ApiVersions(request); break;
            case ApiKey.DescribeCluster: ClusterHandlers.DescribeCluster(request); break;
            case ApiKey.OffsetCommit: CommitHandlers.Commit(request); break;
            case ApiKey.OffsetFetch: CommitHandlers.Fetch(request); break;
            case ApiKey.OffsetDelete: CommitHandlers.Delete(request); break;
            case ApiKey.Heartbeat: GroupHandlers.Heartbeat(request); break;
            case ApiKey.LeaveGroup: GroupHandlers.Leave(request); break;
            case ApiKey.DescribeGroups: GroupAdminHandlers.Describe(request); break;
            case ApiKey.ListGroups: GroupAdminHandlers.List(request); break;
            case ApiKey.DeleteGroups: GroupAdminHandlers.Delete(request); break;
            case ApiKey.CreateTopics: TopicHandlers.Create(request); break;
            case ApiKey.DeleteTopics: TopicHandlers.Delete(request); break;
            case ApiKey.CreatePartitions: TopicHandlers.CreatePartitions(request); break;
            case ApiKey.DescribeConfigs: ConfigHandlers.Describe(request); break;
            case ApiKey.AlterConfigs: ConfigHandlers.Alter(request); break;
            case ApiKey.IncrementalAlterConfigs: ConfigHandlers.AlterIncrementally(request); break;
            case ApiKey.InitProducerId: TransactionHandlers.InitProducerId(request); break;
            case ApiKey.AddPartitionsToTxn: TransactionHandlers.AddPartitions(request); break;
            case ApiKey.AddOffsetsToTxn: TransactionHandlers.AddOffsets(request); break;
            case ApiKey.TxnOffsetCommit: TransactionHandlers.CommitOffsets(request); break;
            case ApiKey.EndTxn: TransactionHandlers.End(request); break;
            default: throw new ProtocolException($"{request.Key} is announced but not served.");
        }

        return ValueTask.CompletedTask;
    }
}
