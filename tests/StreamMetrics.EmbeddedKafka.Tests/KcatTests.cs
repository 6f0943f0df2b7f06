using System.Diagnostics;

namespace StreamMetrics.EmbeddedKafka.Tests;

/// <summary>A test that needs kcat; skipped with the reason where it is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class KcatTheoryAttribute : TheoryAttribute
{
    public KcatTheoryAttribute()
    {
        if (!IsInstalled) Skip = "kcat is not installed (Debian: apt-get install kcat)";
    }

    static bool IsInstalled { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, "kcat")));
}

/// <summary>kcat is built on an old librdkafka (2.0.2 in Debian), so these are the checks of its versions of the protocol.</summary>
public sealed class KcatTests(BrokerFixture broker) : IClassFixture<BrokerFixture>
{
    static readonly string Numbers = string.Concat(Enumerable.Range(1, 10_000).Select(i => $"{i}\n"));

    [KcatTheory]
    [InlineData("none")]
    [InlineData("gzip")]
    [InlineData("snappy")]
    [InlineData("lz4")]
    [InlineData("zstd")]
    public async Task Every_codec_is_used_and_comes_back(string codec)
    {
        var topic = await broker.CreateTopicAsync();
        var (_, log) = await KcatAsync(Numbers, "-P", "-t", topic, "-z", codec, "-X", "debug=msg");
        Assert.DoesNotContain("does not support compression", log, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(Numbers, (await KcatAsync("", "-C", "-t", topic, "-e", "-q", "-o", "beginning")).Output);
        // The batches that reached the log carry the codec: attributes are the two bytes at 21.
        var batch = await File.ReadAllBytesAsync(Directory.GetFiles(Path.Combine(broker.Folder.Path, "topics", $"{topic}-0"), "*.log")[0]);
        Assert.Equal(Array.IndexOf(["none", "gzip", "snappy", "lz4", "zstd"], codec), batch[22] & 7);
    }

    [KcatTheory]
    [InlineData("enable.idempotence=true")]
    [InlineData("transactional.id=kcat")]
    public async Task Idempotent_and_transactional_records_are_read_committed(string setting)
    {
        var topic = await broker.CreateTopicAsync();
        await KcatAsync(Numbers, "-P", "-t", topic, "-X", setting);
        Assert.Equal(Numbers, (await KcatAsync("", "-C", "-t", topic, "-e", "-q", "-o", "beginning", "-X", "isolation.level=read_committed")).Output);
    }

    [KcatTheory]
    [InlineData("range,roundrobin")]
    [InlineData("cooperative-sticky")]
    public async Task Two_members_of_a_group_share_the_partitions_read_everything_once_and_one_takes_over(string strategy)
    {
        const int partitions = 4, perPartition = 500;
        var (topic, group) = (await broker.CreateTopicAsync(partitions), BrokerFixture.NewName("kcat-group"));
        using var first = new KcatMember(broker.Servers, group, topic, strategy);
        await first.WaitForAsync(reader => reader.Assigned.Count == partitions);
        using var second = new KcatMember(broker.Servers, group, topic, strategy);
        await first.WaitForAsync(reader => reader.Assigned.Count == 2);
        await second.WaitForAsync(reader => reader.Assigned.Count == 2);
        Assert.Empty(first.Assigned.Intersect(second.Assigned));

        await ProduceAsync(topic, partitions, "before", perPartition);
        var shared = await ReadAsync(partitions * perPartition, first, second);
        Assert.Equal((partitions / 2 * perPartition, partitions / 2 * perPartition), (first.Read.Count, second.Read.Count));
        Assert.Equal(partitions * perPartition, shared.Distinct().Count());

        // One leaves in order, having committed; the other takes over where it was.
        await second.LeaveAsync();
        await first.WaitForAsync(reader => reader.Assigned.Count == partitions);
        await ProduceAsync(topic, partitions, "after", perPartition);
        var everything = await ReadAsync(2 * partitions * perPartition, first, second);
        Assert.Equal(2 * partitions * perPartition, everything.Distinct().Count());
        Assert.Equal(partitions / 2 * perPartition, second.Read.Count);
        await first.LeaveAsync();
    }

    [KcatTheory]
    [InlineData(-2, 0)]
    [InlineData(-1, 10_000)]
    public async Task Ends_and_metadata_are_told(int time, int offset)
    {
        var topic = await broker.CreateTopicAsync();
        await KcatAsync(Numbers, "-P", "-t", topic);
        Assert.Contains($"offset {offset}\n", (await KcatAsync("", "-Q", "-t", $"{topic}:0:{time}")).Output, StringComparison.Ordinal);
        var listed = (await KcatAsync("", "-L", "-J")).Output;
        Assert.Contains($"\"topic\":\"{topic}\"", listed, StringComparison.Ordinal);
        Assert.Contains("{\"id\":3,", listed, StringComparison.Ordinal);
    }

    async Task ProduceAsync(string topic, int partitions, string name, int count)
    {
        for (var partition = 0; partition < partitions; partition++)
            await KcatAsync(string.Concat(Enumerable.Range(0, count).Select(i => $"{name}-{partition}-{i}\n")), "-P", "-t", topic, "-p", $"{partition}");
    }

    /// <summary>Everything the members have read, once it is as much as expected; more would be a record read twice.</summary>
    static async Task<List<string>> ReadAsync(int count, params KcatMember[] members)
    {
        await Wait.ForAsync(() => members.Sum(member => member.Read.Count) >= count, $"{count} records");
        return [.. members.SelectMany(member => member.Read)];
    }

    async Task<(string Output, string Log)> KcatAsync(string input, params string[] arguments)
    {
        using var kcat = Process.Start(new ProcessStartInfo("kcat", ["-b", broker.Servers, .. arguments]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, log) = (kcat.StandardOutput.ReadToEndAsync(), kcat.StandardError.ReadToEndAsync());
        await kcat.StandardInput.WriteAsync(input);
        kcat.StandardInput.Close();
        await kcat.WaitForExitAsync().WaitAsync(Wait.Patience);
        Assert.True(kcat.ExitCode == 0, $"kcat {string.Join(' ', arguments)}: exit code {kcat.ExitCode}\n{await log}");
        return (await output, await log);
    }
}
