using System.Globalization;
using Confluent.Kafka;
using StreamMetrics.TestSupport;

namespace StreamMetrics.EmbeddedKafka.Tests;

/// <summary>The broker is killed with -9 while an idempotent and a transactional producer write numbered records.</summary>
public sealed class CrashTests
{
    const int Kills = 20, RecordsPerTransaction = 10;
    static readonly TimeSpan Patience = Wait.Patience;

    [Fact]
    public async Task Twenty_kills_lose_nothing_acknowledged_double_nothing_and_show_nothing_aborted()
    {
        using var folder = new TemporaryFolder();
        var port = Ports.FreeRange(1);
        var servers = $"127.0.0.1:{port}";
        var host = await HostProcess.StartAsync(folder.Path, port);
        try
        {
            // Small segments, so that rolls, index files and snapshots are part of what is torn.
            await BrokerFixture.CreateTopicAsync(servers, "plain", 1, ("segment.bytes", "50000"));
            await BrokerFixture.CreateTopicAsync(servers, "transactional", 1, ("segment.bytes", "50000"));
            using var stop = new CancellationTokenSource();
            var plain = new PlainWriter(servers);
            var transactional = new TransactionalWriter(servers);
            var writers = new[] { Task.Run(() => plain.Run(stop.Token)), Task.Run(() => transactional.Run(stop.Token)) };
            var random = new Random(20);
            for (var kill = 0; kill < Kills; kill++)
            {
                // Each life of the broker has to acknowledge something, then ends at any moment.
                var (records, ended) = (plain.Acknowledged + 20, transactional.Ended + 1);
                await Wait.ForAsync(() => plain.Acknowledged >= records && transactional.Ended >= ended, $"writes after kill {kill}");
                await Task.Delay(TimeSpan.FromMilliseconds(random.Next(100)), TimeProvider.System);
                await host.KillAsync();
                host.Dispose();
                host = await HostProcess.StartAsync(folder.Path, port);
            }

            await stop.CancelAsync();
            await Task.WhenAll(writers).WaitAsync(Patience);
            var read = BrokerFixture.ReadAll(servers, "plain").ConvertAll(r => int.Parse(r.Message.Value, CultureInfo.InvariantCulture));
            Assert.Equal(Enumerable.Range(0, plain.Acknowledged), read);
            transactional.Check(BrokerFixture.ReadAll(servers, "transactional").ConvertAll(r => r.Message.Value));
        }
        finally
        {
            host.Dispose();
        }
    }

    static void Hurry(ProducerConfig config)
    {
        (config.ReconnectBackoffMs, config.ReconnectBackoffMaxMs, config.RetryBackoffMs) = (10, 50, 10);
        (config.MessageTimeoutMs, config.LingerMs) = (0, 1);
    }

    /// <summary>Numbers 0, 1, 2 …, as many in flight as the client likes.</summary>
    sealed class PlainWriter(string servers)
    {
        int _acknowledged;

        public int Acknowledged => Volatile.Read(ref _acknowledged);

        public void Run(CancellationToken stop)
        {
            using var producer = BrokerFixture.Producer(servers, Hurry);
            var sent = 0;
            while (!stop.IsCancellationRequested)
            {
                for (var i = 0; i < 20; i++)
                {
                    producer.Produce("plain", BrokerFixture.Message("k", $"{sent++}"), report =>
                    {
                        if (!report.Error.IsError) Interlocked.Increment(ref _acknowledged);
                    });
                }

                while (sent - Acknowledged > 200 && !stop.IsCancellationRequested) producer.Poll(TimeSpan.FromMilliseconds(5));
                producer.Poll(TimeSpan.FromMilliseconds(1));
            }

            producer.Flush(Patience);
            Assert.Equal(sent, Acknowledged);
        }
    }

    /// <summary>Transactions of ten records "number.index", every fourth aborted; remembers how each ended as far as it knows.</summary>
    sealed class TransactionalWriter(string servers)
    {
        readonly List<bool?> _outcomes = [];
        int _ended;

        public int Ended => Volatile.Read(ref _ended);

        public void Run(CancellationToken stop)
        {
            IProducer<string, string>? producer = null;
            while (!stop.IsCancellationRequested)
            {
                var number = _outcomes.Count;
                _outcomes.Add(null);
                try
                {
                    producer ??= NewProducer();
                    producer.BeginTransaction();
                    for (var i = 0; i < RecordsPerTransaction; i++) producer.Produce("transactional", BrokerFixture.Message("k", $"{number}.{i}"));
                    producer.Flush(Patience);
                    if (number % 4 == 3) producer.AbortTransaction(Patience);
                    else producer.CommitTransaction(Patience);
                    _outcomes[number] = number % 4 != 3;
                    Interlocked.Increment(ref _ended);
                }
                catch (KafkaException)
                {
                    // How it ended is not known: a new producer with the id ends it for good, one way or the other.
                    producer?.Dispose();
                    producer = null;
                }
            }

            producer?.Dispose();
            using var last = NewProducer();
        }

        /// <summary>What is read has every committed transaction whole, no aborted one, and of the unknown all or nothing; in the order written.</summary>
        public void Check(List<string> read)
        {
            Assert.Equal(read.Count, read.Distinct().Count());
            var found = read.GroupBy(value => int.Parse(value.Split('.')[0], CultureInfo.InvariantCulture)).ToDictionary(g => g.Key, g => g.Count());
            Assert.All(found.Values, count => Assert.Equal(RecordsPerTransaction, count));
            for (var number = 0; number < _outcomes.Count; number++)
            {
                if (_outcomes[number] is { } committed) Assert.True(committed == found.ContainsKey(number), $"Transaction {number}: committed {committed}, found {found.ContainsKey(number)}");
            }

            Assert.Equal(read.OrderBy(value => decimal.Parse(value, CultureInfo.InvariantCulture)), read);
        }

        IProducer<string, string> NewProducer()
        {
            var producer = BrokerFixture.Producer(servers, config =>
            {
                Hurry(config);
                config.TransactionalId = "crash";
            });
            producer.InitTransactions(Patience);
            return producer;
        }
    }
}
