using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;

namespace StreamMetrics.EmbeddedKafka.Tests;

/// <summary>Groups and transactions without a server, on a clock of the test's own; and what they do when the disk does not take a record.</summary>
public sealed class CoordinatorTests
{
    const string Group = "group", Topic = "topic", Id = "tx";

    [Fact]
    public async Task A_member_whose_time_is_up_does_not_keep_its_group_from_being_deleted()
    {
        using var folder = new TemporaryFolder();
        var time = new FakeTimeProvider();
        await using var broker = Start(folder, time);
        await JoinAsync(broker, "a");
        time.Advance(TimeSpan.FromMilliseconds(5999));
        Assert.Equal(ErrorCode.NonEmptyGroup, broker.Groups.Delete(Group));
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(ErrorCode.None, broker.Groups.Delete(Group));
        Assert.Null(broker.Groups.Find(Group));
    }

    [Fact]
    public async Task Offsets_of_a_topic_that_was_deleted_just_before_a_kill_do_not_come_back_with_the_next_topic_of_its_name()
    {
        using var folder = new TemporaryFolder();
        await using (var broker = Start(folder, TimeProvider.System)) Commit(broker, 42);
        // The topic goes from the meta file first; here the broker was killed right after that.
        var path = Path.Combine(folder.Path, "meta.json");
        var meta = JsonNode.Parse(await File.ReadAllTextAsync(path))!;
        var topics = meta["topics"]!.AsArray();
        topics.Remove(topics.Single(topic => (string)topic!["name"]! == Topic));
        await File.WriteAllTextAsync(path, meta.ToJsonString());

        await using var again = Start(folder, TimeProvider.System);
        Assert.Empty(again.Groups.Find(Group)?.Offsets ?? []);
    }

    [Fact]
    public async Task A_transaction_whose_opening_was_not_written_is_not_open()
    {
        using var folder = new TemporaryFolder();
        await using var broker = Start(folder, TimeProvider.System);
        var (producer, epoch) = Init(broker);
        PartitionId[] partitions = [new(Topic, 0)];
        using (Full(folder, broker)) Assert.ThrowsAny<Exception>(() => broker.Transactions.Add(Id, producer, epoch, partitions));
        Assert.Equal(ErrorCode.InvalidTxnState, TransactionCoordinator.CheckOpen(broker.Transactions.Find(Id)!, producer, epoch, partitions[0]));
        Assert.Equal(ErrorCode.None, broker.Transactions.Add(Id, producer, epoch, partitions));
        using var copy = new TemporaryFolder();
        await using var killed = AfterKill(folder, copy);
        Assert.Equal(TransactionStatus.Ongoing, killed.Transactions.Find(Id)!.Status);
    }

    [Fact]
    public async Task A_decision_that_was_not_written_is_not_taken()
    {
        using var folder = new TemporaryFolder();
        await using var broker = Start(folder, TimeProvider.System);
        var (producer, epoch) = Init(broker);
        broker.Transactions.Add(Id, producer, epoch, [new(Topic, 0)]);
        var log = broker.Topics.Find(Topic, 0)!;
        Append(log, producer, epoch);
        using (Full(folder, broker)) Assert.ThrowsAny<Exception>(() => broker.Transactions.End(Id, producer, epoch, commit: true));

        // Neither by the timer nor by a start may it be finished one way here and the other way there.
        broker.Transactions.Tick();
        Assert.True(log.HasOpenTransaction(producer));
        Assert.Equal(TransactionStatus.Ongoing, broker.Transactions.Find(Id)!.Status);
        Assert.Equal(ErrorCode.None, broker.Transactions.End(Id, producer, epoch, commit: true));
        Assert.False(log.HasOpenTransaction(producer));
    }

    [Fact]
    public async Task An_epoch_that_was_not_written_is_not_given()
    {
        using var folder = new TemporaryFolder();
        await using var broker = Start(folder, TimeProvider.System);
        var (producer, epoch) = Init(broker);
        using (Full(folder, broker)) Assert.ThrowsAny<Exception>(() => broker.Transactions.Init(Id, 60_000, producer, epoch));
        Assert.Equal((ErrorCode.None, producer, (short)(epoch + 1)), broker.Transactions.Init(Id, 60_000, producer, epoch));
        using var copy = new TemporaryFolder();
        await using var killed = AfterKill(folder, copy);
        Assert.Equal(epoch + 1, killed.Transactions.Find(Id)!.ProducerEpoch);
    }

    [Fact]
    public async Task A_topic_that_was_not_written_does_not_exist_and_can_be_created_later()
    {
        using var folder = new TemporaryFolder();
        await using var broker = Start(folder, TimeProvider.System);
        var blocked = Path.Combine(folder.Path, "meta.json.tmp");
        Directory.CreateDirectory(blocked);
        Assert.ThrowsAny<Exception>(() => broker.Topics.Create("new", 2, 1, []));
        Assert.ThrowsAny<Exception>(() => broker.Topics.AddPartitions(broker.Topics.Find(Topic)!, 5, []));
        Assert.ThrowsAny<Exception>(() => broker.Topics.Delete(broker.Topics.Find(Topic)!));
        Directory.Delete(blocked);
        Assert.Null(broker.Topics.Find("new"));
        Assert.Equal(ErrorCode.None, broker.Topics.Create("new", 2, 1, []).Error);
        using var copy = new TemporaryFolder();
        await using var killed = AfterKill(folder, copy);
        Assert.Equal(2, killed.Topics.Find("new")!.Partitions.Length);
        Assert.Single(killed.Topics.Find(Topic)!.Partitions);
    }

    [Fact]
    public async Task A_topic_whose_folders_cannot_be_made_does_not_exist_and_can_be_created_later()
    {
        using var folder = new TemporaryFolder();
        await using var broker = Start(folder, TimeProvider.System);
        var obstacles = new[] { "new-1", $"{Topic}-2" }.Select(name => Path.Combine(folder.Path, "topics", name)).ToList();
        foreach (var obstacle in obstacles) await File.WriteAllTextAsync(obstacle, "");
        Assert.ThrowsAny<IOException>(() => broker.Topics.Create("new", 2, 1, []));
        Assert.ThrowsAny<IOException>(() => broker.Topics.AddPartitions(broker.Topics.Find(Topic)!, 3, []));
        obstacles.ForEach(File.Delete);
        Assert.Equal(ErrorCode.None, broker.Topics.Create("new", 2, 1, []).Error);
        Assert.Single(broker.Store.Meta.Topics, topic => topic.Name == "new");
        Assert.Single(broker.Topics.Find(Topic)!.Partitions);
        Assert.Equal(ErrorCode.None, broker.Topics.AddPartitions(broker.Topics.Find(Topic)!, 3, []));
        using var copy = new TemporaryFolder();
        await using var killed = AfterKill(folder, copy);
        Assert.Equal((2, 3), (killed.Topics.Find("new")!.Partitions.Length, killed.Topics.Find(Topic)!.Partitions.Length));
    }

    [Fact]
    public async Task A_new_topic_has_nothing_of_a_folder_that_was_left_behind()
    {
        using var folder = new TemporaryFolder();
        await using var broker = Start(folder, TimeProvider.System);
        var log = broker.Topics.Find(Topic, 0)!;
        Append(log, 7, 0);
        var left = Path.Combine(folder.Path, "topics", "again-0");
        Directory.CreateDirectory(left);
        foreach (var file in Directory.GetFiles(Path.Combine(folder.Path, "topics", $"{Topic}-0"))) File.Copy(file, Path.Combine(left, Path.GetFileName(file)));
        Assert.Equal(0, broker.Topics.Create("again", 1, 1, []).Topic!.Partitions[0].EndOffset);
    }

    [Fact]
    public async Task Offsets_that_a_transaction_commits_after_the_end_of_their_topic_do_not_count()
    {
        using var folder = new TemporaryFolder();
        await using var broker = Start(folder, TimeProvider.System);
        var (producer, epoch) = Init(broker);
        broker.Transactions.Add(Id, producer, epoch, [new(TopicRegistry.Offsets, 0)]);
        Commit(broker, 42, producer, epoch);
        broker.Topics.Delete(broker.Topics.Find(Topic)!);
        Assert.Equal(ErrorCode.None, broker.Transactions.End(Id, producer, epoch, commit: true));
        Assert.Empty(broker.Groups.Find(Group)!.Offsets);
        broker.Topics.Create(Topic, 1, 1, []);
        using var copy = new TemporaryFolder();
        await using var killed = AfterKill(folder, copy);
        Assert.Empty(killed.Groups.Find(Group)!.Offsets);
    }

    [Fact]
    public async Task A_group_whose_end_was_not_written_lives_on_with_its_offsets()
    {
        using var folder = new TemporaryFolder();
        await using var broker = Start(folder, TimeProvider.System);
        Commit(broker, 42);
        using (Full(folder, broker, TopicRegistry.Offsets)) Assert.ThrowsAny<Exception>(() => broker.Groups.Delete(Group));
        var group = broker.Groups.Find(Group)!;
        Assert.Equal((GroupState.Empty, 42L), (group.State, group.Offsets[new(Topic, 0)].Offset));
        Assert.Equal(ErrorCode.None, broker.Groups.Delete(Group));
        using var copy = new TemporaryFolder();
        await using var killed = AfterKill(folder, copy);
        Assert.Null(killed.Groups.Find(Group));
    }

    [Fact]
    public async Task A_producer_id_whose_block_was_not_written_is_not_given()
    {
        using var folder = new TemporaryFolder();
        await using var broker = Start(folder, TimeProvider.System);
        var blocked = Path.Combine(folder.Path, "meta.json.tmp");
        Directory.CreateDirectory(blocked);
        Assert.ThrowsAny<Exception>(() => broker.ProducerIds.Next());
        Assert.ThrowsAny<Exception>(() => broker.ProducerIds.Next());
        Directory.Delete(blocked);
        var given = broker.ProducerIds.Next();
        using var copy = new TemporaryFolder();
        await using var killed = AfterKill(folder, copy);
        Assert.True(killed.ProducerIds.Next() > given);
    }

    static Broker Start(TemporaryFolder folder, TimeProvider time)
    {
        var broker = new Broker(new() { DataDirectory = folder.Path, TimeProvider = time }) { Endpoints = [new(1, "127.0.0.1", 1)] };
        broker.Topics.Create(Topic, 1, 1, []);
        return broker;
    }

    /// <summary>A second broker on a copy of the files as they are now.</summary>
    static Broker AfterKill(TemporaryFolder folder, TemporaryFolder copy)
    {
        foreach (var file in Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(copy.Path, Path.GetRelativePath(folder.Path, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }

        return new(new() { DataDirectory = copy.Path });
    }

    /// <summary>Until disposed a log takes nothing: its next record needs a new segment, and the file of that is in the way.</summary>
    static Obstacle Full(TemporaryFolder folder, Broker broker, string topic = TopicRegistry.Transactions)
    {
        var log = broker.Topics.Find(topic, 0)!;
        var settings = log.Settings;
        log.Settings = settings with { SegmentBytes = 1 };
        var active = Directory.GetFiles(Path.Combine(folder.Path, "topics", $"{topic}-0"), "*.log").Order().Last();
        var blocked = Directory.CreateDirectory(Path.ChangeExtension(active, ".index.tmp"));
        return new(() =>
        {
            blocked.Delete();
            log.Settings = settings;
        });
    }

    static (long ProducerId, short Epoch) Init(Broker broker)
    {
        var (error, producer, epoch) = broker.Transactions.Init(Id, 60_000, -1, -1);
        Assert.Equal(ErrorCode.None, error);
        return (producer, epoch);
    }

    static void Append(PartitionLog log, long producer, short epoch)
    {
        using var builder = new BatchBuilder();
        builder.Start(1000).Add("k"u8, "v"u8);
        var batch = builder.Finish(producer, epoch, BatchHeader.TransactionalBit);
        Assert.Equal(ErrorCode.None, log.Append(batch, BatchHeader.Read(batch), 1000, verified: true).Error);
    }

    static void Commit(Broker broker, long offset, long producer = -1, short epoch = -1)
    {
        var group = broker.Groups.GetOrAdd(Group);
        lock (group.Gate) Assert.Equal(ErrorCode.None, broker.Groups.Commit(group, [(new(Topic, 0), new(offset, -1, "", broker.Now))], producer, epoch));
    }

    /// <summary>A member with a session of 6 s, all the way to a stable group.</summary>
    static async Task JoinAsync(Broker broker, string instance)
    {
        var group = broker.Groups.GetOrAdd(Group);
        Task<JoinResult> joining;
        lock (group.Gate)
        {
            joining = group.Join(new()
            {
                GroupId = Group, MemberId = "", InstanceId = instance, ClientId = "c", ClientHost = "h", SessionTimeoutMs = 6000, RebalanceTimeoutMs = 6000,
                ProtocolType = "consumer", Protocols = [new("range", [])], NeedsMemberId = true, KnowsSkipAssignment = false,
            }, broker.Now - 1000);
            group.Tick(broker.Now);
        }

        var member = await joining;
        lock (group.Gate) Assert.True(group.Sync(member.MemberId, instance, member.Generation, null, null, [], broker.Now).IsCompletedSuccessfully);
    }

    sealed class Obstacle(Action remove) : IDisposable
    {
        public void Dispose() => remove();
    }
}
