using Microsoft.Extensions.Time.Testing;
using StreamMetrics.Archiver.Archive;
using StreamMetrics.Contracts;
using StreamMetrics.TestSupport;

namespace StreamMetrics.Archiver.Tests.Support;

/// <summary>A database with one day of windows that has expired, on a clock that the test moves.</summary>
sealed class ArchiveSetting : IAsyncDisposable
{
    public const string Day = "metric_aggregates_20260330";
    public static readonly DateTimeOffset Noon = new(2026, 3, 30, 12, 0, 0, TimeSpan.Zero);

    ArchiveSetting(Writing writing) => Writing = writing;

    public Writing Writing { get; }

    public TempFolder Folder { get; } = new("archive");

    public FakeTimeProvider Clock { get; } = new(Noon.AddDays(100));

    public ColdArchive Archive => Writing.NewArchive(new DirectoryStore(Folder.Path), Clock);

    public static async Task<ArchiveSetting> StartAsync(StoresFixture stores)
    {
        var setting = new ArchiveSetting(await Writing.StartAsync(stores));
        Writing.Write(setting.Writing.Writer, 0, 0, Windows());
        setting.Writing.NewMaintenance(setting.Clock).RollUp(CancellationToken.None);
        return setting;
    }

    /// <summary>Windows of every size, with texts and numbers that a careless format would change.</summary>
    public static List<Aggregate> Windows() =>
    [
        .. Enumerable.Range(0, 40).SelectMany(i => new[]
        {
            Window(i, WindowNames.OneMinute), Window(i, WindowNames.FiveMinutes), Window(i, WindowNames.FifteenMinutes),
        }),
        Window(50, WindowNames.OneMinute) with { Unit = "a\tb\nc\\d\r\\.", Exemplar = null, Sum = 0.1 + 0.2, Last = -0.0 },
        Window(51, WindowNames.OneMinute) with { Sum = double.MaxValue, Last = double.Epsilon, Unit = "", MetricType = "\\N" },
    ];

    public static Aggregate Window(int n, string window = WindowNames.FifteenMinutes, long asOf = 1, int partition = 0, AggregateKind kind = AggregateKind.Final)
    {
        var tags = n % 2 == 0 ? null : new Dictionary<string, string> { ["endpoint"] = $"/ü/{n}\t\"\\\n😀" };
        var length = Aggregates.Length(window);
        return Aggregates.Create(
            "s", Aggregates.Values(new Random(n), 30), asOf, (Noon.ToUnixTimeMilliseconds() / length * length) + (n % 40 * length), partition, kind, window, $"m{n}", tags);
    }

    /// <summary>Every row with every column, as text.</summary>
    public async Task<string> RowsAsync(string table = Day) =>
        await Writing.Store.ScalarAsync<string>($"SELECT coalesce(string_agg(t::text, E'\\n' ORDER BY id), '') FROM {table} t");

    public async Task<bool> IsThereAsync(string partition = Day) => await Writing.Store.ScalarAsync<bool>($"SELECT to_regclass('{partition}') IS NOT NULL");

    public Task<bool> RetainAsync(ColdArchive? archive = null) => Writing.NewRetainer(Clock, archive ?? Archive).DropExpiredAsync(CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await Writing.DisposeAsync();
        Folder.Dispose();
    }
}

/// <summary>A store with something done to it on the way: what a failing disk or another writer would do.</summary>
sealed class DisturbedStore(IArchiveStore inner, Func<string, Stream, Stream>? onOpen = null, Action<string>? onPut = null) : IArchiveStore
{
    public string Location => inner.Location;

    public string WorkFolder => inner.WorkFolder;

    public async Task PutAsync(string name, string workFile, CancellationToken cancellationToken)
    {
        onPut?.Invoke(name);
        await inner.PutAsync(name, workFile, cancellationToken);
    }

    public async Task<Stream?> OpenAsync(string name, CancellationToken cancellationToken) =>
        await inner.OpenAsync(name, cancellationToken) is not { } stream ? null : onOpen is null ? stream : onOpen(name, stream);

    public Task<IReadOnlyList<string>> ListAsync(string ending, CancellationToken cancellationToken) => inner.ListAsync(ending, cancellationToken);
}
