using System.Collections.Immutable;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting.Orchestration;

/// <summary>
/// Asks each running instance for its health: often until it is healthy for the first time, then now and then. What has no check is
/// healthy as soon as it runs. A change for the worse or back is told in one line.
/// </summary>
sealed class HealthMonitor(ResourceNotificationService notifications, HealthCheckService checks, IConsoleWriter console, TimeProvider time) : IDisposable
{
    static readonly TimeSpan StartInterval = TimeSpan.FromMilliseconds(300);
    static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    static readonly TimeSpan Reminder = TimeSpan.FromSeconds(20);

    readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(5) };

    /// <summary>Ends when every instance was healthy once; watching goes on until <paramref name="cancellationToken"/>.</summary>
    public Task WatchAsync(IResource resource, IReadOnlyList<Instance> instances, CancellationToken cancellationToken) =>
        instances.Count == 0
            ? WatchOneAsync(resource, null, cancellationToken)
            : Task.WhenAll(instances.Select(i => WatchOneAsync(resource, i, cancellationToken)));

    /// <summary>The same for one instance, once it runs.</summary>
    public async Task WatchOneAsync(IResource resource, Instance? instance, CancellationToken cancellationToken)
    {
        var id = instance?.Id ?? resource.Name;
        if (!await RunsAsync(resource, id, cancellationToken).ConfigureAwait(false)) return;
        var process = instance?.Process;
        var start = time.GetTimestamp();
        var told = TimeSpan.Zero;
        while (true)
        {
            var reports = await CheckAsync(resource, instance, cancellationToken).ConfigureAwait(false);
            if (!IsRunning(id) || instance?.Process != process) return;
            await PublishAsync(resource, id, reports).ConfigureAwait(false);
            if (Problem(reports) is not { } problem) break;
            if (time.GetElapsedTime(start) - told > Reminder)
            {
                told = time.GetElapsedTime(start);
                console.WriteResourceLine(id, FormattableString.Invariant($"not ready after {told.TotalSeconds:0} s: {problem}"));
            }

            await Task.Delay(StartInterval, time, cancellationToken).ConfigureAwait(false);
        }

        if (HasChecks(resource)) _ = KeepWatchingAsync(resource, instance, id, process, cancellationToken);
    }

    public void Dispose() => _http.Dispose();

    async Task KeepWatchingAsync(IResource resource, Instance? instance, string id, ResourceProcess? process, CancellationToken cancellationToken)
    {
        var isHealthy = true;
        try
        {
            // Another process is another start, which has a watch of its own.
            while (IsRunning(id) && instance?.Process == process)
            {
                await Task.Delay(Interval, time, cancellationToken).ConfigureAwait(false);
                var reports = await CheckAsync(resource, instance, cancellationToken).ConfigureAwait(false);
                var problem = Problem(reports);
                if (isHealthy == problem is null || !IsRunning(id) || instance?.Process != process) continue;
                isHealthy = problem is null;
                console.WriteResourceLine(id, isHealthy ? "healthy again" : $"not healthy: {problem}");
                await PublishAsync(resource, id, reports).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The application stops.
        }
    }

    async Task<ImmutableArray<HealthReportSnapshot>> CheckAsync(IResource resource, Instance? instance, CancellationToken cancellationToken)
    {
        var reports = ImmutableArray.CreateBuilder<HealthReportSnapshot>();
        foreach (var check in resource.Annotations.OfType<HttpHealthAnnotation>())
        {
            if (instance is null) throw new NotSupportedException($"HTTP health of '{resource.Name}' needs the real package Aspire.Hosting.AppHost.");
            var problem = await CheckHttpAsync(check, instance, cancellationToken).ConfigureAwait(false);
            reports.Add(Report($"{resource.Name}_{check.Path}_{check.StatusCode}_check", problem is null ? HealthStatus.Healthy : HealthStatus.Unhealthy, problem));
        }

        var keys = resource.Annotations.OfType<HealthCheckAnnotation>().Select(a => a.Key).ToHashSet();
        if (keys.Count == 0) return reports.ToImmutable();
        var report = await checks.CheckHealthAsync(r => keys.Contains(r.Name), cancellationToken).ConfigureAwait(false);
        foreach (var (key, entry) in report.Entries) reports.Add(Report(key, entry.Status, entry.Description ?? entry.Exception?.Message));
        return reports.ToImmutable();
    }

    HealthReportSnapshot Report(string name, HealthStatus status, string? description) =>
        new(name, status, description, null) { LastRunAt = time.GetUtcNow().UtcDateTime };

    /// <summary>What is wrong, or null.</summary>
    static string? Problem(ImmutableArray<HealthReportSnapshot> reports)
    {
        var bad = reports.Where(r => r.Status != HealthStatus.Healthy).ToArray();
        if (bad.Length == 0) return null;
        return string.Join("; ", bad.Select(r => r.Name.EndsWith("_check", StringComparison.Ordinal) ? r.Description : $"{r.Name}: {r.Description ?? r.Status.ToString()}"));
    }

    async Task<string?> CheckHttpAsync(HttpHealthAnnotation check, Instance instance, CancellationToken cancellationToken)
    {
        var endpoint = instance.Ports.Keys.First(e => check.EndpointName is null ? e.UriScheme == "http" : e.Name == check.EndpointName);
        try
        {
            using var answer = await _http.GetAsync(new Uri(new Uri(instance.UrlOf(endpoint)), check.Path), cancellationToken).ConfigureAwait(false);
            if ((int)answer.StatusCode == check.StatusCode) return null;
            var text = await answer.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
            return $"{check.Path} answered {(int)answer.StatusCode}: {(text.Length > 300 ? text[..300] : text)}";
        }
        catch (HttpRequestException e)
        {
            return $"{check.Path}: {e.Message}";
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return $"{check.Path} did not answer within {_http.Timeout.TotalSeconds:0} s";
        }
    }

    async Task<bool> RunsAsync(IResource resource, string id, CancellationToken cancellationToken)
    {
        var update = await notifications.WaitForResourceAsync(
            resource.Name,
            e => e.ResourceId == id && (e.Snapshot.State?.Text == KnownResourceStates.Running || IsOver(e.Snapshot)),
            cancellationToken).ConfigureAwait(false);
        return !IsOver(update.Snapshot);
    }

    bool IsRunning(string id) =>
        notifications.TryGetCurrentState(id, out var current) && current!.Snapshot.State?.Text == KnownResourceStates.Running;

    static bool IsOver(CustomResourceSnapshot snapshot) => snapshot.State is { } state && KnownResourceStates.TerminalStates.Contains(state.Text);

    static bool HasChecks(IResource resource) => resource.Annotations.Any(a => a is HttpHealthAnnotation or HealthCheckAnnotation);

    Task PublishAsync(IResource resource, string id, ImmutableArray<HealthReportSnapshot> reports)
    {
        var status = reports.All(r => r.Status == HealthStatus.Healthy) ? HealthStatus.Healthy : HealthStatus.Unhealthy;
        return notifications.PublishUpdateAsync(
            resource, id, s => s.State?.Text == KnownResourceStates.Running ? s with { HealthStatus = status, HealthReports = reports } : s);
    }
}
