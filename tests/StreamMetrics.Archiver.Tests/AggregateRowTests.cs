using FsCheck.Xunit;
using StreamMetrics.Archiver.Sink;
using StreamMetrics.Archiver.Tests.Support;
using StreamMetrics.Contracts;
using Xunit;

namespace StreamMetrics.Archiver.Tests;

public sealed class AggregateRowTests
{
    [Property(MaxTest = 200)]
    public void Whatever_the_order_between_partitions_the_row_is_the_same(int seed)
    {
        var random = new Random(seed);
        var perPartition = Enumerable.Range(0, 3)
            .Select(p => Enumerable.Range(1, random.Next(1, 4)).Select(i => Aggregates.Create("s", Aggregates.Values(random, random.Next(1, 9)), asOf: i, partition: p)).ToList())
            .ToList();
        var inOrder = Merge(perPartition.SelectMany(a => a));
        var interleaved = Merge(Interleave(perPartition, random));
        Assert.Equal(Text(inOrder), Text(interleaved));
    }

    [Property(MaxTest = 200)]
    public void What_comes_twice_counts_once(int seed)
    {
        var random = new Random(seed);
        var all = Enumerable.Range(1, 5).Select(i => Aggregates.Create("s", Aggregates.Values(random, 3), asOf: i)).ToList();
        var again = all.SelectMany((a, i) => all.Take(random.Next(0, i + 1)).Prepend(a));
        Assert.Equal(Text(Merge(all)), Text(Merge(again)));
    }

    [Theory]
    [InlineData(MetricTypes.Counter, 6.0 / 60)]
    [InlineData(MetricTypes.Timer, 3.0 / 60)]
    public void The_rate_of_a_counter_is_its_sum_per_second(string metricType, double rate) =>
        Assert.Equal(rate, Merge([Aggregates.Create("s", [1, 2, 3], asOf: 1, metricType: metricType)]).ToAggregate().Rate);

    [Fact]
    public void The_last_value_is_that_of_the_latest_event_and_of_equals_the_larger()
    {
        var first = Aggregates.Create("s", [5], asOf: 1) with { LastTime = 1000 };
        Assert.Equal(7, Merge([first, first with { Last = 7, AsOfOffset = 2 }]).ToAggregate().Last);
        Assert.Equal(5, Merge([first, first with { Last = 3, AsOfOffset = 2 }]).ToAggregate().Last);
        Assert.Equal(3, Merge([first, first with { Last = 3, LastTime = 1001, AsOfOffset = 2 }]).ToAggregate().Last);
        Assert.Equal(5, Merge([first, first with { Last = 9, LastTime = 999, AsOfOffset = 2 }]).ToAggregate().Last);
    }

    [Fact]
    public void The_exemplar_is_the_largest_and_of_equals_the_first()
    {
        var first = Aggregates.Create("s", [5], asOf: 1);
        Assert.Equal("trace-1", Merge([first, Aggregates.Create("s", [5], asOf: 2)]).Exemplar!.TraceId);
        Assert.Equal("trace-2", Merge([first, Aggregates.Create("s", [6], asOf: 2)]).Exemplar!.TraceId);
        Assert.Equal("trace-2", Merge([first with { Exemplar = null }, Aggregates.Create("s", [1], asOf: 2)]).Exemplar!.TraceId);
    }

    [Theory]
    [InlineData(MetricTypes.Counter)]
    [InlineData(MetricTypes.Timer)]
    public void A_sum_beyond_the_numbers_there_are_stays_a_number(string metricType)
    {
        var row = Merge(Enumerable.Range(1, 3).Select(i => Aggregates.Create("s", [double.MaxValue], asOf: i, metricType: metricType)));

        Assert.Equal(double.MaxValue, row.Sum);
        Assert.Equal(double.MaxValue, AggregateRow.RollUp("1h", 0, 3_600_000, [row, row]).Sum);
        // What goes to Redis is JSON, which has no infinity.
        Assert.Contains("1.7976931348623157E+308", Text(row), StringComparison.Ordinal);
    }

    [Fact]
    public void A_roll_up_does_not_lose_what_rounding_takes_from_each_of_its_parts()
    {
        var parts = Enumerable.Range(1, 1_000).Select(i => AggregateRow.From(Aggregates.Create("s", [i == 1 ? 1e16 : 1], asOf: i), "")).ToList();

        Assert.Equal(1e16 + 1_000, AggregateRow.RollUp("1h", 0, 3_600_000, parts).Sum, 2.0);
    }

    static AggregateRow Merge(IEnumerable<Aggregate> aggregates)
    {
        AggregateRow? row = null;
        foreach (var aggregate in aggregates)
        {
            if (row is null) row = AggregateRow.From(aggregate, "");
            else row.Merge(aggregate);
        }

        return row!;
    }

    static IEnumerable<Aggregate> Interleave(List<List<Aggregate>> lists, Random random)
    {
        var rest = lists.Select(l => new Queue<Aggregate>(l)).ToList();
        while (rest.RemoveAll(q => q.Count == 0) >= 0 && rest.Count > 0) yield return rest[random.Next(rest.Count)].Dequeue();
    }

    // The exemplar's tie-break is by order and so left out.
    static string Text(AggregateRow row) =>
        System.Text.Json.JsonSerializer.Serialize(row.ToAggregate() with { Exemplar = null, Partition = 0, AsOfOffset = 0 }, ContractsJson.Default.Aggregate)
        + string.Join(',', row.Applied);
}
