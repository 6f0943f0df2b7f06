using System.Collections.Concurrent;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StreamMetrics.Contracts;
using StreamMetrics.EmbeddedKafka;
using StreamMetrics.TestSupport;
using Xunit;

namespace StreamMetrics.ServiceDefaults.Tests;

/// <summary>The same expectations of an embedded broker and of three real ones.</summary>
public abstract class KafkaTopicsTests
{
    protected static async Task Topics_are_created_once_by_services_that_start_together(string servers)
    {
        var logs = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => StartAndStopAsync(servers)));

        var created = logs.SelectMany(l => l).Where(l => l.StartsWith("Created topic", StringComparison.Ordinal)).ToList();
        Assert.Equal(Topics.All.Count, created.Count);
        Assert.DoesNotContain(logs.SelectMany(l => l), l => l.Contains("differs", StringComparison.Ordinal));
        await using var kafka = new Kafka(servers);
        await kafka.WaitForEveryBrokerAsync("the topics are known", m => Topics.All.All(topic => m.Topics.Exists(t => t.Topic == topic.Name && t.Partitions.Count > 0)));
        using var admin = Admin(servers);
        var metadata = admin.GetMetadata(Eventually.DefaultTimeout);
        Assert.All(Topics.All, topic =>
        {
            var found = metadata.Topics.Single(t => t.Topic == topic.Name);
            Assert.Equal(topic.Partitions, found.Partitions.Count);
            Assert.All(found.Partitions, p => Assert.Equal(topic.ReplicationFactor, p.Replicas.Length));
        });
        Assert.Equal("2", await SettingAsync(admin, Topics.State, "min.insync.replicas"));
        Assert.Equal("compact", await SettingAsync(admin, Topics.State, "cleanup.policy"));
        Assert.Equal("1", await SettingAsync(admin, Topics.Events, "min.insync.replicas"));
        Assert.Equal("LogAppendTime", await SettingAsync(admin, Topics.Events, "message.timestamp.type"));
    }

    protected static async Task A_difference_in_settings_is_a_warning_that_names_both_values(string servers)
    {
        await StartAndStopAsync(servers);

        var log = await StartAndStopAsync(servers, ("Kafka:Topics:RetentionBytes", "2147483648"));

        Assert.Contains($"Topic {Topics.Events} differs from its definition and is used as it is: retention.bytes is -1, not 2147483648", log);
        Assert.DoesNotContain(log, l => l.Contains(Topics.State, StringComparison.Ordinal));
    }

    protected static async Task Another_number_of_partitions_ends_the_start(string servers)
    {
        await StartAndStopAsync(servers);
        await using var kafka = new Kafka(servers);
        await kafka.DeleteTopicsAsync(Topics.Late);
        await kafka.CreateTopicAsync(Topics.Late, partitions: 2, replicationFactor: 1);
        using var console = new CapturedError();

        var (app, _) = Build(servers, []);
        var code = await app.RunServiceAsync();

        Assert.Equal(1, code);
        Assert.StartsWith($"error: topic {Topics.Late} has 2 partitions and must have 3", console.Text, StringComparison.Ordinal);
    }

    static async Task<IReadOnlyList<string>> StartAndStopAsync(string servers, params (string, string)[] settings)
    {
        var (app, log) = Build(servers, settings);
        await app.StartAsync();
        await app.StopAsync();
        await app.DisposeAsync();
        return log.Lines;
    }

    static (WebApplication App, CaughtLog Log) Build(string servers, (string Key, string Value)[] settings)
    {
        var log = new CaughtLog();
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddInMemoryCollection(settings.Append(("ConnectionStrings:kafka", servers)).Select(s => KeyValuePair.Create(s.Item1, (string?)s.Item2)));
        builder.AddServiceDefaults();
        builder.AddKafkaTopics();
        builder.Logging.AddProvider(log);
        return (builder.Build(), log);
    }

    static IAdminClient Admin(string servers) => new AdminClientBuilder(new AdminClientConfig { BootstrapServers = servers }).SetLogHandler((_, _) => { }).Build();

    static async Task<string> SettingAsync(IAdminClient admin, string topic, string setting) =>
        (await admin.DescribeConfigsAsync([new ConfigResource { Type = ResourceType.Topic, Name = topic }])).Single().Entries[setting].Value;

    /// <summary>A cluster that somebody else starts and stops.</summary>
    sealed class Kafka(string servers) : IKafkaUnderTest
    {
        public string BootstrapServers => servers;

        public ValueTask DisposeAsync() => default;
    }

    sealed class CaughtLog : ILoggerProvider, ILogger
    {
        readonly ConcurrentQueue<string> _lines = new();

        public IReadOnlyList<string> Lines => [.. _lines];

        public ILogger CreateLogger(string categoryName) => this;

        public void Dispose()
        {
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            _lines.Enqueue(formatter(state, exception));
    }
}

[Collection(ConsoleCollection.Name)]
public sealed class KafkaTopicsOnEmbeddedBrokerTests : KafkaTopicsTests, IAsyncLifetime
{
    readonly TempFolder _data = new("topics");
    EmbeddedKafkaServer? _server;

    public async Task InitializeAsync() => _server = await EmbeddedKafkaServer.StartAsync(new() { DataDirectory = _data.Path });

    public async Task DisposeAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
        _data.Dispose();
    }

    [Fact]
    public Task Topics_are_created() => Topics_are_created_once_by_services_that_start_together(_server!.BootstrapServers);

    [Fact]
    public Task Differences_are_warnings() => A_difference_in_settings_is_a_warning_that_names_both_values(_server!.BootstrapServers);

    [Fact]
    public Task Wrong_partitions_are_fatal() => Another_number_of_partitions_ends_the_start(_server!.BootstrapServers);
}

/// <summary>One cluster, so one test: its phases need each other.</summary>
[Collection(ConsoleCollection.Name)]
public sealed class KafkaTopicsOnRealBrokersTests : KafkaTopicsTests
{
    [RealKafkaFact]
    public async Task Topics_are_created_compared_and_refused()
    {
        await using var kafka = await RealKafka.StartAsync();
        await Topics_are_created_once_by_services_that_start_together(kafka.BootstrapServers);
        await A_difference_in_settings_is_a_warning_that_names_both_values(kafka.BootstrapServers);
        await Another_number_of_partitions_ends_the_start(kafka.BootstrapServers);
    }
}
