using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Dashboard;

namespace Aspire.Hosting.Orchestration;

/// <summary>
/// Stops every process: each only when all that depend on it are gone, so that nobody loses his database while he still writes. First
/// it asks (SIGTERM); what does not listen in its share of the time is killed with its whole group. The dashboard is the last of all: to it
/// go the last traces and logs of the others, who would wait in vain for somebody to take them.
/// </summary>
sealed class StopSequence(
    DistributedApplicationModel model, IReadOnlyDictionary<IResource, IReadOnlyList<Instance>> instances, IConsoleWriter console, TimeProvider time)
{
    // Of the time that is left: what others wait for behind this one keeps the rest.
    const double ShareOfDependants = 0.6;
    const double ShareOfLast = 0.9;

    readonly Dictionary<IResource, Task> _stops = [];
    readonly ILookup<IResource, IResource> _dependants = (
        from resource in model.Resources
        from wait in resource.Annotations.OfType<WaitAnnotation>()
        select (wait.Resource, Dependant: resource)).ToLookup(d => d.Resource, d => d.Dependant);

    public Task StopAsync(TimeSpan timeout)
    {
        var start = time.GetTimestamp();
        return Task.WhenAll(model.Resources.Select(r => StopOnceAsync(r, () => timeout - time.GetElapsedTime(start))));
    }

    Task StopOnceAsync(IResource resource, Func<TimeSpan> left)
    {
        if (!_stops.TryGetValue(resource, out var stop))
        {
            stop = StopResourceAsync(resource, left);
            _stops[resource] = stop;
        }

        return stop;
    }

    async Task StopResourceAsync(IResource resource, Func<TimeSpan> left)
    {
        var dependants = resource.Name == DashboardHost.ResourceName ? model.Resources.Where(r => r != resource) : _dependants[resource];
        await Task.WhenAll(dependants.Select(d => StopOnceAsync(d, left)).ToArray()).ConfigureAwait(false);
        if (!instances.TryGetValue(resource, out var own)) return;
        var hasDependencies = resource.Annotations.OfType<WaitAnnotation>().Any();
        var grace = left() * (hasDependencies ? ShareOfDependants : ShareOfLast);
        await Task.WhenAll(own.Select(i => StopInstanceAsync(i, grace))).ConfigureAwait(false);
    }

    Task StopInstanceAsync(Instance instance, TimeSpan grace) => StopInstanceAsync(instance, grace, console, time);

    /// <summary>What waits for it, directly or by way of others.</summary>
    public static IEnumerable<IResource> DependantsOf(IResource resource, DistributedApplicationModel model)
    {
        var direct = model.Resources.Where(r => r.Annotations.OfType<WaitAnnotation>().Any(w => w.Resource == resource)).ToArray();
        return direct.Concat(direct.SelectMany(r => DependantsOf(r, model))).Distinct();
    }

    /// <summary>Asks first; what does not listen within <paramref name="grace"/> is killed with its whole group.</summary>
    public static async Task StopInstanceAsync(Instance instance, TimeSpan grace, IConsoleWriter console, TimeProvider time)
    {
        instance.IsStopping = true;
        if (instance.Process is not { } process) return;
        if (!process.Exit.IsCompleted)
        {
            process.Terminate();
            try
            {
                await process.Exit.WaitAsync(grace, time).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                console.WriteResourceLine(instance.Id, FormattableString.Invariant($"did not stop within {grace.TotalSeconds:0.0} s and is killed"));
            }
        }

        // Also when it stopped by itself: children that it left behind are in its group.
        process.Kill();
        await process.Exit.ConfigureAwait(false);
    }
}
