using Confluent.Kafka;
using StreamMetrics.Contracts;

namespace StreamMetrics.Streams.Worker;

/// <summary>Keeps what the consumer fetches in step with the tasks: a partition flows only while its task runs, from exactly its position on.</summary>
static class InputFlow
{
    /// <summary>Pauses, or seeks and resumes, as the task's state asks for.</summary>
    /// <param name="input">The partition.</param>
    /// <param name="consumer">The consumer it is assigned to.</param>
    /// <returns>True when the flow has begun, with a new engine or after a seek.</returns>
    public static bool Adjust(InputPartition input, IConsumer<Ignore, Ignore> consumer)
    {
        var running = input.Task.State == TaskState.Running;
        if (running == (input.IsFetched && input.IsAligned)) return false;
        var partition = new TopicPartition(Topics.Events, input.Task.Partition);
        if (!running)
        {
            input.IsAligned = false;
            if (input.IsFetched) consumer.Pause([partition]);
            input.IsFetched = false;
            return false;
        }

        if (!TrySeek(consumer, partition, input.Task.Position)) return false;
        consumer.Resume([partition]);
        return input.IsFetched = input.IsAligned = true;
    }

    /// <summary>Fetches from an offset on.</summary>
    /// <param name="consumer">The consumer.</param>
    /// <param name="partition">Input partition.</param>
    /// <param name="offset">Next offset wanted.</param>
    /// <returns>False while the client has not begun to fetch the partition: then nothing can be sought yet, and it is tried again.</returns>
    static bool TrySeek(IConsumer<Ignore, Ignore> consumer, TopicPartition partition, long offset)
    {
        try
        {
            consumer.Seek(new(partition, offset));
            return true;
        }
        catch (KafkaException e) when (e.Error.Code is ErrorCode.Local_State or ErrorCode.Local_TimedOut or ErrorCode.Local_InProgress)
        {
            return false;
        }
    }
}
