using StreamMetrics.EmbeddedKafka;

namespace StreamMetrics.TestSupport;

/// <summary>
/// The embedded broker in the process of the test, announcing three nodes as the product does. It can be stopped and started again on its
/// ports and data.
/// </summary>
public sealed class EmbeddedKafkaUnderTest : IKafkaUnderTest
{
    const int Brokers = 3;
    readonly TempFolder _folder = new("embedded-kafka");
    readonly int _port = Ports.FreeRange(Brokers);
    EmbeddedKafkaServer? _server;

    /// <inheritdoc/>
    public string BootstrapServers { get; private set; } = "";

    /// <summary>Starts a broker with an empty data folder.</summary>
    public static async Task<EmbeddedKafkaUnderTest> StartAsync()
    {
        var kafka = new EmbeddedKafkaUnderTest();
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

    /// <summary>Starts it again after <see cref="StopAsync"/>.</summary>
    public async Task ResumeAsync()
    {
        _server ??= await EmbeddedKafkaServer.StartAsync(
            new() { DataDirectory = _folder.Combine("data"), Port = _port, Brokers = Brokers, AutoCreateTopics = false });
        BootstrapServers = _server.BootstrapServers;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _folder.Dispose();
    }
}
