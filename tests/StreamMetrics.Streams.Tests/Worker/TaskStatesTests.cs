using StreamMetrics.Streams.Worker;
using Xunit;

namespace StreamMetrics.Streams.Tests.Worker;

public class TaskStatesTests
{
    static readonly HashSet<(TaskState, TaskState)> Allowed =
    [
        (TaskState.Created, TaskState.Restoring),
        (TaskState.Restoring, TaskState.Running),
        (TaskState.Created, TaskState.Suspended),
        (TaskState.Restoring, TaskState.Suspended),
        (TaskState.Running, TaskState.Suspended),
        (TaskState.Suspended, TaskState.Restoring),
        (TaskState.Suspended, TaskState.Closed),
    ];

    [Fact]
    public void Only_the_moves_of_the_diagram_are_allowed()
    {
        foreach (var from in Enum.GetValues<TaskState>())
        {
            foreach (var to in Enum.GetValues<TaskState>()) Assert.Equal(Allowed.Contains((from, to)), TaskStates.CanMove(from, to));
        }
    }
}
