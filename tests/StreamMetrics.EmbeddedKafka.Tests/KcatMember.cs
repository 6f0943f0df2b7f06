using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.RegularExpressions;

namespace StreamMetrics.EmbeddedKafka.Tests;

/// <summary>A kcat that stays in a consumer group: what it reads, and which partitions it says it has.</summary>
sealed partial class KcatMember : IDisposable
{
    readonly Process _process;
    readonly ConcurrentQueue<string> _log = new();
    volatile string[] _assigned = [];

    public KcatMember(string servers, string group, string topic, string strategy)
    {
        string[] arguments =
        [
            "-b", servers, "-G", group, "-u", "-f", "%s\n", "-X", "auto.offset.reset=earliest", "-X", $"partition.assignment.strategy={strategy}",
            "-X", "session.timeout.ms=60000", "-X", "heartbeat.interval.ms=300", topic,
        ];
        _process = Process.Start(new ProcessStartInfo("kcat", arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true })!;
        _process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is not null) Read.Enqueue(line.Data);
        };
        _process.ErrorDataReceived += (_, line) => Note(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public ConcurrentQueue<string> Read { get; } = new();

    public IReadOnlyCollection<string> Assigned => _assigned;

    public async Task WaitForAsync(Func<KcatMember, bool> condition)
    {
        try
        {
            await Wait.ForAsync(() => condition(this), "the partitions of a member");
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"{e.Message}; kcat said:\n{string.Join('\n', _log)}", e);
        }
    }

    /// <summary>Ends it as Ctrl-C does: it commits and leaves the group.</summary>
    public async Task LeaveAsync()
    {
        using var interrupt = Process.Start("kill", ["-INT", $"{_process.Id}"]);
        await _process.WaitForExitAsync().WaitAsync(Wait.Patience);
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.Dispose();
    }

    /// <summary>Lines such as "% Group g rebalanced (memberid …): assigned: t [0], t [1]"; cooperative members are told of changes only.</summary>
    void Note(string? line)
    {
        if (line is null) return;
        _log.Enqueue(line);
        if (!line.Contains("rebalanced", StringComparison.Ordinal)) return;
        var partitions = Partition().Matches(line).Select(match => match.Groups[1].Value).ToArray();
        if (line.Contains("incremental", StringComparison.Ordinal))
            _assigned = line.Contains("revoke", StringComparison.Ordinal) ? [.. _assigned.Except(partitions)] : [.. _assigned.Union(partitions)];
        else
            _assigned = line.Contains("revoke", StringComparison.Ordinal) ? [] : partitions;
    }

    [GeneratedRegex(@" \[(\d+)\]")]
    private static partial Regex Partition();
}
