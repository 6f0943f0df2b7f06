using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StreamMetrics.Contracts;
using StreamMetrics.ServiceDefaults.Startup;

namespace StreamMetrics.ServiceDefaults.Kafka;

/// <summary>
/// Makes sure, before any other hosted service starts, that the brokers answer and that every topic is there. Several services do this
/// at the same time: whoever comes second finds the topic and goes on.
/// </summary>
sealed class KafkaTopicInitialiser(
    KafkaAdmin admin, IOptions<KafkaTopicsOptions> options, TimeProvider time, ILogger<KafkaTopicInitialiser> logger) : IHostedLifecycleService
{
    static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(5);
    static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);
    static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    Metadata? _metadata;

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        admin.Validate();
        var deadline = new Deadline(time, options.Value.Timeout);
        var metadata = await WaitForBrokersAsync(deadline, cancellationToken);
        if (TopicPlan.Missing(metadata).Count > 0) metadata = await CreateMissingAsync(metadata, deadline, cancellationToken);
        TopicPlan.ThrowOnWrongPartitionCount(metadata);
        _metadata = metadata;
    }

    async Task<Metadata> WaitForBrokersAsync(Deadline deadline, CancellationToken cancellationToken)
    {
        for (var pause = FirstPause; ; pause = Longer(pause))
        {
            string reason;
            try
            {
                var metadata = await admin.GetMetadataAsync(RequestTimeout, cancellationToken);
                if (metadata.Brokers.Count > 0) return metadata;
                reason = "the cluster has no broker yet";
            }
            catch (KafkaException e)
            {
                // Waiting mends neither a wrong password nor a wrong certificate.
                if (admin.Refusal is { } refusal) throw new StartupException(refusal, e);
                reason = admin.Trouble ?? e.Error.Reason;
            }

            if (deadline.IsOver)
            {
                throw new StartupException(
                    $"ConnectionStrings:kafka: no broker answered at {admin.Servers} within {options.Value.Timeout.TotalSeconds:0} s ({reason}); "
                    + $"{KafkaTopicsOptions.Section}:Timeout sets how long to wait.");
            }

            Log.WaitingForBrokers(logger, admin.Servers, reason);
            await Task.Delay(pause, time, cancellationToken);
        }
    }

    async Task<Metadata> CreateMissingAsync(Metadata metadata, Deadline deadline, CancellationToken cancellationToken)
    {
        metadata = await WaitForAllBrokersAsync(metadata, deadline, cancellationToken);
        for (var pause = FirstPause; ; pause = Longer(pause))
        {
            var missing = TopicPlan.Missing(metadata);
            if (missing.Count == 0) return metadata;
            var failure = await TryCreateAsync(missing, metadata.Brokers.Count);
            if (failure is not null)
            {
                if (deadline.IsOver) throw new StartupException($"ConnectionStrings:kafka: topics cannot be created at {admin.Servers}: {failure}");
                Log.TopicCreationRetried(logger, failure);
            }

            // Also after a success: a broker that did not take part hears of the topics a moment later.
            await Task.Delay(pause, time, cancellationToken);
            metadata = await WaitForBrokersAsync(deadline, cancellationToken);
        }
    }

    /// <summary>
    /// The number of copies is fixed when a topic is created, so a cluster that is just starting gets the time to show all its brokers:
    /// as many as the connection string names, at most as many as copies are wanted.
    /// </summary>
    async Task<Metadata> WaitForAllBrokersAsync(Metadata metadata, Deadline deadline, CancellationToken cancellationToken)
    {
        var wanted = Math.Min(admin.Servers.Split(',').Length, Topics.All.Max(t => TopicPlan.CopiesWanted(t, options.Value)));
        while (metadata.Brokers.Count < wanted && !deadline.IsOver)
        {
            Log.WaitingForMoreBrokers(logger, metadata.Brokers.Count, wanted);
            await Task.Delay(LongestPause, time, cancellationToken);
            metadata = await WaitForBrokersAsync(deadline, cancellationToken);
        }

        if (metadata.Brokers.Count < wanted) Log.BrokersMissing(logger, metadata.Brokers.Count, wanted);
        return metadata;
    }

    /// <summary>What went wrong, or null. That a topic exists is no failure: another service was faster.</summary>
    async Task<string?> TryCreateAsync(IReadOnlyList<TopicDefinition> missing, int brokers)
    {
        var specifications = missing.Select(topic => TopicPlan.Specification(topic, options.Value, brokers)).ToArray();
        try
        {
            await admin.Client.CreateTopicsAsync(specifications, new() { RequestTimeout = RequestTimeout, OperationTimeout = RequestTimeout });
            foreach (var topic in specifications) Log.TopicCreated(logger, topic.Name, topic.NumPartitions, topic.ReplicationFactor);
            return null;
        }
        catch (CreateTopicsException e)
        {
            foreach (var topic in specifications)
            {
                if (e.Results.Any(r => r.Topic == topic.Name && !r.Error.IsError)) Log.TopicCreated(logger, topic.Name, topic.NumPartitions, topic.ReplicationFactor);
            }

            var failed = e.Results.FirstOrDefault(r => r.Error.IsError && r.Error.Code != ErrorCode.TopicAlreadyExists);
            return failed is null ? null : $"{failed.Topic}: {failed.Error.Reason}";
        }
        catch (KafkaException e)
        {
            return e.Error.Reason;
        }
    }

    async Task WarnOfDriftAsync(Metadata metadata, CancellationToken cancellationToken)
    {
        var resources = Topics.All.Select(t => new ConfigResource { Type = ResourceType.Topic, Name = t.Name });
        try
        {
            var found = await admin.Client.DescribeConfigsAsync(resources, new() { RequestTimeout = RequestTimeout }).WaitAsync(cancellationToken);
            foreach (var result in found)
            {
                var topic = Topics.All.First(t => t.Name == result.ConfigResource.Name);
                var differences = TopicPlan.Differences(topic, options.Value, metadata, name => result.Entries.GetValueOrDefault(name)?.Value);
                if (differences.Count > 0) Log.TopicDrift(logger, topic.Name, string.Join(", ", differences));
            }
        }
        catch (KafkaException e)
        {
            // Only a comparison is lost: a broker may refuse it to a user without that right.
            Log.TopicSettingsUnchecked(logger, e.Error.Reason);
        }
    }

    static TimeSpan Longer(TimeSpan pause) => pause + pause < LongestPause ? pause + pause : LongestPause;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    // Nobody has to wait for a warning: a busy broker may take seconds to tell its settings.
    public Task StartedAsync(CancellationToken cancellationToken) => WarnOfDriftAsync(_metadata!, cancellationToken);

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    readonly struct Deadline(TimeProvider time, TimeSpan timeout)
    {
        readonly long _start = time.GetTimestamp();

        public bool IsOver => time.GetElapsedTime(_start) >= timeout;
    }
}
