using Npgsql;

namespace StreamMetrics.Archiver.Database;

/// <summary>
/// What happens while PostgreSQL is away or too slow: whoever needs it waits and tries again, with pauses that grow to a few seconds. All
/// share this state, so that there is one line in the log when it goes and one when it is back, however many wait.
/// </summary>
sealed class DatabaseAvailability(TimeProvider time, ILogger<DatabaseAvailability> logger)
{
    static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(3);
    readonly Lock _lock = new();
    (DateTimeOffset Since, string Reason)? _away;

    /// <summary>Since when and why it is away; null when it is there as far as we know.</summary>
    public (DateTimeOffset Since, string Reason)? Away
    {
        get
        {
            lock (_lock) return _away;
        }
    }

    /// <summary>Whether a failure says that the server is away, overloaded or restarting, so that trying again will help.</summary>
    public static bool IsOutage(Exception exception) => exception switch
    {
        // Connection exceptions, insufficient resources (disk full, too many connections), operator intervention (shutdown, starting up,
        // cancelled by a timeout), lock not available: https://www.postgresql.org/docs/current/errcodes-appendix.html
        PostgresException e => e.SqlState is ['0', '8', ..] or ['5', '3', ..] or ['5', '7', ..] or PostgresErrorCodes.LockNotAvailable
            && e.SqlState != PostgresErrorCodes.DatabaseDropped,
        NpgsqlException => true,
        TimeoutException e => e.Source == "Npgsql",
        _ => false,
    };

    /// <summary>Does work on the calling thread, again and again while PostgreSQL is away.</summary>
    public T Run<T>(Func<T> work, CancellationToken cancellationToken)
    {
        for (var pause = FirstPause; ; pause = Longer(pause))
        {
            try
            {
                var result = work();
                MarkThere();
                return result;
            }
            catch (Exception e) when (IsOutage(e))
            {
                MarkAway(e);
            }

            Pause.On(time, pause, cancellationToken);
        }
    }

    /// <summary>Does work, again and again while PostgreSQL is away.</summary>
    public async Task<T> RunAsync<T>(Func<Task<T>> work, CancellationToken cancellationToken)
    {
        for (var pause = FirstPause; ; pause = Longer(pause))
        {
            try
            {
                var result = await work();
                MarkThere();
                return result;
            }
            catch (Exception e) when (IsOutage(e))
            {
                MarkAway(e);
            }

            await Task.Delay(pause, time, cancellationToken);
        }
    }

    void MarkAway(Exception exception)
    {
        lock (_lock)
        {
            if (_away is not null) return;
            _away = (time.GetUtcNow(), exception.Message);
        }

        Log.DatabaseAway(logger, exception.Message);
    }

    void MarkThere()
    {
        TimeSpan length;
        lock (_lock)
        {
            if (_away is not { } away) return;
            length = time.GetUtcNow() - away.Since;
            _away = null;
        }

        Log.DatabaseBack(logger, length);
    }

    // Some of the pause is chance, so that several instances do not come back in step.
    static TimeSpan Longer(TimeSpan pause)
    {
        var longer = pause * (1.5 + Random.Shared.NextDouble());
        return longer < LongestPause ? longer : LongestPause;
    }
}
