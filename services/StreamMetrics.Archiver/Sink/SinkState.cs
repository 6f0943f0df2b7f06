using Microsoft.Extensions.Diagnostics.HealthChecks;
using StreamMetrics.Archiver.Database;

namespace StreamMetrics.Archiver.Sink;

/// <summary>What the sink's loop tells of itself, and the health check <c>sink</c> made of it.</summary>
sealed class SinkState(DatabaseAvailability database, TimeProvider time) : IHealthCheck
{
    // A turn of the loop is a poll of half a second and a write of a few; one that takes a minute stands.
    static readonly TimeSpan LongestTurn = TimeSpan.FromMinutes(1);
    long _alive = time.GetTimestamp();

    /// <summary>A turn of the loop is done.</summary>
    public void Alive() => Volatile.Write(ref _alive, time.GetTimestamp());

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (database.Away is { } away) return Task.FromResult(HealthCheckResult.Unhealthy($"PostgreSQL is away since {away.Since:O}: {away.Reason}"));
        var since = time.GetElapsedTime(Volatile.Read(ref _alive));
        return Task.FromResult(since < LongestTurn
            ? HealthCheckResult.Healthy()
            : HealthCheckResult.Unhealthy($"The sink has not finished a batch for {since.TotalSeconds:0} s."));
    }
}
