using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Eventing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting.Orchestration;

/// <summary>
/// Runs the projects and executables of the model as local processes: in the order of their waits, with the environment that Aspire
/// would give them, watched by their health checks, and stopped in the opposite order. A process that ends by itself is reported and not
/// started again. Containers need a runtime, which only the real package drives.
/// </summary>
sealed class ProcessOrchestrator : IHostedService, IAsyncDisposable
{
    /// <summary>From the request to stop until no process is left.</summary>
    public static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(9);

    readonly DistributedApplicationModel _model;
    readonly IDistributedApplicationEventing _eventing;
    readonly ResourceNotificationService _notifications;
    readonly ResourceLoggerService _loggers;
    readonly IServiceProvider _services;
    readonly IConsoleWriter _console;
    readonly TimeProvider _time;
    readonly string _folder;
    readonly ProgramStartBuilder _programs;
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
        IServiceProvider services,
        IConfiguration configuration,
        IHostEnvironment environment,
        IConsoleWriter console,
        TimeProvider time)
    {
        (_model, _eventing, _notifications, _loggers, _services, _console, _time) =
            (model, eventing, notifications, loggers, services, console, time);

        // The same key chooses the folder of the real package's own files.
        _folder = Path.Combine(configuration["Aspire:Store:Path"] ?? Path.Combine(environment.ContentRootPath, "obj"), ".aspire");
        _programs = new(executionContext);
        _health = new(notifications, healthChecks, console, time);
        _dependencies = new(notifications, console, time);
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

        _eventing.Subscribe<BeforeResourceStartedEvent>((e, token) => _dependencies.WaitAsync(e.Resource, token));
        await _eventing.PublishAsync(new BeforeStartEvent(_services, _model), cancellationToken).ConfigureAwait(false);
        foreach (var resource in _model.Resources)
        {
            if (resource is ProjectResource or ExecutableResource) _instances[resource] = EndpointAllocator.Allocate(resource);
        }

        foreach (var resource in _model.Resources) _running.Add(RunAsync(resource, _stopping.Token));
    }

    async Task RunAsync(IResource resource, CancellationToken cancellationToken)
    {
        try
        {
            await PublishAsync(resource, KnownResourceStates.NotStarted).ConfigureAwait(false);
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
            _console.WriteResourceLine(resource.Name, $"not started: {e.Message}");
            foreach (var id in Ids(resource)) await PublishAsync(resource, KnownResourceStates.FailedToStart, id).ConfigureAwait(false);
        }
    }

    async Task StartResourceAsync(IResource resource, CancellationToken cancellationToken)
    {
        if (_instances.TryGetValue(resource, out var instances))
        {
            await _eventing.PublishAsync(new BeforeResourceStartedEvent(resource, _services), cancellationToken).ConfigureAwait(false);
            foreach (var instance in instances) await StartInstanceAsync(instance, cancellationToken).ConfigureAwait(false);
            return;
        }

        // Resources of other kinds start themselves when they are initialised, but for those the package brings.
        if (resource is ConnectionStringResource)
        {
            await _eventing.PublishAsync(new BeforeResourceStartedEvent(resource, _services), cancellationToken).ConfigureAwait(false);
            await _eventing.PublishAsync(new ConnectionStringAvailableEvent(resource, _services), cancellationToken).ConfigureAwait(false);
        }

        if (resource is ConnectionStringResource or ParameterResource) await PublishAsync(resource, KnownResourceStates.Running).ConfigureAwait(false);
    }

    async Task StartInstanceAsync(Instance instance, CancellationToken cancellationToken)
    {
        await PublishAsync(instance.Resource, KnownResourceStates.Starting, instance.Id).ConfigureAwait(false);
        var program = await _programs.BuildAsync(instance, cancellationToken).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        var process = ResourceProcess.Start(program, line => _console.WriteResourceLine(instance.Id, line));
        instance.Process = process;
        _record!.Add(process.Pid, instance.Id);
        await PublishAsync(instance.Resource, KnownResourceStates.Running, instance.Id).ConfigureAwait(false);
        lock (_running) _running.Add(WatchExitAsync(instance, process));
    }

    async Task WatchExitAsync(Instance instance, ResourceProcess process)
    {
        var start = _time.GetTimestamp();
        var code = await process.Exit.ConfigureAwait(false);
        _record!.Remove(process.Pid);
        var state = code == 0 || instance.IsStopping ? KnownResourceStates.Finished : KnownResourceStates.Exited;
        if (state == KnownResourceStates.Exited)
        {
            var seconds = _time.GetElapsedTime(start).TotalSeconds;
            _console.WriteResourceLine(instance.Id, FormattableString.Invariant($"ended by itself after {seconds:0.0} s with {Ending(code)}; it is not started again"));
        }

        await _notifications.PublishUpdateAsync(
            instance.Resource, instance.Id, s => s with { State = state, ExitCode = code, HealthStatus = HealthStatus.Unhealthy }).ConfigureAwait(false);
    }

    // 128 and more: a signal ended it, SIGKILL (9) for one.
    static string Ending(int code) => code > 128
        ? FormattableString.Invariant($"signal {code - 128}")
        : FormattableString.Invariant($"exit code {code}");

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_stopping.IsCancellationRequested) return;
        await _stopping.CancelAsync().ConfigureAwait(false);
        await new StopSequence(_model, _instances, _console, _time).StopAsync(StopTimeout).ConfigureAwait(false);
        Task[] running;
        lock (_running) running = [.. _running];
        await Task.WhenAll(running).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        // A start that failed half-way is never stopped by the host.
        await StopAsync(CancellationToken.None).ConfigureAwait(false);
        foreach (var instance in _instances.Values.SelectMany(i => i)) instance.Process?.Dispose();
        _record?.Dispose();
        _stopping.Dispose();
        _health.Dispose();
    }

    IEnumerable<string> Ids(IResource resource) =>
        _instances.TryGetValue(resource, out var instances) ? instances.Select(i => i.Id) : [resource.Name];

    Task PublishAsync(IResource resource, string state, string? id = null) =>
        _notifications.PublishUpdateAsync(resource, id ?? resource.Name, s => s with { State = state });
}
