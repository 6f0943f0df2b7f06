using Confluent.Kafka;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace StreamMetrics.ServiceDefaults.Kafka;

/// <summary>Healthy while a broker answers a metadata request; nothing is written.</summary>
sealed class KafkaHealthCheck(KafkaAdmin admin) : IHealthCheck
{
    static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            var metadata = await admin.GetMetadataAsync(Timeout, cancellationToken);
            return HealthCheckResult.Healthy($"{metadata.Brokers.Count} brokers");
        }
        catch (KafkaException e)
        {
            return new(context.Registration.FailureStatus, $"{admin.Servers}: {admin.Refusal ?? admin.Trouble ?? e.Error.Reason}", e);
        }
    }
}
