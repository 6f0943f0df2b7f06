using Confluent.Kafka;
using Microsoft.Extensions.Logging;

namespace StreamMetrics.Streams.Worker;

/// <summary>
/// The partitions of a worker and what happens when the group moves them. Handlers run inside the poll, on the worker's thread; they must not
/// throw through native code, so what they throw is kept and thrown by the loop.
/// </summary>
/// <param name="options">Options.</param>
/// <param name="instance">Name of the worker.</param>
/// <param name="live">Live lane, told of partitions that go.</param>
/// <param name="create">Makes the task of a partition, given what still runs of the one before.</param>
/// <param name="logger">Log.</param>
sealed class Rebalancer(WorkerOptions options, string instance, ILiveLane? live, Func<int, BackgroundStep?, PartitionTask> create, ILogger logger)
{
    readonly List<InputPartition> _inputs = [];
    readonly Dictionary<int, BackgroundStep?> _leftovers = [];
    InputPartition?[] _byPartition = [];
    Exception? _failure;
    ErrorCode _lastError;

    /// <summary>The assigned partitions.</summary>
    public IReadOnlyList<InputPartition> Inputs => _inputs;

    /// <summary>An assigned partition, or null.</summary>
    /// <param name="partition">Input partition.</param>
    public InputPartition? Find(int partition) => (uint)partition < (uint)_byPartition.Length ? _byPartition[partition] : null;

    /// <summary>Sets the consumer's handlers.</summary>
    /// <param name="builder">The consumer's builder.</param>
    public ConsumerBuilder<Ignore, Ignore> Attach(ConsumerBuilder<Ignore, Ignore> builder) => builder
        .SetPartitionsAssignedHandler((_, partitions) => Keep(() => Assigned([.. partitions.Select(p => p.Partition.Value)])))
        .SetPartitionsRevokedHandler((_, partitions) => Keep(() => Revoked([.. partitions.Select(p => p.Partition.Value)])))
        .SetPartitionsLostHandler((_, partitions) => Keep(() => Lost([.. partitions.Select(p => p.Partition.Value)])))
        .SetErrorHandler((_, error) => Keep(() => OnError(error)));

    /// <summary>Throws what a handler could not.</summary>
    public void ThrowIfFailed()
    {
        if (_failure is { } failure) throw failure is FatalWorkerException ? failure : new FatalWorkerException(failure.Message, failure);
    }

    /// <summary>Commits everything of all partitions. Waits.</summary>
    /// <param name="timeout">Longest wait in all.</param>
    /// <returns>True when nothing was left uncommitted.</returns>
    public bool FinishAll(TimeSpan timeout) => Finish(_inputs, timeout);

    /// <summary>Gives all partitions up.</summary>
    public void CloseAll()
    {
        foreach (var input in _inputs.ToArray()) Remove(input);
        foreach (var leftover in _leftovers.Values) leftover?.Wait(options.ShutdownTimeout);
    }

    void Assigned(int[] partitions)
    {
        if (partitions.Length == 0) return;
        Log.Assigned(logger, instance, new(partitions));
        Array.Resize(ref _byPartition, Math.Max(_byPartition.Length, partitions.Max() + 1));
        foreach (var partition in partitions)
        {
            var input = new InputPartition(create(partition, _leftovers.GetValueOrDefault(partition)));
            _inputs.Add(input);
            _byPartition[partition] = input;
        }
    }

    void Revoked(int[] partitions)
    {
        var inputs = partitions.Select(Find).OfType<InputPartition>().ToArray();
        if (inputs.Length == 0) return;
        // Well within the session: while this waits, the group waits too.
        var committed = Finish(inputs, options.SessionTimeout / 2);
        Log.Revoked(logger, instance, new(partitions), committed);
        foreach (var input in inputs) Remove(input);
    }

    void Lost(int[] partitions)
    {
        if (partitions.Length == 0) return;
        Log.Lost(logger, instance, new(partitions));
        foreach (var partition in partitions)
        {
            if (Find(partition) is { } input) Remove(input);
        }
    }

    static bool Finish(IReadOnlyList<InputPartition> inputs, TimeSpan timeout)
    {
        var time = TimeProvider.System;
        var start = time.GetTimestamp();
        foreach (var input in inputs) input.Task.CommitNow(); // all at once, then wait for each
        var all = true;
        foreach (var input in inputs) all &= input.Task.Finish(timeout - time.GetElapsedTime(start));
        return all;
    }

    void Remove(InputPartition input)
    {
        input.Task.Close();
        _leftovers[input.Task.Partition] = input.Task.Leftover;
        _inputs.Remove(input);
        _byPartition[input.Task.Partition] = null;
        live?.Forget(input.Task.Partition);
    }

    void OnError(Error error)
    {
        if (error.IsFatal || KafkaFailures.IsFatal(error.Code)) throw new FatalWorkerException($"Kafka consumer {instance}: {error.Reason} ({error.Code}).");
        if (error.Code != _lastError) Log.KafkaError(logger, instance, error.Code.ToString(), error.Reason);
        _lastError = error.Code;
    }

    void Keep(Action handler)
    {
        try
        {
            handler();
        }
#pragma warning disable CA1031 // thrown by the loop as soon as the native call has returned
        catch (Exception e)
#pragma warning restore CA1031
        {
            _failure ??= e;
        }
    }
}
