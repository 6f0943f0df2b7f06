using System.Collections.Concurrent;
using System.Net.Sockets;
using FsCheck.Xunit;
using Microsoft.Extensions.Logging;

namespace StreamMetrics.EmbeddedKafka.Tests;

/// <summary>Whatever arrives, the broker answers or closes that connection, and goes on serving the others.</summary>
public sealed class FuzzTests
{
    [Property(MaxTest = 2000)]
    public void Reading_any_bytes_fails_in_no_other_way_than_as_malformed(byte[] bytes, bool flexible)
    {
        try
        {
            var r = new WireReader(bytes, flexible);
            for (var elements = r.ArrayLength(); elements > 0; elements--)
            {
                r.NullableString();
                r.Bytes();
                r.Int32Array();
                r.Tags();
            }
        }
        catch (ProtocolException)
        {
            // What malformed bytes are to end in.
        }
    }

    [Property(MaxTest = 2000)]
    public void Records_of_any_bytes_are_corrupt_at_worst(byte[] body, byte codec, byte count)
    {
        var batch = new byte[BatchHeader.Size + body.Length];
        body.CopyTo(batch, BatchHeader.Size);
        BatchHeader.Write(batch, 0, batch.Length, (short)(codec % 8), count, 0, 0, -1, -1, -1, count);
        using var reader = new RecordReader(batch, BatchHeader.Read(batch));
        while (reader.TryRead(out _))
        {
        }
    }

    [Fact]
    public async Task Random_and_mutated_requests_harm_nothing()
    {
        using var folder = new TemporaryFolder();
        using var errors = new ErrorLog();
        await using var server = await EmbeddedKafkaServer.StartAsync(new() { DataDirectory = folder.Path, Brokers = 1, LoggerFactory = errors, MaxRequestBytes = 8 << 20, MaxInFlightBytes = 64 << 20 });
        await BrokerFixture.CreateTopicAsync(server.BootstrapServers, "healthy");
        var random = new Random(5);
        for (var i = 0; i < 3000; i++) await SendAsync(server.BootstrapServers, Frame(random, i));

        Assert.Empty(errors.Lines);
        await BrokerFixture.CreateTopicAsync(server.BootstrapServers, "healthy-after");
        using var producer = BrokerFixture.Producer(server.BootstrapServers);
        await producer.ProduceAsync("healthy-after", BrokerFixture.Message("k", "v"));
        Assert.Single(BrokerFixture.ReadAll(server.BootstrapServers, "healthy-after"));
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true), 0, 300_000_000);
    }

    [Fact]
    public async Task A_length_alone_allocates_nothing_and_blocks_nobody()
    {
        using var folder = new TemporaryFolder();
        await using var server = await EmbeddedKafkaServer.StartAsync(new() { DataDirectory = folder.Path, Brokers = 1, MaxInFlightBytes = 20 << 20 });
        var hungry = new List<RawClient>();
        for (var i = 0; i < 50; i++)
        {
            hungry.Add(await RawClient.ConnectAsync(server.BootstrapServers));
            await hungry[i].Stream.WriteAsync(new byte[] { 5, 0, 0, 0, 0 });
        }

        await BrokerFixture.CreateTopicAsync(server.BootstrapServers, "t");
        using var producer = BrokerFixture.Producer(server.BootstrapServers);
        await producer.ProduceAsync("t", BrokerFixture.Message("k", "v"));
        foreach (var client in hungry) await client.DisposeAsync();
    }

    [Theory]
    [InlineData(new byte[] { 0x7f, 0xff, 0xff, 0xff, 0, 0 })]
    [InlineData(new byte[] { 0xff, 0xff, 0xff, 0xff, 0, 0 })]
    [InlineData(new byte[] { 0, 0, 0, 2, 0, 0 })]
    [InlineData(new byte[] { 0, 0, 0, 10, 0, 99, 0, 0, 0, 0, 0, 1, 0xff, 0xff })]
    [InlineData(new byte[] { 0, 0, 0, 10, 0, 3, 0, 99, 0, 0, 0, 1, 0xff, 0xff })]
    public async Task A_malformed_frame_closes_its_connection(byte[] frame)
    {
        using var folder = new TemporaryFolder();
        await using var server = await EmbeddedKafkaServer.StartAsync(new() { DataDirectory = folder.Path, Brokers = 1 });
        await using var client = await RawClient.ConnectAsync(server.BootstrapServers);
        await client.Stream.WriteAsync(frame);
        Assert.True(await client.IsClosedAsync());
    }

    /// <summary>A frame with a valid header and a body that is random, or text-like, or a truncated list of sensible fields.</summary>
    static byte[] Frame(Random random, int seed)
    {
        if (seed % 10 == 0)
        {
            var noise = new byte[random.Next(1, 400)];
            random.NextBytes(noise);
            return noise;
        }

        var range = ApiTable.All[random.Next(ApiTable.All.Length)];
        var version = (short)random.Next(range.Min, range.Max + 1);
        using var w = new WireWriter();
        w.Int32(0);
        w.Int16((short)range.Key);
        w.Int16(version);
        w.Int32(seed);
        w.String("fuzz");
        w.Flexible = version >= range.FlexibleFrom;
        w.Tags();
        for (var fields = random.Next(20); fields > 0; fields--) Field(random, w);
        w.PatchInt32(0, w.Length - 4);
        var frame = w.Written.ToArray();
        for (var flips = random.Next(3); flips > 0; flips--) frame[random.Next(8, frame.Length)] = (byte)random.Next(256);
        return frame;
    }

    static void Field(Random random, WireWriter w)
    {
        switch (random.Next(9))
        {
            case 0: w.String("healthy"); break;
            case 1: w.String(null); break;
            case 2: w.ArrayLength(random.Next(-1, 4)); break;
            case 3: w.Int32(random.Next(-2, 100)); break;
            case 4: w.Int64(random.Next(-5, 100)); break;
            case 5: w.Int16((short)random.Next(-2, 5)); break;
            case 6: w.Bool(random.Next(2) == 0); break;
            case 7: w.Tags(); break;
            default: w.Bytes(new byte[random.Next(100)]); break;
        }
    }

    static async Task SendAsync(string server, byte[] frame)
    {
        await using var client = await RawClient.ConnectAsync(server);
        try
        {
            await client.Stream.WriteAsync(frame);
            client.EndSending();
            await client.Stream.CopyToAsync(Stream.Null).WaitAsync(Wait.Patience);
        }
        catch (Exception e) when (e is SocketException or IOException { InnerException: SocketException })
        {
            // The broker has closed the connection.
        }
    }

    sealed class ErrorLog : ILoggerFactory, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel >= LogLevel.Error) Lines.Enqueue($"{formatter(state, exception)} {exception}");
        }

        public void Dispose()
        {
        }
    }
}
