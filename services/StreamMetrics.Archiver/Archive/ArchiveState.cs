using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace StreamMetrics.Archiver.Archive;

/// <summary>Whether the archive takes what has expired; the health check <c>archive</c>. The sink works without it, so it is degraded at worst.</summary>
sealed class ArchiveState : IHealthCheck
{
    volatile string? _failure;

    /// <summary>The last round failed.</summary>
    public void Failed(string partition, string reason) => _failure = $"{partition} has expired and stays: {reason}";

    /// <summary>A round went through.</summary>
    public void Worked() => _failure = null;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(_failure is { } failure ? HealthCheckResult.Degraded(failure) : HealthCheckResult.Healthy());
}
