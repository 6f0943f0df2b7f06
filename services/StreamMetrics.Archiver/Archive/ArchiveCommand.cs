using System.Globalization;
using Microsoft.Extensions.Options;
using StreamMetrics.ServiceDefaults.Startup;

namespace StreamMetrics.Archiver.Archive;

/// <summary>
/// <c>StreamMetrics.Archiver archive list | verify PARTITION | restore PARTITION [--days N]</c>, with the same settings as the service.
/// </summary>
static class ArchiveCommand
{
    public const string Usage = """
        usage: StreamMetrics.Archiver archive list
               StreamMetrics.Archiver archive verify PARTITION
               StreamMetrics.Archiver archive restore PARTITION [--days N]
        PARTITION: a day of final windows (2026-11-22), a month of hours (2026-11), a year of days (2026), or the partition's name as 'list' shows it
        --days N: how long retention leaves the restored rows alone; by default as Archiver:Archive:RestoredRetention says (7 days)
        Settings as for the service: Archiver__Archive__Directory or Archiver__Archive__Bucket ..., and for restore ConnectionStrings__streammetrics.
        """;

    /// <summary>Runs the command.</summary>
    /// <param name="args">What stands behind <c>archive</c>.</param>
    /// <param name="output">Where results go.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(string[] args, TextWriter output)
    {
        using var interrupt = new CancellationTokenSource();
        Console.CancelKeyPress += (_, e) =>
        {
            e.Cancel = true;
            interrupt.Cancel();
        };
        try
        {
            Func<IServiceProvider, Task<int>>? work = args switch
            {
                ["list"] => services => ListAsync(services, output, interrupt.Token),
                ["verify", var partition] => services => VerifyAsync(services, Partition(partition), output, interrupt.Token),
                ["restore", var partition] => services => RestoreAsync(services, Partition(partition), null, output, interrupt.Token),
                ["restore", var partition, "--days", var days] => services => RestoreAsync(services, Partition(partition), Days(days), output, interrupt.Token),
                _ => null,
            };
            if (work is null)
            {
                await Console.Error.WriteLineAsync(Usage);
                return 2;
            }

            using var host = Build();
            return await work(host.Services);
        }
        catch (Exception e) when (ArchiveException.IsFailure(e, interrupt.Token))
        {
            await Console.Error.WriteLineAsync($"error: {e.Message}");
            return 1;
        }
    }

    static WebApplication Build()
    {
        // Not the command's own arguments: "archive list" is no setting. Nothing is started; the service defaults tell wrong settings in one line.
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddServiceDefaults();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<ArchiverMetrics>();
        builder.AddNpgsqlDataSource("streammetrics", settings => settings.DisableHealthChecks = true);
        builder.Services.AddArchive();
        builder.Services.AddSingleton<PartitionRestorer>();
        var app = builder.Build();
        var options = app.Services.GetRequiredService<IOptions<ArchiveOptions>>().Value;
        if (!options.IsConfigured) throw new StartupException($"{ArchiveOptions.Section}:{nameof(options.Directory)} or {ArchiveOptions.Section}:{nameof(options.Bucket)} must say where the archive is.");
        return app;
    }

    static async Task<int> ListAsync(IServiceProvider services, TextWriter output, CancellationToken cancellationToken)
    {
        var archive = services.GetRequiredService<ColdArchive>();
        await output.WriteLineAsync("partition                          rows          bytes  first window          last window           exported");
        foreach (var partition in await archive.ListAsync(cancellationToken))
        {
            if (await archive.FindAsync(partition, cancellationToken) is not { } m) continue;
            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"{m.Partition,-28} {m.Content.Rows,10} {m.FileDigest.Bytes,14}  {m.Content.MinTime:yyyy-MM-ddTHH:mm:ssZ}  {m.Content.MaxTime:yyyy-MM-ddTHH:mm:ssZ}  {m.ExportedAt:yyyy-MM-ddTHH:mm:ssZ}"));
        }

        return 0;
    }

    static async Task<int> VerifyAsync(IServiceProvider services, string partition, TextWriter output, CancellationToken cancellationToken)
    {
        var archive = services.GetRequiredService<ColdArchive>();
        var manifest = await FindAsync(archive, partition, cancellationToken);
        await archive.VerifyAsync(manifest, cancellationToken);
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{partition}: {manifest.Content.Rows} rows, SHA-256 {manifest.FileDigest.Sha256}: intact"));
        return 0;
    }

    static async Task<int> RestoreAsync(IServiceProvider services, string partition, TimeSpan? keep, TextWriter output, CancellationToken cancellationToken)
    {
        var manifest = await FindAsync(services.GetRequiredService<ColdArchive>(), partition, cancellationToken);
        var isNew = await services.GetRequiredService<PartitionRestorer>().RestoreAsync(manifest, keep, cancellationToken);
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture, $"{partition}: {(isNew ? "restored" : "is there already, with the same")} {manifest.Content.Rows} rows; retention leaves them alone for a while"));
        return 0;
    }

    static async Task<ArchiveManifest> FindAsync(ColdArchive archive, string partition, CancellationToken cancellationToken) =>
        await archive.FindAsync(partition, cancellationToken) ?? throw new ArchiveException($"{archive.Location} does not have {partition}.");

    static string Partition(string text) =>
        ArchivedTables.Parse(text) ?? throw new ArchiveException($"'{text}' is no partition: give a day (2026-11-22), a month (2026-11), a year (2026) or a partition's name.");

    static TimeSpan Days(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var days) && days is >= 1 and <= 3_660
            ? TimeSpan.FromDays(days)
            : throw new ArchiveException($"--days is '{text}'; it must be a whole number from 1 to 3660.");
}
