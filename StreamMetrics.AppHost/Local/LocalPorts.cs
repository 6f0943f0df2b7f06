using System.Net;
using System.Net.NetworkInformation;

namespace StreamMetrics.AppHost.Local;

/// <summary>The fixed ports, all shifted by <c>--port-offset</c>. Health ports of workers are free ones.</summary>
sealed record LocalPorts(int Offset)
{
    /// <summary>Brokers of the cluster; broker n listens on <see cref="Kafka"/> + n - 1.</summary>
    public const int Brokers = 3;

    public int Query => 8080 + Offset;

    public int LoadGenerator => 8090 + Offset;

    public int KafkaUi => 8091 + Offset;

    public int Kafka => 19092 + Offset;

    public int KafkaControllers => 19192 + Offset;

    public int Postgres => 15432 + Offset;

    public int Redis => 16379 + Offset;

    public int Dashboard => 18888 + Offset;

    public int DashboardOtlpGrpc => 18889 + Offset;

    public int DashboardOtlpHttp => 18890 + Offset;

    public string KafkaServers => string.Join(',', Enumerable.Range(Kafka, Brokers).Select(port => FormattableString.Invariant($"127.0.0.1:{port}")));

    /// <exception cref="AppHostException">A port is taken: its number, what wanted it, and what to do.</exception>
    public static void ThrowIfTaken(IEnumerable<(int Port, string Wants)> wanted)
    {
        // A socket in the state TIME_WAIT does not keep a port from being listened on, so only listeners count.
        var listening = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners()
            .Where(e => IPAddress.IsLoopback(e.Address) || e.Address.Equals(IPAddress.Any) || e.Address.Equals(IPAddress.IPv6Any))
            .Select(e => e.Port).ToHashSet();
        foreach (var (port, wants) in wanted)
        {
            if (!listening.Contains(port)) continue;
            throw new AppHostException(FormattableString.Invariant(
                $"port {port}, which {wants} needs, is taken; stop what listens there, or shift all ports with --port-offset N"));
        }
    }
}
