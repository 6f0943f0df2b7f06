using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Dashboard;
using Aspire.Hosting.Eventing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting.Orchestration;

/// <summary>
/// Runs the projects and executables of the model as local processes: in the order of their waits, with the environment that Aspire
/// would give them, watched by their health checks, and stopped in the opposite order. A process that ends by itself is reported and not
/// started again unless somebody asks for it. Containers need a runtime, which only the real package drives.
/// </summary>
sealed class ProcessOrchestrator : IHostedService, IAsyncDisposable
{
    /// <summary>From the request to stop until no process is left.</summary>
    public static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(9);

    // A start that takes longer goes on after the answer: it waits for others, and its state tells so.
    static readonly TimeSpan CommandPatience = TimeSpan.FromSeconds(2);

    readonly DistributedApplicationModel _model;
    readonly IDistributedApplicationEventing _eventing;
    readonly ResourceNotificationService _notifications;
    readonly ResourceLoggerService _loggers;
    readonly IServiceProvider _services;
    readonly ResourceConsole _console;
    readonly TimeProvider _time;
    readonly DashboardHost _dashboard;
    readonly string _folder;
    readonly InstanceRunner _runner;
    readonly HealthMonitor _health;
    readonly DependencyWaiter _dependencies;
    readonly CancellationTokenSource _stopping = new();
    readonly Dictionary<IResource, IReadOnlyList<Instance>> _instances = [];
    readonly List<Task> _running = [];
    ProcessRecord? _record;

    public ProcessOrchestrator(
        DistributedApplicationModel model,
        DistributedApplicationExecutionContext executionContext,
        IDistributedApplicationEventing eventing,
        ResourceNotificationService notifications,
        ResourceLoggerService loggers,
        HealthCheckService healthChecks,
        DashboardHost dashboard,
        IServiceProvider services,
        IConfiguration configuration,
        IHostEnvironment environment,
        IConsoleWriter console,
        TimeProvider time)
    {
        (_model, _eventing, _notifications, _loggers, _dashboard, _services, _time) =
            (model, eventing, notifications, loggers, dashboard, services, time);
        _console = new(console, loggers);

        // The same key chooses the folder of the real package's own files.
        _folder = Path.Combine(configuration["Aspire:Store:Path"] ?? Path.Combine(environment.ContentRootPath, "obj"), ".aspire");
        _runner = new(new(executionContext), notifications, _console, time);
        _health = new(notifications, healthChecks, _console, time);
        _dependencies = new(notifications, _console, time);
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _record = ProcessRecord.Open(_folder);
        var left = await _record.StopLeftoversAsync(_time, cancellationToken).ConfigureAwait(false);
        if (left.Count > 0) _console.WriteLine($"Stopped what an earlier run left behind: {string.Join(", ", left)}");

        if (_model.Resources.FirstOrDefault(r => r is ContainerResource) is { } container)
        {
            throw new NotSupportedException($"Running the container '{container.Name}' needs the real package Aspire.Hosting.AppHost.");
        }

        _eventing.Subscribe<BeforeResourceStartedEvent>((e, token) => _dependencies.WaitAsync(e.Resource, Ids(e.Resource), token));
        await _eventing.PublishAsync(new BeforeStartEvent(_services, _model), cancellationToken).ConfigureAwait(false);
        if (await _dashboard.StartAsync(cancellationToken).ConfigureAwait(false) is { } dashboard) _model.Resources.Insert(0, dashboard);
        foreach (var resource in _model.Resources)
        {
            if (resource is not (ProjectResource or ExecutableResource)) continue;
            _instances[resource] = EndpointAllocator.Allocate(resource);
            if (resource.Name != DashboardHost.ResourceName) LifeCycleCommands.AddTo(resource, this);
        }

        foreach (var resource in _model.Resources) Track(RunAsync(resource, _stopping.Token));
    }

    /// <summary>Starts an instance that does not run, when all it waits for is there.</summary>
    public async Task StartInstanceAsync(string id)
    {
        var start = RestartAsync(Find(id), _stopping.Token);
        Track(start);
        if (await Task.WhenAny(start, Task.Delay(CommandPatience, _time)).ConfigureAwait(false) == start) await start.ConfigureAwait(false);
    }

    /// <summary>Stops an instance; what depends on it goes on, and is named.</summary>
    public async Task StopInstanceAsync(string id, CancellationToken cancellationToken)
    {
        var instance = Find(id);
        await instance.Changing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await _notifications.PublishUpdateAsync(instance.Resource, id, s => s with { State = KnownResourceStates.Stopping, WasStopped = true }).ConfigureAwait(false);
            await StopSequence.StopInstanceAsync(instance, StopTimeout, _console, _time).ConfigureAwait(false);
            await instance.Ended.ConfigureAwait(false);
        }
        finally
        {
            instance.Changing.Release();
        }

        var dependants = StopSequence.DependantsOf(instance.Resource, _model).Where(_instances.ContainsKey).Select(r => r.Name).ToArray();
        _console.WriteResourceLine(id, dependants.Length == 0 ? "stopped on request" : $"stopped on request; {string.Join(", ", dependants)} depend on it");
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_stopping.IsCancellationRequested) return;
        await _stopping.CancelAsync().ConfigureAwait(false);
        await new StopSequence(_model, _instances, _console, _time).StopAsync(StopTimeout).ConfigureAwait(false);
        await _dashboard.StopAsync().ConfigureAwait(false);
        Task[] running;
        lock (_running) running = [.. _running];
        await Task.WhenAll(running).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        // A start that failed half-way is never stopped by the host.
        await StopAsync(CancellationToken.None).ConfigureAwait(false);
        foreach (var instance in _instances.Values.SelectMany(i => i)) instance.Dispose();
        _record?.Dispose();
        _stopping.Dispose();
        _health.Dispose();
    }

    async Task RunAsync(IResource resource, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var id in Ids(resource)) await PublishAsync(resource, KnownResourceStates.NotStarted, id).ConfigureAwait(false);
            var health = _health.WatchAsync(resource, _instances.GetValueOrDefault(resource) ?? [], cancellationToken);
            await _eventing.PublishAsync(new InitializeResourceEvent(resource, _eventing, _loggers, _notifications, _services), cancellationToken)
                .ConfigureAwait(false);
            await StartResourceAsync(resource, cancellationToken).ConfigureAwait(false);
            await health.ConfigureAwait(false);
            await _eventing.PublishAsync(new ResourceReadyEvent(resource, _services), cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The application stops; StopAsync tells the states.
        }
        catch (Exception e)
        {
            await FailAsync(resource, e, Ids(resource)).ConfigureAwait(false);
        }
    }

    async Task RestartAsync(Instance instance, CancellationToken cancellationToken)
    {
        await instance.Changing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (instance.Process is { Exit.IsCompleted: false }) return;
            await instance.Ended.ConfigureAwait(false);
            await _dependencies.WaitAsync(instance.Resource, [instance.Id], cancellationToken).ConfigureAwait(false);
            Track(await _runner.StartAsync(instance, _record!, cancellationToken).ConfigureAwait(false));
            Track(WatchAgainAsync(instance, cancellationToken));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The application stops.
        }
        catch (Exception e)
        {
            await FailAsync(instance.Resource, e, [instance.Id]).ConfigureAwait(false);
        }
        finally
        {
            instance.Changing.Release();
        }
    }

    async Task WatchAgainAsync(Instance instance, CancellationToken cancellationToken)
    {
        try
        {
            await _health.WatchOneAsync(instance.Resource, instance, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The application stops.
        }
    }

    async Task FailAsync(IResource resource, Exception e, IEnumerable<string> ids)
    {
        _console.WriteResourceLine(resource.Name, $"not started: {e.Message}");
        foreach (var id in ids)
        {
            await _notifications.PublishUpdateAsync(resource, id, s => s with { State = new(KnownResourceStates.FailedToStart, KnownResourceStateStyles.Error) }).ConfigureAwait(false);
        }
    }

    async Task StartResourceAsync(IResource resource, CancellationToken cancellationToken)
    {
        if (_instances.TryGetValue(resource, out var instances))
        {
            await _eventing.PublishAsync(new BeforeResourceStartedEvent(resource, _services), cancellationToken).ConfigureAwait(false);
            foreach (var instance in instances) Track(await _runner.StartAsync(instance, _record!, cancellationToken).ConfigureAwait(false));
            return;
        }

        // Resources of other kinds start themselves when they are initialised, but for those the package brings.
        if (resource is ConnectionStringResource)
        {
            await _eventing.PublishAsync(new BeforeResourceStartedEvent(resource, _services), cancellationToken).ConfigureAwait(false);
            await _eventing.PublishAsync(new ConnectionStringAvailableEvent(resource, _services), cancellationToken).ConfigureAwait(false);
        }

        if (resource is ConnectionStringResource or ParameterResource) await PublishAsync(resource, KnownResourceStates.Running, resource.Name).ConfigureAwait(false);
    }

    Instance Find(string id) => _instances.Values.SelectMany(i => i).First(i => i.Id == id);

    void Track(Task task)
    {
        lock (_running)
        {
            _running.RemoveAll(t => t.IsCompletedSuccessfully);
            _running.Add(task);
        }
    }

    IEnumerable<string> Ids(IResource resource) =>
        _instances.TryGetValue(resource, out var instances) ? instances.Select(i => i.Id) : [resource.Name];

    Task PublishAsync(IResource resource, string state, string id) =>
        _notifications.PublishUpdateAsync(resource, id, s => s with { State = state });
}
