using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using StreamMetrics.Streams.Worker;

namespace StreamMetrics.Aggregator;

/// <summary>Unhealthy when a worker's loop has not come round for a session timeout: by then the group has given its partitions away.</summary>
/// <param name="service">The workers.</param>
/// <param name="options">Options.</param>
/// <param name="time">Clock.</param>
sealed class WorkerHealthCheck(WorkerService service, IOptions<WorkerOptions> options, TimeProvider time) : IHealthCheck
{
    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var now = time.GetUtcNow();
        for (var i = 0; i < service.Health.Count; i++)
        {
            var silence = now - service.Health[i].LastActivity;
            if (silence > options.Value.SessionTimeout)
                return Task.FromResult(new HealthCheckResult(context.Registration.FailureStatus, $"Worker {i} has not come round for {silence.TotalSeconds:0} s."));
        }

        return Task.FromResult(service.Health.Count > 0 ? HealthCheckResult.Healthy() : new(context.Registration.FailureStatus, "The workers have not started."));
    }
}
