using System.Numerics;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using StreamMetrics.Contracts;
using StreamMetrics.LoadGenerator.Ledger;
using StreamMetrics.LoadGenerator.Sending;
using Xunit;

namespace StreamMetrics.LoadGenerator.Tests;

public sealed class LedgerTests
{
    const long Minute = WindowLedger.WindowMs;
    const long Start = 1_707_267_600_000;

    [Fact]
    public void A_compensated_sum_keeps_what_a_plain_sum_loses()
    {
        var sum = default(CompensatedSum);
        foreach (var term in new[] { 1, 1e100, 1, -1e100 }) sum.Add(term);
        Assert.Equal(2, sum.Value);
    }

    [Property(MaxTest = 200)]
    public Property A_compensated_sum_of_thousandths_is_exact_to_the_last_bit() =>
        Prop.ForAll(Gen.Choose(0, 100_000_000).NonEmptyListOf().ToArbitrary(), thousandths =>
        {
            var sum = default(CompensatedSum);
            foreach (var t in thousandths) sum.Add(t / 1000.0);
            var exact = (double)thousandths.Aggregate(BigInteger.Zero, (a, t) => a + t) / 1000.0;
            // The terms are rounded themselves: half a unit in the last place each.
            Assert.InRange(sum.Value, exact * (1 - 2e-16), exact * (1 + 2e-16));
        });

    [Fact]
    public void Events_count_in_the_minute_of_their_time_by_service_and_metric()
    {
        var ledger = new WindowLedger();
        var (a, b) = (ledger.Metric("shop", "a"), ledger.Metric("shop", "b"));
        Assert.Equal(a, ledger.Metric("shop", "a"));
        Valid(ledger, a, Start, 1);
        Valid(ledger, a, Start + Minute - 1, 2);
        Valid(ledger, a, Start + Minute, 4);
        Valid(ledger, b, Start, 8);
        Assert.Equal(
            [("a", Start, 2, 3.0), ("a", Start + Minute, 1, 4.0), ("b", Start, 1, 8.0)],
            ledger.Windows(long.MinValue, long.MaxValue, Start).Select(w => (w.MetricName, w.Start, w.Count, w.Sum)).Order());
        Assert.Equal([4.0], ledger.Windows(Start + Minute, Start + 2 * Minute, Start).Select(w => w.Sum));
    }

    [Fact]
    public void Only_valid_and_corrected_events_are_in_windows_and_each_kind_is_counted()
    {
        var ledger = new WindowLedger();
        var metric = ledger.Metric("shop", "a");
        foreach (var kind in Enum.GetValues<EventKind>()) ledger.Acknowledged(kind, metric, Start, 1, 0, -1);
        Assert.Equal(new EventCounts { Acknowledged = 5, Invalid = 1, Corrected = 1, Late = 1, Duplicate = 1 }, ledger.Counts);
        Assert.Equal(2, Assert.Single(ledger.Windows(0, long.MaxValue, Start)).Count);
    }

    [Fact]
    public void Windows_are_kept_for_two_hours_and_their_place_is_used_again()
    {
        var ledger = new WindowLedger();
        var metric = ledger.Metric("shop", "a");
        for (var minute = 0; minute < 1000; minute++) Valid(ledger, metric, Start + minute * Minute, minute);
        var now = Start + 999 * Minute;
        // Hours late: its place belongs to a newer window by now.
        Valid(ledger, metric, Start, 1);
        Assert.Equal(Enumerable.Range(879, 121).Select(m => (double)m), ledger.Windows(long.MinValue, long.MaxValue, now).Select(w => w.Sum).Order());
    }

    [Fact]
    public void Offsets_move_past_what_was_counted()
    {
        var ledger = new WindowLedger();
        ledger.SetOffsets([5, 5]);
        ledger.Acknowledged(EventKind.Invalid, 0, 0, 0, 1, 7);
        ledger.Acknowledged(EventKind.Invalid, 0, 0, 0, 3, 0);
        ledger.Acknowledged(EventKind.Invalid, 0, 0, 0, 0, -1);
        Assert.Equal([5, 8, 0, 1], ledger.NextOffsets);
    }

    static void Valid(WindowLedger ledger, int metric, long timestamp, double value) =>
        ledger.Acknowledged(EventKind.Valid, metric, timestamp, value, -1, -1);
}
