using StreamMetrics.Streams.Worker;
using StreamMetrics.TestSupport;
using Xunit;

namespace StreamMetrics.Streams.Tests.Worker;

public sealed class GroupInstanceTests : IDisposable
{
    readonly TempFolder _folder = new("instance");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Instances_on_one_machine_get_the_first_names_that_are_free()
    {
        var options = new WorkerOptions { DataDirectory = _folder.Combine("aggregator") };
        using var first = GroupInstance.Claim(options, 0);
        using var second = GroupInstance.Claim(options, 0);
        Assert.EndsWith("-0", first.Name, StringComparison.Ordinal);
        Assert.EndsWith("-1", second.Name, StringComparison.Ordinal);

        first.Dispose();
        using var again = GroupInstance.Claim(options, 0);
        Assert.Equal(first.Name, again.Name);
    }

    [Fact]
    public void A_configured_name_is_taken_as_it_is()
    {
        using var instance = GroupInstance.Claim(new WorkerOptions { InstanceId = "blue" }, 0);
        Assert.Equal("blue", instance.Name);
    }

    [Fact]
    public void Several_workers_of_a_process_share_a_configured_name_with_their_number()
    {
        using var instance = GroupInstance.Claim(new WorkerOptions { InstanceId = "blue", Workers = 2 }, 1);
        Assert.Equal("blue.1", instance.Name);
    }

    [Fact]
    public void A_data_folder_that_cannot_be_used_names_its_key()
    {
        File.WriteAllText(_folder.Combine("file"), "");
        var error = Assert.Throws<FatalWorkerException>(() => GroupInstance.Claim(new WorkerOptions { DataDirectory = _folder.Combine("file") }, 0));
        Assert.Contains("Aggregator:DataDirectory", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("10.0.0.1", "aggregator-2", 2)]
    [InlineData("10.0.0.1", "my-aggregator-17", 17)]
    [InlineData("10.0.0.1", "aggregator-6d4f5-x7k2p", null)]
    [InlineData(null, "aggregator-2", null)]
    public void The_ordinal_of_a_stateful_set_counts_inside_Kubernetes_only(string? kubernetes, string host, int? ordinal) =>
        Assert.Equal(ordinal, GroupInstance.PodOrdinal(kubernetes, host));
}
