using StreamMetrics.EmbeddedKafka;

namespace StreamMetrics.TestSupport;

/// <summary>The embedded broker, in the test's process, on free ports and a folder of its own.</summary>
public sealed class EmbeddedKafkaUnderTest : IKafkaUnderTest
{
    readonly TempFolder _folder = new("embedded-kafka");
    readonly int _port;
    EmbeddedKafkaServer? _server;

    EmbeddedKafkaUnderTest(int port) => _port = port;

    /// <inheritdoc/>
    public string BootstrapServers => (_server ?? throw new InvalidOperationException("The broker is not running.")).BootstrapServers;

    /// <summary>Starts a broker that announces three nodes, as the product does.</summary>
    public static async Task<EmbeddedKafkaUnderTest> StartAsync()
    {
        var kafka = new EmbeddedKafkaUnderTest(Ports.FreeRange(Brokers));
        try
        {
            await kafka.ResumeAsync();
            return kafka;
        }
        catch
        {
            await kafka.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops it in order.</summary>
    public async Task StopAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
        _server = null;
    }

    /// <summary>Starts it again on its ports and data.</summary>
    public async Task ResumeAsync() =>
        _server ??= await EmbeddedKafkaServer.StartAsync(new() { DataDirectory = _folder.Path, Port = _port, Brokers = Brokers, AutoCreateTopics = false });

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _folder.Dispose();
    }

    const int Brokers = 3;
}
