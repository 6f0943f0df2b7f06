using System.Globalization;
using StreamMetrics.TestSupport;

namespace StreamMetrics.Aggregator.Tests;

/// <summary>The embedded broker as a process of its own, which can be killed and started again on its ports and data.</summary>
sealed class EmbeddedKafkaProcess : IKafkaUnderTest
{
    const int Brokers = 3;

    readonly TempFolder _folder = new("embedded-kafka");
    readonly int _port = Ports.FreeRange(Brokers);
    ChildProcess? _process;

    /// <inheritdoc/>
    public string BootstrapServers => string.Join(',', Enumerable.Range(_port, Brokers).Select(port => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}")));

    /// <summary>Starts a broker with an empty folder.</summary>
    public static async Task<EmbeddedKafkaProcess> StartAsync()
    {
        var kafka = new EmbeddedKafkaProcess();
        await kafka.LaunchAsync();
        return kafka;
    }

    /// <summary>Kills it (SIGKILL) and starts it again at once.</summary>
    public async Task KillAndRestartAsync()
    {
        await _process!.DisposeAsync();
        await LaunchAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_process is not null) await _process.DisposeAsync();
        _folder.Dispose();
    }

    async Task LaunchAsync()
    {
        const string name = "StreamMetrics.EmbeddedKafka.Host";
        var dll = RepositoryRoot.Combine("services", name, "bin", RepositoryRoot.Configuration, "net10.0", $"{name}.dll");
        _process = ChildProcess.Start(name, [
            "dotnet", dll, "--data", _folder.Path, "--port", _port.ToString(CultureInfo.InvariantCulture), "--brokers", Brokers.ToString(CultureInfo.InvariantCulture)]);
        var process = _process;
        await Eventually.AssertAsync("the embedded broker listens", async () =>
        {
            process.ThrowIfEnded();
            using var client = new System.Net.Sockets.TcpClient();
            await client.ConnectAsync("127.0.0.1", _port);
        });
    }
}
