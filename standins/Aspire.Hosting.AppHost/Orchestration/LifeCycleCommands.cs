using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting.Orchestration;

/// <summary>Start, stop and restart, for everything that is a process.</summary>
static class LifeCycleCommands
{
    public static void AddTo(IResource resource, ProcessOrchestrator orchestrator)
    {
        Add(KnownResourceCommands.StartCommand, "Start", "Play", id => orchestrator.StartInstanceAsync(id), IsOver, ResourceCommandState.Hidden, isHighlighted: true);
        Add(KnownResourceCommands.StopCommand, "Stop", "Stop", id => orchestrator.StopInstanceAsync(id, CancellationToken.None), IsRunning, ResourceCommandState.Hidden, isHighlighted: true);
        Add(KnownResourceCommands.RestartCommand, "Restart", "ArrowCounterclockwise", RestartAsync, IsRunning, ResourceCommandState.Disabled, isHighlighted: false);

        void Add(string name, string displayName, string icon, Func<string, Task> execute, Func<string?, bool> isPossible, ResourceCommandState otherwise, bool isHighlighted) =>
            resource.Annotations.Add(new ResourceCommandAnnotation(
                name,
                displayName,
                context => isPossible(context.ResourceSnapshot.State?.Text) ? ResourceCommandState.Enabled : otherwise,
                async context =>
                {
                    await execute(context.ResourceName).ConfigureAwait(false);
                    return CommandResults.Success();
                },
                new() { IconName = icon, IconVariant = isHighlighted ? IconVariant.Filled : IconVariant.Regular, IsHighlighted = isHighlighted }));

        async Task RestartAsync(string id)
        {
            await orchestrator.StopInstanceAsync(id, CancellationToken.None).ConfigureAwait(false);
            await orchestrator.StartInstanceAsync(id).ConfigureAwait(false);
        }
    }

    static bool IsRunning(string? state) => state == KnownResourceStates.Running;

    static bool IsOver(string? state) => state is null || state == KnownResourceStates.NotStarted || KnownResourceStates.TerminalStates.Contains(state);
}
