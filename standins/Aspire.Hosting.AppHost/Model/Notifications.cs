using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting.ApplicationModel;

public class ResourceEvent(IResource resource, string resourceId, CustomResourceSnapshot snapshot)
{
    public IResource Resource { get; } = resource;

    public string ResourceId { get; } = resourceId;

    public CustomResourceSnapshot Snapshot { get; } = snapshot;
}

/// <summary>The state of each resource (each replica has its own id) and its changes.</summary>
public sealed class ResourceNotificationService : IDisposable
{
    const string TypeSuffix = "Resource";

    readonly TimeProvider _time = TimeProvider.System;
    readonly ConcurrentDictionary<string, ResourceEvent> _current = new();
    readonly Lock _lock = new();
    ImmutableList<Channel<ResourceEvent>> _watchers = [];

    public Task PublishUpdateAsync(IResource resource, Func<CustomResourceSnapshot, CustomResourceSnapshot> stateFactory) =>
        PublishUpdateAsync(resource, resource.Name, stateFactory);

    public Task PublishUpdateAsync(IResource resource, string resourceId, Func<CustomResourceSnapshot, CustomResourceSnapshot> stateFactory)
    {
        lock (_lock)
        {
            var before = _current.TryGetValue(resourceId, out var known)
                ? known.Snapshot
                : new CustomResourceSnapshot { ResourceType = TypeName(resource), Properties = [], CreationTimeStamp = _time.GetUtcNow().UtcDateTime };
            var update = new ResourceEvent(resource, resourceId, stateFactory(before));
            _current[resourceId] = update;
            foreach (var watcher in _watchers) watcher.Writer.TryWrite(update);
        }

        return Task.CompletedTask;
    }

    public bool TryGetCurrentState(string resourceId, out ResourceEvent? resourceEvent) => _current.TryGetValue(resourceId, out resourceEvent);

    /// <summary>The current state of every resource first, then every change.</summary>
    public async IAsyncEnumerable<ResourceEvent> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var channel = Channel.CreateUnbounded<ResourceEvent>();
        lock (_lock)
        {
            foreach (var known in _current.Values) channel.Writer.TryWrite(known);
            _watchers = _watchers.Add(channel);
        }

        try
        {
            await foreach (var update in channel.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false)) yield return update;
        }
        finally
        {
            lock (_lock) _watchers = _watchers.Remove(channel);
        }
    }

    public async Task<ResourceEvent> WaitForResourceAsync(
        string resourceName, Func<ResourceEvent, bool> predicate, CancellationToken cancellationToken = default)
    {
        await foreach (var update in WatchAsync(cancellationToken).ConfigureAwait(false))
        {
            if (update.Resource.Name == resourceName && predicate(update)) return update;
        }

        throw new OperationCanceledException($"The application stopped before '{resourceName}' got there.");
    }

    public Task<ResourceEvent> WaitForResourceHealthyAsync(string resourceName, CancellationToken cancellationToken = default) =>
        WaitForResourceAsync(resourceName, e => e.Snapshot.HealthStatus == HealthStatus.Healthy, cancellationToken);

    /// <summary>As the real package names them: Project, Executable, Parameter.</summary>
    static string TypeName(IResource resource)
    {
        var name = resource.GetType().Name;
        return name.EndsWith(TypeSuffix, StringComparison.Ordinal) ? name[..^TypeSuffix.Length] : name;
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var watcher in _watchers) watcher.Writer.TryComplete();
        }
    }
}
