using System.Collections.Immutable;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Dashboard;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting.Orchestration;

/// <summary>Starts the process of an instance and tells its states until it ends.</summary>
sealed class InstanceRunner(ProgramStartBuilder programs, ResourceNotificationService notifications, ResourceConsole console, TimeProvider time)
{
    /// <summary>Returns, when the process runs, the task that ends after it.</summary>
    /// <exception cref="DistributedApplicationException">It cannot be started.</exception>
    public async Task<Task> StartAsync(Instance instance, ProcessRecord record, CancellationToken cancellationToken)
    {
        await notifications.PublishUpdateAsync(instance.Resource, instance.Id, s => s with
        {
            State = KnownResourceStates.Starting,
            HealthStatus = null,
            HealthReports = [],
            ExitCode = null,
            StopTimeStamp = null,
            WasStopped = false,
        }).ConfigureAwait(false);
        var program = await programs.BuildAsync(instance, cancellationToken).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        instance.IsStopping = false;
        instance.Process?.Dispose();
        var process = ResourceProcess.Start(program, (line, isError) => Show(instance, line, isError));
        instance.Process = process;
        record.Add(process.Pid, instance.Id);

        // Either who stops everything sees this process, or we see that it is to stop.
        Interlocked.MemoryBarrier();
        if (cancellationToken.IsCancellationRequested)
        {
            instance.IsStopping = true;
            process.Kill();
        }

        // Who reads that it runs may stop it at once and then waits for its end.
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        instance.Ended = WatchExitAsync(instance, process, record, told.Task);
        try
        {
            await TellRunningAsync(instance, process, program).ConfigureAwait(false);
        }
        finally
        {
            told.SetResult();
        }

        return instance.Ended;
    }

    Task TellRunningAsync(Instance instance, ResourceProcess process, ProgramStart program) =>
        notifications.PublishUpdateAsync(instance.Resource, instance.Id, s => s with
        {
            State = KnownResourceStates.Running,
            StartTimeStamp = time.GetUtcNow().UtcDateTime,
            Urls = InstanceUrls.Of(instance),
            EnvironmentVariables = [.. program.Environment.Select(e => new EnvironmentVariableSnapshot(e.Key, e.Value, IsFromSpec: true))],
            Properties = Properties(instance.Resource, program, process.Pid),
        });

    void Show(Instance instance, string line, bool isError)
    {
        // The dashboard tells at length, with stack traces, that its own connections were ended: by the stop that it was asked for.
        if (instance.IsStopping && instance.Resource.Name == DashboardHost.ResourceName) return;
        console.Write(instance.Id, line, isError);
    }

    async Task WatchExitAsync(Instance instance, ResourceProcess process, ProcessRecord record, Task told)
    {
        var start = time.GetTimestamp();
        var code = await process.Exit.ConfigureAwait(false);
        await told.ConfigureAwait(false);
        record.Remove(process.Pid);
        var state = code == 0 || instance.IsStopping ? KnownResourceStates.Finished : KnownResourceStates.Exited;
        if (state == KnownResourceStates.Exited)
        {
            var seconds = time.GetElapsedTime(start).TotalSeconds;
            console.WriteResourceLine(instance.Id, FormattableString.Invariant($"ended by itself after {seconds:0.0} s with {Ending(code)}; it is not started again"));
        }

        await notifications.PublishUpdateAsync(instance.Resource, instance.Id, s => s with
        {
            State = new(state, state == KnownResourceStates.Exited ? KnownResourceStateStyles.Error : null),
            ExitCode = code,
            HealthStatus = HealthStatus.Unhealthy,
            StopTimeStamp = time.GetUtcNow().UtcDateTime,
        }).ConfigureAwait(false);
    }

    // 128 and more: a signal ended it, SIGKILL (9) for one.
    static string Ending(int code) => code > 128
        ? FormattableString.Invariant($"signal {code - 128}")
        : FormattableString.Invariant($"exit code {code}");

    // The names are those that the dashboard knows.
    static ImmutableArray<ResourcePropertySnapshot> Properties(IResource resource, ProgramStart program, int pid)
    {
        var properties = ImmutableArray.CreateBuilder<ResourcePropertySnapshot>();
        properties.Add(new("executable.path", program.Command));
        properties.Add(new("executable.workDir", program.WorkingDirectory));
        properties.Add(new("executable.args", program.Arguments));
        properties.Add(new("executable.pid", pid));
        if (resource is ProjectResource project) properties.Add(new("project.path", project.GetProjectMetadata().ProjectPath));
        return properties.ToImmutable();
    }
}
