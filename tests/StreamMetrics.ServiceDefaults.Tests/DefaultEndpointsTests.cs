using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using Xunit;

namespace StreamMetrics.ServiceDefaults.Tests;

public sealed class DefaultEndpointsTests
{
    [Fact]
    public async Task Health_tells_each_check_and_alive_only_the_live_ones()
    {
        await using var app = await StartAsync(b => b.Services.AddHealthChecks().AddCheck("broken", () => HealthCheckResult.Unhealthy("no disk")));
        using var client = new HttpClient { BaseAddress = new(app.Urls.First()) };

        using var health = await client.GetAsync("/health");
        using var alive = await client.GetAsync("/alive");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, health.StatusCode);
        using var report = JsonDocument.Parse(await health.Content.ReadAsStringAsync());
        Assert.Equal("Unhealthy", report.RootElement.GetProperty("status").GetString());
        Assert.Equal("no disk", report.RootElement.GetProperty("checks").GetProperty("broken").GetProperty("description").GetString());
        Assert.Equal("Healthy", report.RootElement.GetProperty("checks").GetProperty("self").GetProperty("status").GetString());
        Assert.Equal(HttpStatusCode.OK, alive.StatusCode);
        Assert.DoesNotContain("broken", await alive.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData("http://127.0.0.1:1", true)]
    public async Task Telemetry_is_recorded_only_when_a_receiver_is_configured(string? endpoint, bool expected)
    {
        await using var app = await StartAsync(b => b.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint, beforeDefaults: true);

        Assert.Equal(expected, app.Services.GetService<TracerProvider>() is not null);
        Assert.Equal(expected, app.Services.GetService<MeterProvider>() is not null);
    }

    [Theory]
    [InlineData(ActivityKind.Client, false, null, false)]
    [InlineData(ActivityKind.Client, true, null, true)]
    [InlineData(ActivityKind.Producer, false, null, true)]
    [InlineData(ActivityKind.Client, false, "always_on", true)]
    public async Task Calls_that_belong_to_nothing_begin_no_trace(ActivityKind kind, bool hasParent, string? sampler, bool expected)
    {
        await using var app = await StartAsync(
            b =>
            {
                b.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:1";
                b.Configuration["OTEL_TRACES_SAMPLER"] = sampler;
            },
            beforeDefaults: true);
        using var source = new ActivitySource("StreamMetrics.Sampled");
        Activity.Current = null;
        using var parent = hasParent ? source.StartActivity("parent", ActivityKind.Server) : null;

        using var call = source.StartActivity("call", kind);

        Assert.Equal(expected, call?.Recorded == true);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void No_configuration_file_is_watched(bool isSlim)
    {
        string[] args = [ServiceHost.ReadConfigurationOnce];
        var builder = isSlim ? WebApplication.CreateSlimBuilder(args) : WebApplication.CreateBuilder(args);

        var files = ((IConfigurationBuilder)builder.Configuration).Sources.OfType<FileConfigurationSource>().ToList();

        Assert.NotEmpty(files);
        Assert.All(files, file => Assert.False(file.ReloadOnChange, file.Path));
    }

    static async Task<WebApplication> StartAsync(Action<WebApplicationBuilder> configure, bool beforeDefaults = false)
    {
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        if (beforeDefaults) configure(builder);
        builder.AddServiceDefaults();
        if (!beforeDefaults) configure(builder);
        var app = builder.Build();
        app.MapDefaultEndpoints();
        await app.StartAsync();
        return app;
    }
}
