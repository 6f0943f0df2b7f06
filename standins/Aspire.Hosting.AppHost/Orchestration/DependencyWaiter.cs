using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting.Orchestration;

/// <summary>Holds a resource back until everything it waits for is there, and fails it when that can no longer happen.</summary>
sealed class DependencyWaiter(ResourceNotificationService notifications, IConsoleWriter console, TimeProvider time)
{
    static readonly TimeSpan Reminder = TimeSpan.FromSeconds(20);

    /// <param name="resource">Who waits.</param>
    /// <param name="ids">Its instances that are shown as waiting.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="DistributedApplicationException">What it waits for has failed.</exception>
    public async Task WaitAsync(IResource resource, IEnumerable<string> ids, CancellationToken cancellationToken)
    {
        var waits = WaitsOf(resource);
        if (waits.Length == 0) return;
        foreach (var id in ids) await notifications.PublishUpdateAsync(resource, id, s => s with { State = KnownResourceStates.Waiting }).ConfigureAwait(false);
        await Task.WhenAll(waits.Select(wait => WaitAsync(resource, wait, cancellationToken))).ConfigureAwait(false);
    }

    async Task WaitAsync(IResource resource, WaitAnnotation wait, CancellationToken cancellationToken)
    {
        var done = WaitForAllAsync(wait, cancellationToken);
        for (var start = time.GetTimestamp(); ;)
        {
            try
            {
                await done.WaitAsync(Reminder, time, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (TimeoutException)
            {
                console.WriteResourceLine(
                    resource.Name, FormattableString.Invariant($"still waiting for {wait.Resource.Name} after {time.GetElapsedTime(start).TotalSeconds:0} s"));
            }
        }
    }

    /// <summary>Every replica has to get there.</summary>
    async Task WaitForAllAsync(WaitAnnotation wait, CancellationToken cancellationToken)
    {
        // A connection string is there once and for all; the server behind it may be stopped.
        if (wait.Resource is not (ProjectResource or ExecutableResource))
        {
            await Task.WhenAll(WaitsOf(wait.Resource).Select(w => WaitForAllAsync(w, cancellationToken))).ConfigureAwait(false);
        }

        var wanted = wait.Resource.GetReplicaCount();
        var there = new HashSet<string>();
        await foreach (var update in notifications.WatchAsync(cancellationToken).ConfigureAwait(false))
        {
            if (update.Resource != wait.Resource) continue;
            if (IsThere(wait, update.Snapshot)) there.Add(update.ResourceId);
            else if (Failure(wait, update.Snapshot) is { } failure) throw new DistributedApplicationException($"{update.ResourceId} {failure}");
            if (there.Count >= wanted) return;
        }
    }

    static WaitAnnotation[] WaitsOf(IResource resource) => [.. resource.Annotations.OfType<WaitAnnotation>()];

    static bool IsThere(WaitAnnotation wait, CustomResourceSnapshot snapshot) => wait.WaitType switch
    {
        WaitType.WaitUntilHealthy => snapshot.State?.Text == KnownResourceStates.Running && snapshot.HealthStatus == HealthStatus.Healthy,
        WaitType.WaitUntilStarted => snapshot.State?.Text == KnownResourceStates.Running,
        WaitType.WaitForCompletion => IsTerminal(snapshot) && snapshot.ExitCode == wait.ExitCode,
        _ => throw new InvalidOperationException($"Unknown kind of wait {wait.WaitType}."),
    };

    static string? Failure(WaitAnnotation wait, CustomResourceSnapshot snapshot)
    {
        // Who stopped it may start it again.
        if (!IsTerminal(snapshot) || snapshot.WasStopped) return null;
        if (snapshot.State!.Text == KnownResourceStates.FailedToStart) return "was not started";
        return wait.WaitType == WaitType.WaitForCompletion
            ? $"ended with exit code {snapshot.ExitCode}, not {wait.ExitCode}"
            : $"ended with exit code {snapshot.ExitCode} before it was ready";
    }

    static bool IsTerminal(CustomResourceSnapshot snapshot) =>
        snapshot.State is { } state && KnownResourceStates.TerminalStates.Contains(state.Text);
}
