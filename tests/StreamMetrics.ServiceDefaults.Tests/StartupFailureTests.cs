using System.ComponentModel.DataAnnotations;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Npgsql;
using StreamMetrics.TestSupport;
using Xunit;

namespace StreamMetrics.ServiceDefaults.Tests;

/// <summary>Every failure that a user can mend is one line <c>error: …</c> with the key, and exit code 1.</summary>
[Collection(ConsoleCollection.Name)]
public sealed partial class StartupFailureTests
{
    [Fact]
    public async Task An_invalid_option_is_told_by_its_configuration_key()
    {
        var (code, error) = await RunAsync(("Worker:EventsPerSecond", "0"), configure: AddWorkerOptions);

        Assert.Equal(1, code);
        Assert.Equal("error: Worker:EventsPerSecond: The field EventsPerSecond must be between 1 and 10.", error);
    }

    [Fact]
    public async Task A_value_of_the_wrong_type_is_told_by_its_configuration_key()
    {
        var (code, error) = await RunAsync(("Worker:EventsPerSecond", "many"), configure: AddWorkerOptions);

        Assert.Equal(1, code);
        Assert.StartsWith("error: ", error, StringComparison.Ordinal);
        Assert.Contains("'Worker:EventsPerSecond'", error, StringComparison.Ordinal);
        Assert.Contains("'many'", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "it is not set")]
    [InlineData("localhost", "'localhost' is none")]
    [InlineData("localhost:9092,other:0", "'other:0' is none")]
    public async Task A_bad_Kafka_connection_string_is_told_by_its_key(string value, string expected)
    {
        var (code, error) = await RunAsync(("ConnectionStrings:kafka", value), configure: b => b.AddKafkaTopics());

        Assert.Equal(1, code);
        Assert.StartsWith("error: ConnectionStrings:kafka must list bootstrap servers as host:port", error, StringComparison.Ordinal);
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broker_that_does_not_answer_ends_the_start_at_the_deadline()
    {
        var port = Ports.Free();
        var (code, error) = await RunAsync(
            ("ConnectionStrings:kafka", $"127.0.0.1:{port}"), ("Kafka:Topics:Timeout", "00:00:01"), configure: b => b.AddKafkaTopics());

        Assert.Equal(1, code);
        Assert.StartsWith($"error: ConnectionStrings:kafka: no broker answered at 127.0.0.1:{port} within 1 s", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Kafka:Topics:RetentionBytes", "1000")]
    [InlineData("Kafka:Topics:ReplicationFactor", "0")]
    [InlineData("Kafka:Topics:Timeout", "00:00:00")]
    public async Task Bad_topic_options_are_told_by_their_keys(string key, string value)
    {
        var (code, error) = await RunAsync((key, value), ("ConnectionStrings:kafka", "127.0.0.1:1"), configure: b => b.AddKafkaTopics());

        Assert.Equal(1, code);
        Assert.Contains($"error: {key}: The field {key.Split(':')[^1]} must be ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wrong_Kafka_security_stops_every_service_whatever_clients_it_has()
    {
        var (code, error) = await RunAsync(("Kafka:Security:Protocol", "TLS"), configure: _ => { });

        Assert.Equal(1, code);
        Assert.Equal("error: Kafka:Security:Protocol is 'TLS': it must be PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL.", error);
    }

    [Fact]
    public async Task A_key_that_its_password_does_not_open_is_told_by_the_section()
    {
        using var folder = new TempFolder("security");
        using var certificates = new TestCertificates(folder.Path, "authority");
        var (certificate, key, _) = certificates.Issue("client", "right");
        var (code, error) = await RunAsync(("Kafka:Security:Protocol", "SSL"), ("ConnectionStrings:kafka", "127.0.0.1:1"), configure: b =>
        {
            b.Configuration["Kafka:Security:CertificateFile"] = certificate;
            b.Configuration["Kafka:Security:KeyFile"] = key;
            b.Configuration["Kafka:Security:KeyPassword"] = "wr0ng";
            b.AddKafkaTopics();
        });

        Assert.Equal(1, code);
        Assert.StartsWith("error: Kafka:Security: ssl.key.location failed", error, StringComparison.Ordinal);
        Assert.DoesNotContain("wr0ng", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_in_use_is_told_with_the_address()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var url = $"http://127.0.0.1:{((IPEndPoint)taken.LocalEndpoint).Port}";

        var (code, error) = await RunAsync(("urls", url), configure: _ => { });

        Assert.Equal(1, code);
        Assert.Equal($"error: ASPNETCORE_URLS: Failed to bind to address {url}: address already in use.", error);
    }

    [Theory]
    [InlineData("", "ConnectionStrings:streammetrics")]
    [InlineData("Host=127.0.0.1;Nonsense=1", "ConnectionStrings:streammetrics: ")]
    [InlineData("Host=127.0.0.1;Port=1;Username=nobody", "ConnectionStrings:streammetrics: ")]
    public async Task A_bad_database_connection_string_is_told_by_its_key(string value, string expected)
    {
        var (code, error) = await RunAsync(("ConnectionStrings:streammetrics", value), configure: b =>
        {
            b.AddNpgsqlDataSource("streammetrics");
            b.Services.AddHostedService<UsesDatabase>();
        });

        Assert.Equal(1, code);
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("127.0.0.1:1,nonsense=1")]
    [InlineData("127.0.0.1:1,abortConnect=true,connectTimeout=500,connectRetry=1")]
    public async Task A_bad_Redis_connection_string_is_told_by_its_key(string value)
    {
        var (code, error) = await RunAsync(
            ("ConnectionStrings:redis", value), configure: b => b.AddRedisClient("redis", settings => settings.DisableTracing = true));

        Assert.Equal(1, code);
        Assert.Contains("ConnectionStrings:redis", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_worker_that_fails_ends_the_service_with_exit_code_1()
    {
        var (code, error) = await RunAsync(("urls", "http://127.0.0.1:0"), configure: b => b.Services.AddHostedService<FailingWorker>());

        Assert.Equal(1, code);
        Assert.Equal("error: NotSupportedException: the worker cannot go on", error);
    }

    [Fact]
    public async Task A_defect_of_the_program_keeps_its_stack_trace()
    {
        await Assert.ThrowsAsync<NotImplementedException>(() => RunAsync(("urls", "http://127.0.0.1:0"), configure: b => b.Services.AddHostedService<Defect>()));
    }

    [Fact]
    public async Task An_orderly_stop_has_exit_code_0()
    {
        var (code, error) = await RunAsync(("urls", "http://127.0.0.1:0"), configure: b => b.Services.AddHostedService<StopsAtOnce>());

        Assert.Equal(0, code);
        Assert.Empty(error);
    }

    static Task<(int Code, string Error)> RunAsync((string, string) setting, Action<WebApplicationBuilder> configure) =>
        RunAsync(setting, ("x", "x"), configure);

    static async Task<(int Code, string Error)> RunAsync((string, string) first, (string, string) second, Action<WebApplicationBuilder> configure)
    {
        using var console = new CapturedError();
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddInMemoryCollection(new[] { first, second }.Select(p => KeyValuePair.Create(p.Item1, (string?)p.Item2)));
        builder.AddServiceDefaults();
        configure(builder);
        var app = builder.Build();
        app.MapDefaultEndpoints();
        var code = await app.RunServiceAsync();
        return (code, console.Text.Trim());
    }

    static void AddWorkerOptions(WebApplicationBuilder builder)
    {
        builder.Services.AddOptions<WorkerOptions>().BindConfiguration("Worker").ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<WorkerOptions>, WorkerOptionsValidator>();
    }

    public sealed class WorkerOptions
    {
        [Range(1, 10)]
        public int EventsPerSecond { get; set; } = 1;
    }

    [OptionsValidator]
    public sealed partial class WorkerOptionsValidator : IValidateOptions<WorkerOptions>;

    sealed class UsesDatabase(NpgsqlDataSource source) : IHostedService
    {
        public async Task StartAsync(CancellationToken cancellationToken)
        {
            await using var connection = await source.OpenConnectionAsync(cancellationToken);
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    sealed class FailingWorker : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            await Task.Yield();
            throw new NotSupportedException("the worker cannot go on");
        }
    }

    sealed class Defect : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    sealed class StopsAtOnce(IHostApplicationLifetime lifetime) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            lifetime.StopApplication();
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
