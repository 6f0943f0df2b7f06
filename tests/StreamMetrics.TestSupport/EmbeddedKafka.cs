using System.Globalization;
using StreamMetrics.EmbeddedKafka;

namespace StreamMetrics.TestSupport;

/// <summary>The embedded broker in the process of the test. It can be stopped and started again on its ports and data.</summary>
public sealed class EmbeddedKafka : IKafkaUnderTest
{
    readonly TempFolder _folder = new("embedded-kafka");
    EmbeddedKafkaServer? _server;

    /// <inheritdoc/>
    public string BootstrapServers { get; private set; } = "";

    /// <summary>Starts a broker with an empty data folder.</summary>
    public static async Task<EmbeddedKafka> StartAsync()
    {
        var kafka = new EmbeddedKafka();
        await kafka.ResumeAsync();
        return kafka;
    }

    /// <summary>Stops it in order.</summary>
    public async Task StopAsync() => await _server!.DisposeAsync();

    /// <summary>Starts it again after <see cref="StopAsync"/>.</summary>
    public async Task ResumeAsync()
    {
        _server = await EmbeddedKafkaServer.StartAsync(new()
        {
            DataDirectory = _folder.Combine("data"),
            Port = BootstrapServers.Length == 0 ? 0 : int.Parse(BootstrapServers.AsSpan(BootstrapServers.LastIndexOf(':') + 1), CultureInfo.InvariantCulture),
            Brokers = 1,
            AutoCreateTopics = false,
        });
        BootstrapServers = _server.BootstrapServers;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
        _folder.Dispose();
    }
}
