using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using StreamMetrics.LoadGenerator.Sending;
using StreamMetrics.LoadGenerator.Simulation;
using StreamMetrics.TestSupport;
using Xunit;
using Xunit.Sdk;

namespace StreamMetrics.LoadGenerator.Tests;

public sealed class SimulationTests
{
    const long Now = 1_707_267_600_123;
    static readonly World Default = World.Create(new());

    [Theory]
    [InlineData(20, 1000)]
    [InlineData(3, 100)]
    [InlineData(1, 10)]
    [InlineData(45, 20_000)]
    public void The_world_has_the_series_asked_for_and_no_two_are_the_same(int services, int series)
    {
        var world = World.Create(new() { Services = services, Series = series });
        Assert.Equal(series, world.Series.Count);
        Assert.Equal(services, world.Series.Select(s => s.ServiceId).Distinct().Count());
        Assert.Equal(series, world.Series.Select(s => $"{s.ServiceId} {s.MetricName} {JsonSerializer.Serialize(s.Tags)}").Distinct().Count());
        Assert.All(world.Series.GroupBy(s => s.ServiceId), g => Assert.Equal(4, g.Select(s => s.MetricName).Distinct().Count()));
        Assert.Contains(world.Series, s => s is { ServiceId: "payment-service", MetricName: "api.request.duration" });
    }

    [Fact]
    public void About_one_request_in_a_hundred_fails()
    {
        var requests = Default.Series.Where(s => s.MetricName == "api.request.duration").ToList();
        Assert.InRange(requests.Where(s => s.Tags["statusCode"] == "500").Sum(s => s.Weight) / requests.Sum(s => s.Weight), 0.008, 0.012);
    }

    [Fact]
    public void The_same_seed_gives_the_same_events_and_another_one_others()
    {
        Assert.Equal(Values(7), Values(7));
        Assert.NotEqual(Values(7), Values(8));

        static string Values(int seed)
        {
            var world = World.Create(new() { Seed = seed });
            var random = new RandomSource(seed);
            return string.Join(' ', Enumerable.Range(0, 1000).Select(_ => world.Series[world.Choice.Next(random)].Values.Next(random)));
        }
    }

    [Fact]
    public void Choices_follow_their_weights()
    {
        double[] weights = [1, 0, 5, 0.5, 3.5];
        var choice = new WeightedChoice(weights);
        var random = new RandomSource(1);
        var seen = new int[weights.Length];
        for (var i = 0; i < 100_000; i++) seen[choice.Next(random)]++;
        Assert.Equal(0, seen[1]);
        Assert.All(weights.Zip(seen), p => Assert.InRange(p.Second / 100_000.0, p.First / 10 - 0.01, p.First / 10 + 0.01));
    }

    [Theory]
    [InlineData(nameof(LatencyDistribution.LogNormal))]
    [InlineData(nameof(LatencyDistribution.Pareto))]
    public void Latencies_have_their_median_and_a_slow_tail(string distribution)
    {
        var model = new LatencyModel(20, new() { Latency = Enum.Parse<LatencyDistribution>(distribution) });
        var random = new RandomSource(1);
        var values = Enumerable.Range(0, 20_000).Select(_ => model.Next(random) / 1000.0).Order().ToArray();
        Assert.InRange(values[10_000], 19, 21);
        Assert.InRange(values[19_900], 55, 400);
        Assert.True(values[0] > 0);
    }

    [Fact]
    public void Every_series_makes_events_that_satisfy_the_contract()
    {
        var random = new RandomSource(1);
        var composer = new EventComposer(new(EventIds.NewMark(), Now), random, traceShare: 0.5);
        Assert.All(Default.Series, series =>
        {
            var thousandths = series.Values.Next(random);
            var e = EventContract.AssertValid(composer.Compose(series, EventKind.Valid, Now, thousandths).ToArray());
            Assert.Equal(thousandths / 1000.0, e.GetProperty("value").GetDouble());
            Assert.Equal(Now, e.GetProperty("timestamp").GetInt64());
            Assert.Equal((series.ServiceId, series.MetricName), (e.GetProperty("serviceId").GetString()!, e.GetProperty("metricName").GetString()!));
            Assert.Equal(series.Tags, e.GetProperty("tags").Deserialize<Dictionary<string, string>>());
        });
    }

    [Property(MaxTest = 1000)]
    public Property A_value_reads_back_as_the_very_number_the_ledger_adds() =>
        Prop.ForAll(Gen.Choose(0, int.MaxValue).Select(n => (long)n * 3).ToArbitrary(), thousandths =>
        {
            var composer = new EventComposer(new(EventIds.NewMark(), Now), new(1), 0);
            var e = JsonDocument.Parse(composer.Compose(Default.Series[0], EventKind.Valid, Now, thousandths).ToArray()).RootElement;
            return e.GetProperty("value").GetDouble() == thousandths / ValueModel.PerUnit;
        });

    [Fact]
    public void Every_form_of_an_invalid_event_breaks_a_rule()
    {
        var composer = new EventComposer(new(EventIds.NewMark(), Now), new(1), 0);
        var forms = Enumerable.Range(0, 7).Select(_ => composer.ComposeInvalid(Default.Series[0], Now, 12_345).ToArray()).ToList();
        Assert.Equal(7, forms.Select(f => Encoding.UTF8.GetString(f)[48..]).Distinct().Count());
        Assert.Equal([Now + 600_000, Now - 8 * 86_400_000L], forms.Take(2).Select(f => EventContract.AssertValid(f).GetProperty("timestamp").GetInt64()));
        Assert.All(forms.Skip(2), f => Assert.ThrowsAny<Exception>(() => EventContract.AssertValid(f)));
    }

    [Fact]
    public void A_second_attempt_has_the_same_id_and_satisfies_the_contract()
    {
        var composer = new EventComposer(new(EventIds.NewMark(), Now), new(1), traceShare: 1);
        var first = EventContract.AssertValid(composer.Compose(Default.Series[0], EventKind.Valid, Now, 5).ToArray());
        var second = EventContract.AssertValid(composer.ComposeSecondAttempt().ToArray());
        Assert.Equal(first.GetProperty("eventId").GetGuid(), second.GetProperty("eventId").GetGuid());
        Assert.Equal("2", second.GetProperty("metadata").GetProperty("attempt").GetString());
    }

    [Fact]
    public void Ids_are_unique_UUIDs_and_say_whose_and_what_they_are()
    {
        var (mark, other) = ("0123456789abcd", "0123456789abce");
        var (first, second, stranger) = (new EventIds(mark, Now), new EventIds(mark, Now + 1), new EventIds(other, Now));
        var seen = new HashSet<string>();
        Span<byte> id = stackalloc byte[36];
        for (var i = 0; i < 20_000; i++)
        {
            var kind = (EventKind)(i % 4);
            (i % 2 == 0 ? first : second).Write(id, kind);
            var guid = Guid.ParseExact(Encoding.ASCII.GetString(id), "D");
            Assert.Equal(8, guid.Version);
            Assert.InRange(guid.Variant, 8, 11);
            Assert.True(seen.Add(guid.ToString()));
            Assert.True(first.TryRead(id, out var read));
            Assert.Equal(kind, read);
            Assert.False(stranger.TryRead(id, out _));
        }
    }
}
