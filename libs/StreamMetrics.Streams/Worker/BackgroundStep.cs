namespace StreamMetrics.Streams.Worker;

/// <summary>
/// One blocking call on a thread of its own, so that the worker's thread never waits for the network. The owner asks
/// <see cref="IsDone"/> as it passes by; what the call wrote is visible to it from then on.
/// </summary>
sealed class BackgroundStep
{
    readonly Thread _thread;
    volatile bool _done;

    BackgroundStep(string name, Action action) => _thread = new(() => Run(action)) { Name = name, IsBackground = true };

    /// <summary>True when the call has returned or thrown.</summary>
    public bool IsDone => _done;

    /// <summary>What the call threw; meaningful once done.</summary>
    public Exception? Error { get; private set; }

    /// <summary>Starts the call.</summary>
    /// <param name="name">Name of the thread.</param>
    /// <param name="action">The call; every exception it throws is kept for the owner.</param>
    public static BackgroundStep Start(string name, Action action)
    {
        var step = new BackgroundStep(name, action);
        step._thread.Start();
        return step;
    }

    /// <summary>Waits for the end, for use where the owner has nothing else to do (revocation, shutdown).</summary>
    /// <param name="timeout">Longest wait; less than nothing means not at all, <see cref="Timeout.InfiniteTimeSpan"/> for ever.</param>
    /// <returns>False when the time ran out.</returns>
    public bool Wait(TimeSpan timeout) => _thread.Join(timeout >= TimeSpan.Zero || timeout == Timeout.InfiniteTimeSpan ? timeout : TimeSpan.Zero);

    void Run(Action action)
    {
        try
        {
            action();
        }
#pragma warning disable CA1031 // handed to the owner, which decides what happens next
        catch (Exception e)
#pragma warning restore CA1031
        {
            Error = e;
        }

        _done = true;
    }
}
