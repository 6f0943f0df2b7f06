using StreamMetrics.Streams;
using StreamMetrics.TestSupport;

namespace StreamMetrics.Aggregator.Tests;

/// <summary>Real aggregator processes with windows of seconds instead of minutes, so that a test sees them close.</summary>
static class AggregatorUnderTest
{
    /// <summary>After this silence the group gives a process's partitions away; the least that brokers allow by default.</summary>
    public static readonly TimeSpan SessionTimeout = TimeSpan.FromSeconds(6);

    /// <summary>The engine as the processes are told.</summary>
    public static EngineOptions Engine => new()
    {
        Pane = TimeSpan.FromSeconds(1),
        Windows = [Window("1m", 2), Window("5m", 4), Window("15m", 8)],
        SlidingSize = TimeSpan.FromSeconds(6),
        Grace = TimeSpan.FromSeconds(1),
        CorrectionHorizon = TimeSpan.FromSeconds(6),
        InputPartitions = 6,
    };

    /// <summary>Starts a process.</summary>
    /// <param name="kafka">The cluster.</param>
    /// <param name="data">Folder that the instances on this machine share.</param>
    /// <param name="settings">More settings.</param>
    public static ServiceProcess Start(IKafkaUnderTest kafka, TempFolder data, params (string Key, string Value)[] settings)
    {
        var environment = new Dictionary<string, string?>
        {
            ["ConnectionStrings__kafka"] = kafka.BootstrapServers,
            ["Aggregator__DataDirectory"] = data.Path,
            ["Aggregator__SessionTimeout"] = SessionTimeout.ToString(),
            ["Aggregator__Engine__Pane"] = "00:00:01",
            ["Aggregator__Engine__SlidingSize"] = "00:00:06",
            ["Aggregator__Engine__Grace"] = "00:00:01",
            ["Aggregator__Engine__CorrectionHorizon"] = "00:00:06",
            ["Logging__LogLevel__StreamMetrics"] = "Debug",
        };
        var windows = Engine.Windows;
        for (var i = 0; i < windows.Count; i++)
        {
            environment[$"Aggregator__Engine__Windows__{i}__Name"] = windows[i].Name;
            environment[$"Aggregator__Engine__Windows__{i}__Size"] = windows[i].Size.ToString();
        }

        foreach (var (key, value) in settings) environment[key] = value;
        return ServiceProcess.Start("StreamMetrics.Aggregator", environment);
    }

    /// <summary>Waits until the aggregators have written exactly what an offline run of the same log writes, and all windows are closed.</summary>
    /// <param name="kafka">The cluster.</param>
    /// <param name="context">What to say when they do not.</param>
    public static async Task<Outputs> SettleAsync(IKafkaUnderTest kafka, Func<string> context)
    {
        OfflineRun? offline = null;
        Outputs? outputs = null;
        await Eventually.TrueAsync(
            "the aggregators have closed every window",
            async () =>
            {
                offline = await OfflineRun.OfAsync(kafka.BootstrapServers, Engine);
                outputs = await Outputs.ReadAsync(kafka.BootstrapServers);
                return !offline.HasOpenWindows && outputs.Aggregates.Count >= offline.Aggregates.Count && outputs.DeadLetters.Count >= offline.DeadLetters.Count
                    && outputs.LateRecords.Count >= offline.LateRecords.Count;
            },
            () => $"{outputs?.Aggregates.Count} of {offline?.Aggregates.Count} aggregates; open windows: {offline?.HasOpenWindows}. {context()}");
        Xunit.Assert.Equal(offline!.DeadLetters, outputs!.DeadLetters);
        Xunit.Assert.Equal(offline.LateRecords, outputs.LateRecords);
        Xunit.Assert.Equal(offline.Aggregates, outputs.Aggregates);
        return outputs;
    }

    static WindowOptions Window(string name, int seconds) => new() { Name = name, Size = TimeSpan.FromSeconds(seconds) };
}
