using System.Net;
using System.Net.Sockets;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Orchestration;
using StreamMetrics.AppHost.Kafka;
using Xunit;

namespace StreamMetrics.AppHost.Tests;

/// <summary>The model becomes the environment that Aspire gives its programs.</summary>
public sealed class EnvironmentTests
{
    const ReferenceEnvironmentInjectionFlags Simple = ReferenceEnvironmentInjectionFlags.ConnectionString | ReferenceEnvironmentInjectionFlags.ServiceDiscovery;

    [Fact]
    public async Task References_become_connection_strings_and_service_addresses()
    {
        using var model = new Model();
        var redis = model.Builder.AddConnectionString("redis", ReferenceExpression.Create($"127.0.0.1:{"6379"}"));
        var query = model.Builder.AddProject<Projects.StreamMetrics_Query>("query").WithHttpEndpoint(8080);
        var client = model.AddShell("client", "true").WithReferenceEnvironment(Simple).WithReference(redis).WithReference(query);

        Allocate(model);
        var environment = await EnvironmentAsync(model, client.Resource);

        Assert.Equal("127.0.0.1:6379", environment["ConnectionStrings__redis"]);
        Assert.Equal("http://127.0.0.1:8080", environment["services__query__http__0"]);
        Assert.DoesNotContain("QUERY_HTTP", environment.Keys);
    }

    [Fact]
    public async Task All_kinds_of_values_are_resolved()
    {
        using var model = new Model();
        model.Builder.Configuration["Parameters:secret"] = "s3cret";
        var secret = model.Builder.AddParameter("secret", secret: true);
        var server = model.AddShell("server", "true").WithEndpoint(port: 1234, name: "tcp");
        var address = server.GetEndpoint("tcp");
        var client = model.AddShell("client", "true")
            .WithEnvironment("TEXT", "a {b}")
            .WithEnvironment("CALLED", () => "back")
            .WithEnvironment("PARAMETER", secret)
            .WithEnvironment("ADDRESS", address)
            .WithEnvironment("MADE", $"{{{address.Property(EndpointProperty.HostAndPort)}}} with {secret}")
            .WithEnvironment(context => context.EnvironmentVariables["MODE"] = context.ExecutionContext.IsPublishMode ? "publish" : "run");

        Allocate(model);
        var environment = await EnvironmentAsync(model, client.Resource);

        Assert.Equal("a {b}", environment["TEXT"]);
        Assert.Equal("back", environment["CALLED"]);
        Assert.Equal("s3cret", environment["PARAMETER"]);
        Assert.Equal("tcp://127.0.0.1:1234", environment["ADDRESS"]);
        Assert.Equal("{127.0.0.1:1234} with s3cret", environment["MADE"]);
        Assert.Equal("run", environment["MODE"]);
    }

    [Fact]
    public async Task Kafka_security_reaches_the_services_with_passwords_as_secret_parameters()
    {
        using var model = new Model();
        model.Builder.Configuration["Kafka:Security:Protocol"] = "SASL_SSL";
        model.Builder.Configuration["Kafka:Security:User"] = "u";
        model.Builder.Configuration["Parameters:kafkaPassword"] = "s3cret";
        var query = model.Builder.AddProject<Projects.StreamMetrics_Query>("query").WithHttpEndpoint().WithKafkaSecurity();
        var archiver = model.Builder.AddProject<Projects.StreamMetrics_Archiver>("archiver").WithHttpEndpoint().WithKafkaSecurity();

        Allocate(model);
        foreach (var service in new[] { query, archiver })
        {
            var environment = await EnvironmentAsync(model, service.Resource);
            Assert.Equal(
                ["Kafka__Security__Password=s3cret", "Kafka__Security__Protocol=SASL_SSL", "Kafka__Security__User=u"],
                environment.Where(e => e.Key.StartsWith("Kafka__", StringComparison.Ordinal)).Select(e => $"{e.Key}={e.Value}").Order());
        }

        Assert.True(Assert.Single(model.Builder.Resources.OfType<ParameterResource>()).Secret);
    }

    [Fact]
    public async Task Each_replica_has_a_port_and_an_id_of_its_own()
    {
        using var model = new Model();
        var service = model.Builder.AddProject<Projects.StreamMetrics_Aggregator>("aggregator").WithHttpEndpoint().WithReplicas(3);
        var instances = EndpointAllocator.Allocate(service.Resource);

        var environments = new List<IReadOnlyDictionary<string, string>>();
        foreach (var instance in instances) environments.Add((await Programs(model).BuildAsync(instance, default)).Environment);

        Assert.Equal(["aggregator-1", "aggregator-2", "aggregator-3"], instances.Select(i => i.Id));
        Assert.Equal(3, environments.Select(e => e["ASPNETCORE_URLS"]).Distinct().Count());
        Assert.All(environments, e => Assert.StartsWith("http://127.0.0.1:", e["ASPNETCORE_URLS"], StringComparison.Ordinal));
        Assert.All(environments, e => Assert.Equal("aggregator", e["OTEL_SERVICE_NAME"]));
        Assert.Equal(instances.Select(i => $"service.instance.id={i.Number}"), environments.Select(e => e["OTEL_RESOURCE_ATTRIBUTES"]));
    }

    [Fact]
    public async Task A_port_that_is_kept_for_a_program_can_be_listened_on_by_it()
    {
        using var model = new Model();
        var service = model.Builder.AddProject<Projects.StreamMetrics_Aggregator>("aggregator").WithHttpEndpoint();
        using var instance = Assert.Single(EndpointAllocator.Allocate(service.Resource));
        var port = Assert.Single(instance.Ports.Values);

        using var listener = new TcpListener(IPAddress.Loopback, port);
        listener.Start();
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port);
        using var accepted = await listener.AcceptTcpClientAsync();

        Assert.True(accepted.Connected);
    }

    [Fact]
    public async Task What_the_stand_in_cannot_do_is_refused_by_the_name_of_the_real_package()
    {
        using var model = new Model();
        var redis = model.Builder.AddConnectionString("redis", ReferenceExpression.Create($"x"));
        var client = model.AddShell("client", "true").WithReference(redis);

        var e = await Assert.ThrowsAsync<NotSupportedException>(() => EnvironmentAsync(model, client.Resource));

        Assert.Contains("Aspire.Hosting.AppHost", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_is_given_once()
    {
        using var model = new Model();
        model.AddShell("one", "true");

        Assert.Throws<DistributedApplicationException>(() => model.AddShell("One", "true"));
    }

    static void Allocate(Model model)
    {
        foreach (var resource in model.Builder.Resources.Where(r => r is ProjectResource or ExecutableResource)) EndpointAllocator.Allocate(resource);
    }

    static async Task<IReadOnlyDictionary<string, string>> EnvironmentAsync(Model model, IResource resource) =>
        (await Programs(model).BuildAsync(EndpointAllocator.Allocate(resource)[0], default)).Environment;

    static ProgramStartBuilder Programs(Model model) => new(model.Builder.ExecutionContext);
}
