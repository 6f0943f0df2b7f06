using StreamMetrics.EmbeddedKafka;
using StreamMetrics.TestSupport;

namespace StreamMetrics.Aggregator.Tests;

/// <summary>The embedded broker in this process.</summary>
sealed class EmbeddedKafkaUnderTest : IKafkaUnderTest
{
    readonly TempFolder _folder;
    readonly EmbeddedKafkaServer _server;

    EmbeddedKafkaUnderTest(TempFolder folder, EmbeddedKafkaServer server) => (_folder, _server) = (folder, server);

    /// <inheritdoc/>
    public string BootstrapServers => _server.BootstrapServers;

    /// <summary>Starts a broker on free ports with an empty folder.</summary>
    public static async Task<EmbeddedKafkaUnderTest> StartAsync()
    {
        var folder = new TempFolder("embedded");
        return new(folder, await EmbeddedKafkaServer.StartAsync(new() { DataDirectory = folder.Path }));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }
}
