using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using Confluent.Kafka;
using Microsoft.Extensions.DependencyInjection;
using StreamMetrics.Contracts;
using StreamMetrics.Streams.Worker;
using StreamMetrics.TestSupport;
using Xunit;

namespace StreamMetrics.Streams.Tests.Worker;

[Collection(RealKafkaCollection.Name)]
public sealed class StateRestorerTests(ProductKafkaFixture fixture) : IDisposable
{
    const long Start = 1_800_000_000_000;
    const int Series = 500;

    readonly AggregatorMetrics _metrics = new(new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>());

    public void Dispose() => _metrics.Dispose();

    [RealKafkaFact]
    public void A_restored_engine_goes_on_as_if_nothing_had_happened()
    {
        var options = fixture.NewGroup();
        var engine = Committed(options, 0, commits: 3);
        using var restorer = new StateRestorer(options, TimeProvider.System);
        using var producer = new TransactionalProducer(0, options, _metrics);
        var restored = restorer.Restore(0, producer, CancellationToken.None);

        Assert.Equal(engine.Position, restored.Position);
        Assert.Equal(engine.Statistics.Series, restored.Engine.Statistics.Series);
        Assert.Equal(Rest(engine), Rest(restored.Engine));
    }

    [RealKafkaFact]
    public async Task A_restore_waits_for_what_was_committed_but_lies_behind_markers_that_are_still_missing()
    {
        var options = fixture.NewGroup();
        // A transaction of somebody else that stays open holds the last stable offset back, as markers on their way do.
        using var holder = fixture.Kafka.CreateProducer(config => (config.TransactionalId, config.TransactionTimeoutMs) = ($"holder-{Guid.NewGuid():n}", 600_000));
        holder.InitTransactions(Eventually.DefaultTimeout);
        holder.BeginTransaction();
        await holder.ProduceAsync(new TopicPartition(Topics.State, 1), new() { Key = "never"u8.ToArray(), Value = "seen"u8.ToArray() });
        var engine = Committed(options, 1, commits: 2);

        using var restorer = new StateRestorer(options, TimeProvider.System);
        using var producer = new TransactionalProducer(1, options, _metrics);
        RestoredPartition? restored = null;
        var restore = BackgroundStep.Start("restore", () => restored = restorer.Restore(1, producer, CancellationToken.None));
        Assert.False(restore.Wait(TimeSpan.FromSeconds(3)), "The restore ended before the committed state could be read.");

        holder.AbortTransaction(Eventually.DefaultTimeout);
        Assert.True(restore.Wait(Eventually.DefaultTimeout));
        Assert.Null(restore.Error);
        Assert.Equal(Rest(engine), Rest(restored!.Engine));
    }

    [RealKafkaFact]
    public void An_offset_that_does_not_fit_the_state_is_refused_with_both_named()
    {
        var options = fixture.NewGroup();
        Committed(options, 2, commits: 1);
        using (var other = Reader(options)) other.Commit([new TopicPartitionOffset(Topics.Events, 2, 7)]);
        using var restorer = new StateRestorer(options, TimeProvider.System);
        using var producer = new TransactionalProducer(2, options, _metrics);
        var error = Assert.Throws<StateCorruptedException>(() => restorer.Restore(2, producer, CancellationToken.None));
        Assert.Contains($"stands at input offset {Series}", error.Message, StringComparison.Ordinal);
        Assert.Contains("committed 7", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Runs an engine over some records and commits it as the worker does.</summary>
    PartitionEngine Committed(WorkerOptions options, int partition, int commits)
    {
        var engine = new PartitionEngine(partition, options.Engine);
        engine.CompleteRestore();
        using var consumer = Reader(options);
        using var producer = new TransactionalProducer(partition, options, _metrics);
        producer.Open();
        for (var commit = 0; commit < commits; commit++)
        {
            for (var i = 0; i < Series; i++) Process(engine, i);
            producer.Begin();
            engine.WriteCommit(new CommitOutput(producer, null));
            producer.Commit(engine.Position, consumer.ConsumerGroupMetadata);
        }

        return engine;
    }

    static void Process(PartitionEngine engine, int series)
    {
        var offset = engine.Position;
        engine.Process(new InputRecord
        {
            Offset = offset,
            LogTime = Start + (offset * 20),
            Key = "svc"u8,
            Value = Encoding.UTF8.GetBytes(string.Create(
                CultureInfo.InvariantCulture,
                $$"""{"eventId":"{{Guid.Empty}}","timestamp":{{Start + (offset * 20)}},"serviceId":"svc","metricType":"TIMER","metricName":"m","value":{{series % 97}},"unit":"ms","tags":{"n":"{{series}}"} }""")),
        });
    }

    /// <summary>Everything the engine writes from here on: more records, then all windows closed.</summary>
    static List<string> Rest(PartitionEngine engine)
    {
        for (var i = 0; i < 50; i++) Process(engine, i * 7);
        while (engine.NextFinalTime is { } due) engine.MoveClock(due);
        var output = new Recorder();
        engine.WriteCommit(output);
        Assert.NotEmpty(output.Lines);
        return output.Lines;
    }

    static IConsumer<Ignore, Ignore> Reader(WorkerOptions options) =>
        new ConsumerBuilder<Ignore, Ignore>(ClientSettings.Reader(options, IsolationLevel.ReadCommitted)).Build();

    sealed class Recorder : IEngineOutput
    {
        public List<string> Lines { get; } = [];

        public void Aggregate(string window, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => Lines.Add($"{window} {Encoding.UTF8.GetString(value)}");

        public void DeadLetter(in RejectedRecord record) => Lines.Add($"dead {record.Offset}");

        public void Late(in RejectedRecord record) => Lines.Add($"late {record.Offset}");

        public void State(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
        {
            // What changed since the last commit differs after a restore only in how it is cut.
        }
    }
}
