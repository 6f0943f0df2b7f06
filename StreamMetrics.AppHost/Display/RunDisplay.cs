using System.Diagnostics;
using System.Net.Http.Json;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using StreamMetrics.AppHost.Local;

namespace StreamMetrics.AppHost.Display;

static class RunDisplayExtensions
{
    /// <summary>Tells on the console when the system is up and where it answers, and from then on how it does.</summary>
    public static void AddRunDisplay(this IDistributedApplicationBuilder builder, LocalPorts ports)
    {
        if (builder.ExecutionContext.IsPublishMode) return;
        builder.Services.AddSingleton(ports);
        builder.Services.AddSingleton<StatusLine>();
        builder.Services.AddHostedService<RunDisplay>();
    }
}

/// <summary>
/// Waits until every project is healthy; a project or server that ends before that ends the start with exit code 1, since the system would
/// never come up. Then prints where it answers, and keeps one line with its figures.
/// </summary>
sealed class RunDisplay(
    DistributedApplicationModel model,
    ResourceNotificationService notifications,
    IHostApplicationLifetime lifetime,
    LocalPorts ports,
    StatusLine status,
    TimeProvider time) : BackgroundService
{
    static readonly TimeSpan TerminalInterval = TimeSpan.FromSeconds(1);
    static readonly TimeSpan LogInterval = TimeSpan.FromSeconds(10);

    bool _hasDashboard;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!await WaitUntilUpAsync(stoppingToken)) return;
        PrintAddresses();
        await ShowFiguresAsync(stoppingToken);
    }

    async Task<bool> WaitUntilUpAsync(CancellationToken stoppingToken)
    {
        // A project counts as up with all its replicas.
        var missing = model.Resources.OfType<ProjectResource>().ToDictionary(p => p.Name, p => p.GetReplicaCount());
        var up = new HashSet<string>();
        await foreach (var update in notifications.WatchAsync(stoppingToken))
        {
            var snapshot = update.Snapshot;
            if (update.Resource.Name == AspireDashboard.ResourceName)
            {
                // The system does not need it.
                _hasDashboard = snapshot.State?.Text == KnownResourceStates.Running;
                continue;
            }

            if (snapshot.State is { } state && KnownResourceStates.TerminalStates.Contains(state.Text))
            {
                Console.Error.WriteLine($"error: {update.ResourceId} could not be started (its own lines above say why)");
                Environment.ExitCode = 1;
                lifetime.StopApplication();
                return false;
            }

            var isUp = snapshot.State?.Text == KnownResourceStates.Running && snapshot.HealthStatus == HealthStatus.Healthy;
            if (isUp && missing.TryGetValue(update.Resource.Name, out var count) && up.Add(update.ResourceId)) missing[update.Resource.Name] = count - 1;
            if (missing.Values.All(left => left <= 0)) return true;
        }

        return false;
    }

    void PrintAddresses()
    {
        var dashboard = _hasDashboard ? FormattableString.Invariant($"\n  Aspire dashboard http://127.0.0.1:{ports.Dashboard}") : "";
        Console.WriteLine(FormattableString.Invariant($"""

            StreamMetrics is up:
              query API        http://127.0.0.1:{ports.Query}/api/v1/services
              try the API      http://127.0.0.1:{ports.Query}/docs
              GraphQL          http://127.0.0.1:{ports.Query}/graphql
              pipeline         http://127.0.0.1:{ports.Query}/api/v1/pipeline
              load generator   http://127.0.0.1:{ports.LoadGenerator}/ledger{dashboard}

            Ctrl-C stops everything; the data stay.

            """));
    }

    async Task ShowFiguresAsync(CancellationToken stoppingToken)
    {
        using var client = new HttpClient { BaseAddress = new(FormattableString.Invariant($"http://127.0.0.1:{ports.Query}")), Timeout = TimeSpan.FromSeconds(5) };

        // W3C trace context, not sampled: a look a second is no trace that anybody wants.
        client.DefaultRequestHeaders.Add("traceparent", $"00-{ActivityTraceId.CreateRandom()}-{ActivitySpanId.CreateRandom()}-00");
        using var timer = new PeriodicTimer(status.IsLive ? TerminalInterval : LogInterval, time);
        do
        {
            try
            {
                var figures = await client.GetFromJsonAsync<PipelineFigures>("/api/v1/pipeline", stoppingToken);
                status.Show(figures is null ? "no figures" : figures.ToString());
            }
            catch (Exception e) when (e is HttpRequestException or System.Text.Json.JsonException or OperationCanceledException)
            {
                if (stoppingToken.IsCancellationRequested) return;
                status.Show($"no figures from the query service: {e.Message}");
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }
}
