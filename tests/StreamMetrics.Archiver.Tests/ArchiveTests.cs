using System.Diagnostics.Metrics;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using StreamMetrics.Archiver.Archive;
using StreamMetrics.Archiver.Database;
using StreamMetrics.Archiver.Retention;
using StreamMetrics.Archiver.Tests.Support;
using StreamMetrics.Contracts;
using StreamMetrics.TestSupport;
using Xunit;

namespace StreamMetrics.Archiver.Tests;

/// <summary>What expires is in the archive, verified, before it is dropped, and comes back to the bit; on a clock that the test moves.</summary>
public sealed class ArchiveTests(StoresFixture stores) : IClassFixture<StoresFixture>
{
    const string Day = ArchiveSetting.Day;

    [Fact]
    public async Task An_expired_day_is_archived_and_dropped_and_a_restore_gives_the_same_rows()
    {
        await using var setting = await ArchiveSetting.StartAsync(stores);
        var rows = await setting.RowsAsync();
        Assert.True(await setting.RetainAsync());

        Assert.False(await setting.IsThereAsync());
        Assert.Equal([Day], await setting.Archive.ListAsync(CancellationToken.None));
        var manifest = (await setting.Archive.FindAsync(Day, CancellationToken.None))!;
        Assert.Equal(122, manifest.Content.Rows);
        Assert.Equal(ArchiveSetting.Noon, manifest.Content.MinTime);
        Assert.Equal(ArchiveSetting.Noon.AddMinutes(39 * 15), manifest.Content.MaxTime);
        Assert.Equal(Migrator.All[^1].Version, manifest.SchemaVersion);
        Assert.Equal(await Sha256Async(setting.Folder.Combine(manifest.File)), manifest.FileDigest.Sha256);

        Assert.True(await setting.Writing.RestoreAsync(setting.Archive, Day, setting.Clock));
        Assert.Equal(rows, await setting.RowsAsync());
        Assert.False(await setting.Writing.RestoreAsync(setting.Archive, Day, setting.Clock));
    }

    [Fact]
    public async Task A_restored_day_stays_for_its_time_and_goes_again_without_another_export()
    {
        await using var setting = await ArchiveSetting.StartAsync(stores);
        await setting.RetainAsync();
        await setting.Writing.RestoreAsync(setting.Archive, Day, setting.Clock);
        var files = Directory.GetFiles(setting.Folder.Path).Select(f => (f, File.GetLastWriteTimeUtc(f))).ToList();

        setting.Clock.Advance(TimeSpan.FromDays(7) - TimeSpan.FromTicks(10));
        Assert.True(await setting.RetainAsync());
        Assert.True(await setting.IsThereAsync());
        setting.Clock.Advance(TimeSpan.FromTicks(10));
        Assert.True(await setting.RetainAsync());
        Assert.False(await setting.IsThereAsync());
        Assert.Equal(files, Directory.GetFiles(setting.Folder.Path).Select(f => (f, File.GetLastWriteTimeUtc(f))));
        Assert.Equal(0, await setting.Writing.Store.ScalarAsync<long>("SELECT count(*) FROM restored_partitions"));
    }

    [Fact]
    public async Task A_correction_of_a_restored_day_is_archived_with_it()
    {
        await using var setting = await ArchiveSetting.StartAsync(stores);
        await setting.RetainAsync();
        await setting.Writing.RestoreAsync(setting.Archive, Day, setting.Clock);
        using var writer = setting.Writing.NewWriter();
        Writing.Write(writer, 1, 0, ArchiveSetting.Window(3, WindowNames.OneMinute, asOf: 9, kind: AggregateKind.Correction));
        var rows = await setting.RowsAsync();
        setting.Clock.Advance(TimeSpan.FromDays(8));
        Assert.True(await setting.RetainAsync());
        Assert.False(await setting.IsThereAsync());
        await setting.Writing.RestoreAsync(setting.Archive, Day, setting.Clock);
        Assert.Equal(rows, await setting.RowsAsync());
    }

    [Fact]
    public async Task Months_of_hours_and_years_of_days_are_archived_too()
    {
        await using var setting = await ArchiveSetting.StartAsync(stores);
        setting.Clock.SetUtcNow(new(2031, 1, 5, 0, 0, 0, TimeSpan.Zero));
        var (hours, days) = (await setting.RowsAsync("metric_rollups_hourly_202603"), await setting.RowsAsync("metric_rollups_daily_2026"));
        Assert.True(await setting.RetainAsync());
        Assert.Equal([Day, "metric_rollups_daily_2026", "metric_rollups_hourly_202603"], await setting.Archive.ListAsync(CancellationToken.None));
        await setting.Writing.RestoreAsync(setting.Archive, "metric_rollups_hourly_202603", setting.Clock);
        await setting.Writing.RestoreAsync(setting.Archive, "metric_rollups_daily_2026", setting.Clock);
        Assert.Equal((hours, days), (await setting.RowsAsync("metric_rollups_hourly_202603"), await setting.RowsAsync("metric_rollups_daily_2026")));
    }

    [Fact]
    public async Task While_the_archive_fails_nothing_is_dropped_and_it_is_tried_again()
    {
        await using var setting = await ArchiveSetting.StartAsync(stores);
        // A file where the folder should be.
        var path = setting.Folder.Combine("occupied");
        await File.WriteAllTextAsync(path, "");
        var failures = 0L;
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Name == "streammetrics.archiver.archive.failures") l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((_, value, _, _) => Interlocked.Add(ref failures, value));
        listener.Start();
        var archive = setting.Writing.NewArchive(new DirectoryStore(path), setting.Clock);
        var retention = new RetentionWorker(
            setting.Writing.NewRetainer(setting.Clock, archive), new(setting.Writing.Source), new(setting.Clock, NullLogger<DatabaseAvailability>.Instance),
            Options.Create(new ArchiveOptions { Directory = path }), setting.Clock, NullLogger<RetentionWorker>.Instance);
        await retention.StartAsync(CancellationToken.None);
        try
        {
            await Eventually.AssertAsync("the failure is told", async () =>
            {
                var health = await setting.Writing.ArchiveState.CheckHealthAsync(new());
                Assert.Equal(HealthStatus.Degraded, health.Status);
                Assert.Contains(Day, health.Description, StringComparison.Ordinal);
            });
            Assert.Equal(1, Interlocked.Read(ref failures));
            Assert.True(await setting.IsThereAsync());

            File.Delete(path);
            await Eventually.AssertAsync("the next try succeeds", async () =>
            {
                // Until the worker waits there is nothing to wake; a second interval finds nothing to do.
                setting.Clock.Advance(TimeSpan.FromMinutes(5));
                Assert.False(await setting.IsThereAsync());
                Assert.Equal(HealthStatus.Healthy, (await setting.Writing.ArchiveState.CheckHealthAsync(new())).Status);
            });
            await archive.VerifyAsync((await archive.FindAsync(Day, CancellationToken.None))!, CancellationToken.None);
        }
        finally
        {
            await retention.StopAsync(CancellationToken.None);
        }
    }

    [Fact]
    public async Task What_reads_back_differently_is_not_dropped()
    {
        await using var setting = await ArchiveSetting.StartAsync(stores);
        var broken = new DisturbedStore(new DirectoryStore(setting.Folder.Path), (name, stream) => name.EndsWith(".zst", StringComparison.Ordinal) ? Damage(stream) : stream);
        Assert.False(await setting.RetainAsync(setting.Writing.NewArchive(broken, setting.Clock)));
        Assert.True(await setting.IsThereAsync());
        Assert.Contains("damaged", (await setting.Writing.ArchiveState.CheckHealthAsync(new())).Description, StringComparison.Ordinal);
        Assert.True(await setting.RetainAsync());
        Assert.False(await setting.IsThereAsync());

        static MemoryStream Damage(Stream stream)
        {
            var copy = new MemoryStream();
            stream.CopyTo(copy);
            stream.Dispose();
            copy.GetBuffer()[copy.Length / 2] ^= 1;
            copy.Position = 0;
            return copy;
        }
    }

    [Fact]
    public async Task A_row_that_comes_during_the_export_is_not_lost()
    {
        await using var setting = await ArchiveSetting.StartAsync(stores);
        var late = ArchiveSetting.Window(60, WindowNames.OneMinute);
        var isWritten = false;
        var busy = new DisturbedStore(new DirectoryStore(setting.Folder.Path), onPut: _ =>
        {
            if (isWritten) return;
            isWritten = true;
            using var writer = setting.Writing.NewWriter();
            Writing.Write(writer, 1, 0, late);
        });
        Assert.True(await setting.RetainAsync(setting.Writing.NewArchive(busy, setting.Clock)));
        Assert.True(await setting.IsThereAsync());
        var rows = await setting.RowsAsync();
        Assert.True(await setting.RetainAsync());
        Assert.False(await setting.IsThereAsync());
        await setting.Writing.RestoreAsync(setting.Archive, Day, setting.Clock);
        Assert.Equal(rows, await setting.RowsAsync());
    }

    [Fact]
    public async Task Rows_that_come_after_the_drop_do_not_replace_the_archive()
    {
        await using var setting = await ArchiveSetting.StartAsync(stores);
        await setting.RetainAsync();
        using var writer = setting.Writing.NewWriter();
        Eventually_Write(writer);
        Assert.True(await setting.RetainAsync());
        Assert.True(await setting.IsThereAsync());
        Assert.Equal(122, (await setting.Archive.FindAsync(Day, CancellationToken.None))!.Content.Rows);
        var refused = await Assert.ThrowsAsync<ArchiveException>(() => setting.Writing.RestoreAsync(setting.Archive, Day, setting.Clock));
        Assert.Contains("1 rows that are not the archived ones; nothing was restored", refused.Message, StringComparison.Ordinal);
        Assert.Equal(1, await setting.Writing.Store.ScalarAsync<long>($"SELECT count(*) FROM {Day}"));

        static void Eventually_Write(Sink.SinkWriter writer)
        {
            // The writer may still know the partition that is gone; the sink's worker tries again, and so do we.
            var late = ArchiveSetting.Window(3, WindowNames.OneMinute, asOf: 9, kind: AggregateKind.Correction);
            try
            {
                Writing.Write(writer, 1, 0, late);
            }
            catch (Sink.ConcurrentWriteException)
            {
                Writing.Write(writer, 1, 0, late);
            }
        }
    }

    [Theory]
    [InlineData("cut", "is damaged")]
    [InlineData("changed", "is damaged")]
    [InlineData("longer", "is damaged")]
    [InlineData("missing", "is missing")]
    [InlineData("manifest", "is no manifest")]
    [InlineData("format", "has format 2")]
    public async Task A_damaged_archive_is_told_and_restores_nothing(string damage, string expected)
    {
        await using var setting = await ArchiveSetting.StartAsync(stores);
        await setting.RetainAsync();
        var manifestFile = setting.Folder.Combine($"{Day}.json");
        var file = setting.Folder.Combine((await setting.Archive.FindAsync(Day, CancellationToken.None))!.File);
        var bytes = await File.ReadAllBytesAsync(file);
        switch (damage)
        {
            case "cut": await File.WriteAllBytesAsync(file, bytes[..^10]); break;
            case "changed": bytes[bytes.Length / 2] ^= 1; await File.WriteAllBytesAsync(file, bytes); break;
            case "longer": await File.WriteAllBytesAsync(file, [.. bytes, 0]); break;
            case "missing": File.Delete(file); break;
            case "manifest": await File.WriteAllTextAsync(manifestFile, "{}"); break;
            default:
                await File.WriteAllTextAsync(manifestFile, (await File.ReadAllTextAsync(manifestFile)).Replace("\"format\": 1", "\"format\": 2", StringComparison.Ordinal));
                break;
        }

        var failure = await Assert.ThrowsAsync<ArchiveException>(() => setting.Writing.RestoreAsync(setting.Archive, Day, setting.Clock));
        Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
        Assert.True(!await setting.IsThereAsync() || await setting.RowsAsync() == "");
    }

    [Fact]
    public async Task Only_one_instance_archives_at_a_time()
    {
        await using var setting = await ArchiveSetting.StartAsync(stores);
        await using (var other = await setting.Writing.Source.OpenConnectionAsync())
        {
            Assert.True(await AdvisoryLocks.TryTakeForSessionAsync(other, AdvisoryLocks.Retention, CancellationToken.None));
            Assert.True(await setting.RetainAsync());
            Assert.True(await setting.IsThereAsync());
            await AdvisoryLocks.ReleaseForSessionAsync(other, AdvisoryLocks.Retention);
        }

        Assert.True(await setting.RetainAsync());
        Assert.False(await setting.IsThereAsync());
    }

    [Fact]
    public async Task The_command_lists_verifies_and_restores()
    {
        await using var setting = await ArchiveSetting.StartAsync(stores);
        var rows = await setting.RowsAsync();
        await setting.RetainAsync();
        Assert.Contains(await RunAsync(0, "list"), line => line.StartsWith(Day, StringComparison.Ordinal) && line.Contains(" 122 ", StringComparison.Ordinal));
        Assert.Contains(await RunAsync(0, "verify", "2026-03-30"), line => line.EndsWith(": intact", StringComparison.Ordinal));
        Assert.Contains(await RunAsync(0, "restore", "2026-03-30", "--days", "30"), line => line.Contains("restored 122 rows", StringComparison.Ordinal));
        Assert.Equal(rows, await setting.RowsAsync());
        Assert.Contains(await RunAsync(0, "restore", Day), line => line.Contains("is there already", StringComparison.Ordinal));
        Assert.Contains(await RunAsync(1, "verify", "2026-03-31"), line => line.Contains("does not have metric_aggregates_20260331", StringComparison.Ordinal));
        Assert.Contains(await RunAsync(1, "verify", "yesterday"), line => line.StartsWith("error: 'yesterday' is no partition", StringComparison.Ordinal));
        Assert.Contains(await RunAsync(2, "remove"), line => line.StartsWith("usage: ", StringComparison.Ordinal));

        async Task<IReadOnlyList<string>> RunAsync(int code, params string[] arguments)
        {
            await using var program = ServiceProcess.Start(
                "StreamMetrics.Archiver",
                // Of a wrong command it tells before it misses settings.
                new Dictionary<string, string?> { ["ConnectionStrings__streammetrics"] = setting.Writing.Database, ["Archiver__Archive__Directory"] = code == 2 ? null : setting.Folder.Path },
                ["archive", .. arguments]);
            Assert.True(await program.WaitForExitAsync() == code, program.Tail());
            return program.Output;
        }
    }

    [S3Fact]
    public async Task A_bucket_of_an_S3_server_is_as_good_and_while_it_is_away_nothing_is_dropped()
    {
        await using var setting = await ArchiveSetting.StartAsync(stores);
        await using var server = await S3Server.StartAsync();
        var options = new ArchiveOptions
        {
            Bucket = S3Server.Bucket, Endpoint = server.Endpoint, Region = "us-east-1", AccessKey = S3Server.Key, SecretKey = S3Server.Key, Prefix = "cold/",
            WorkDirectory = setting.Folder.Path,
        };
        using var wrong = new S3Store(new() { Bucket = options.Bucket, Endpoint = options.Endpoint, Region = options.Region, AccessKey = "wrong", SecretKey = "wrong", WorkDirectory = setting.Folder.Path });
        Assert.False(await setting.RetainAsync(setting.Writing.NewArchive(wrong, setting.Clock)));
        Assert.Contains("Access Key", (await setting.Writing.ArchiveState.CheckHealthAsync(new())).Description, StringComparison.Ordinal);
        Assert.True(await setting.IsThereAsync());

        // Small parts, so that the rows go up in several and the manifest in one piece.
        using var store = new S3Store(options, partBytes: 4_000);
        var archive = setting.Writing.NewArchive(store, setting.Clock);
        await server.StopAsync();
        Assert.False(await setting.RetainAsync(archive));
        Assert.True(await setting.IsThereAsync());

        await server.ResumeAsync();
        var rows = await setting.RowsAsync();
        Assert.True(await setting.RetainAsync(archive), (await setting.Writing.ArchiveState.CheckHealthAsync(new())).Description);
        Assert.False(await setting.IsThereAsync());
        Assert.Equal([Day], await archive.ListAsync(CancellationToken.None));
        await setting.Writing.RestoreAsync(archive, Day, setting.Clock);
        Assert.Equal(rows, await setting.RowsAsync());
        Assert.Empty(Directory.GetFiles(setting.Folder.Path, "*.zst"));
    }

    static async Task<string> Sha256Async(string file) => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(await File.ReadAllBytesAsync(file)));
}
