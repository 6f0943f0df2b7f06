using System.Text.Json;
using System.Text.Json.Serialization;
using StreamMetrics.ServiceDefaults.Startup;

namespace StreamMetrics.LoadGenerator.Ledger;

/// <summary>What is kept of a ledger between runs.</summary>
sealed record LedgerState
{
    public const int CurrentVersion = 1;

    public required int Version { get; init; }

    /// <summary>The generator's mark in its eventIds.</summary>
    public required string Mark { get; init; }

    /// <summary>By partition: own events before this offset are counted, none from it on.</summary>
    public required IReadOnlyList<long> NextOffsets { get; init; }

    public required EventCounts Counts { get; init; }

    public required IReadOnlyList<LedgerWindow> Windows { get; init; }
}

[JsonSerializable(typeof(LedgerState))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
sealed partial class LedgerStateJson : JsonSerializerContext;

/// <summary><c>ledger.json</c> in the data folder; replaced as a whole, so that it is always one or the other.</summary>
sealed class LedgerFile(string folder)
{
    readonly string _path = Path.Combine(folder, "ledger.json");

    /// <summary>The state of the last run; null when there was none.</summary>
    /// <exception cref="StartupException">The file cannot be read, or the folder cannot be made.</exception>
    public LedgerState? Read()
    {
        try
        {
            Directory.CreateDirectory(folder);
            if (!File.Exists(_path)) return null;
            using var stream = File.OpenRead(_path);
            var state = JsonSerializer.Deserialize(stream, LedgerStateJson.Default.LedgerState);
            return state?.Version == LedgerState.CurrentVersion
                ? state
                : throw new StartupException($"{LoadGeneratorOptions.Section}:DataDirectory: {_path} has version {state?.Version}; this program reads {LedgerState.CurrentVersion}.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new StartupException($"{LoadGeneratorOptions.Section}:DataDirectory: {_path}: {e.Message}", e);
        }
    }

    public Task WriteAsync(LedgerState state) => Task.Run(async () =>
    {
        var next = _path + ".next";
        await using (var stream = File.Create(next))
        {
            await JsonSerializer.SerializeAsync(stream, state, LedgerStateJson.Default.LedgerState);
        }

        File.Move(next, _path, overwrite: true);
    });
}
