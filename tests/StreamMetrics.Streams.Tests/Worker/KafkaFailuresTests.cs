using Confluent.Kafka;
using StreamMetrics.Streams.Worker;
using Xunit;

namespace StreamMetrics.Streams.Tests.Worker;

public class KafkaFailuresTests
{
    [Theory]
    [InlineData(ErrorCode.ProducerFenced)]
    [InlineData(ErrorCode.InvalidProducerEpoch)]
    [InlineData(ErrorCode.Local_Fenced)]
    public void A_newer_owner_means_the_partition_is_lost(ErrorCode code) => Assert.IsType<PartitionLostException>(Translate(code));

    [Theory]
    [InlineData(ErrorCode.TransactionalIdAuthorizationFailed)]
    [InlineData(ErrorCode.InvalidTransactionTimeout)]
    [InlineData(ErrorCode.UnsupportedVersion)]
    public void What_only_a_human_can_mend_is_fatal(ErrorCode code) => Assert.IsType<FatalWorkerException>(Translate(code));

    [Theory]
    [InlineData(ErrorCode.Local_TimedOut)]
    [InlineData(ErrorCode.IllegalGeneration)]
    [InlineData(ErrorCode.UnknownMemberId)]
    [InlineData(ErrorCode.NotEnoughReplicas)]
    [InlineData(ErrorCode.Local_State)]
    public void Everything_else_leads_to_a_restore(ErrorCode code) => Assert.IsType<StateCorruptedException>(Translate(code));

    [Fact]
    public void The_message_says_what_was_tried_for_which_partition()
    {
        var error = Translate(ErrorCode.Local_TimedOut);
        Assert.Contains("Committing for partition 3", error.Message, StringComparison.Ordinal);
        Assert.Contains("no answer", error.Message, StringComparison.Ordinal);
    }

    static Exception Translate(ErrorCode code) => KafkaFailures.Translate(new KafkaException(new Error(code, "no answer")), "Committing", 3);
}
