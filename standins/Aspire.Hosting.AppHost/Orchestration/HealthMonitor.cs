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

    public void Dispose() => _http.Dispose();

    async Task WatchOneAsync(IResource resource, Instance? instance, CancellationToken cancellationToken)
    {
        var id = instance?.Id ?? resource.Name;
        if (!await RunsAsync(resource, id, cancellationToken).ConfigureAwait(false)) return;
        var start = time.GetTimestamp();
        var told = TimeSpan.Zero;
        while (await CheckAsync(resource, instance, cancellationToken).ConfigureAwait(false) is { } problem)
        {
            if (!IsRunning(id)) return;
            if (time.GetElapsedTime(start) - told > Reminder)
            {
                told = time.GetElapsedTime(start);
                console.WriteResourceLine(id, FormattableString.Invariant($"not ready after {told.TotalSeconds:0} s: {problem}"));
            }

            await Task.Delay(StartInterval, time, cancellationToken).ConfigureAwait(false);
        }

        await PublishAsync(resource, id, HealthStatus.Healthy).ConfigureAwait(false);
        if (HasChecks(resource)) _ = KeepWatchingAsync(resource, instance, id, cancellationToken);
    }

    async Task KeepWatchingAsync(IResource resource, Instance? instance, string id, CancellationToken cancellationToken)
    {
        var isHealthy = true;
        try
        {
            while (IsRunning(id))
            {
                await Task.Delay(Interval, time, cancellationToken).ConfigureAwait(false);
                var problem = await CheckAsync(resource, instance, cancellationToken).ConfigureAwait(false);
                if (isHealthy == problem is null || !IsRunning(id)) continue;
                isHealthy = problem is null;
                console.WriteResourceLine(id, isHealthy ? "healthy again" : $"not healthy: {problem}");
                await PublishAsync(resource, id, isHealthy ? HealthStatus.Healthy : HealthStatus.Unhealthy).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The application stops.
        }
    }

    /// <summary>What is wrong, or null.</summary>
    async Task<string?> CheckAsync(IResource resource, Instance? instance, CancellationToken cancellationToken)
    {
        foreach (var check in resource.Annotations.OfType<HttpHealthAnnotation>())
        {
            if (instance is null) throw new NotSupportedException($"HTTP health of '{resource.Name}' needs the real package Aspire.Hosting.AppHost.");
            if (await CheckHttpAsync(check, instance, cancellationToken).ConfigureAwait(false) is { } problem) return problem;
        }

        var keys = resource.Annotations.OfType<HealthCheckAnnotation>().Select(a => a.Key).ToHashSet();
        if (keys.Count == 0) return null;
        var report = await checks.CheckHealthAsync(r => keys.Contains(r.Name), cancellationToken).ConfigureAwait(false);
        return report.Status == HealthStatus.Healthy
            ? null
            : string.Join("; ", report.Entries.Where(e => e.Value.Status != HealthStatus.Healthy)
                .Select(e => $"{e.Key}: {e.Value.Description ?? e.Value.Exception?.Message ?? e.Value.Status.ToString()}"));
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

    Task PublishAsync(IResource resource, string id, HealthStatus status) =>
        notifications.PublishUpdateAsync(resource, id, s => s.State?.Text == KnownResourceStates.Running ? s with { HealthStatus = status } : s);
}
