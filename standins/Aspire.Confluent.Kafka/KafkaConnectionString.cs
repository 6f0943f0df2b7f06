using System.Data.Common;
using Confluent.Kafka;

namespace Aspire.Confluent.Kafka;

/// <summary>A connection string is a list of bootstrap servers, or <c>BootstrapServers=…;SecurityProtocol=…;SaslMechanism=…;…</c>.</summary>
static class KafkaConnectionString
{
    public static void Apply(string connectionString, ClientConfig config)
    {
        if (!connectionString.Contains('=', StringComparison.Ordinal))
        {
            config.BootstrapServers = connectionString;
            return;
        }

        var parts = new DbConnectionStringBuilder { ConnectionString = connectionString };
        config.BootstrapServers = Text(parts, "BootstrapServers") ?? config.BootstrapServers;
        if (Enum.TryParse<SecurityProtocol>(Text(parts, "SecurityProtocol"), ignoreCase: true, out var protocol)) config.SecurityProtocol = protocol;
        if (Enum.TryParse<SaslMechanism>(Text(parts, "SaslMechanism"), ignoreCase: true, out var mechanism)) config.SaslMechanism = mechanism;
        config.SaslUsername = Text(parts, "SaslUsername") ?? config.SaslUsername;
        config.SaslPassword = Text(parts, "SaslPassword") ?? config.SaslPassword;
    }

    static string? Text(DbConnectionStringBuilder parts, string key) => parts.TryGetValue(key, out var value) ? value as string : null;
}
