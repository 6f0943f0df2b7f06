using System.Text;
using StreamMetrics.Aggregator.Live;
using StreamMetrics.Streams;
using Xunit;

namespace StreamMetrics.Aggregator.Tests.Live;

public class LiveEntryTests
{
    const long Start = 1_800_000_000_000; // the beginning of a minute
    const string Event = """
        {"eventId":"00000000-0000-4000-8000-000000000001","timestamp":1800000001000,"serviceId":"a","metricType":"GAUGE","metricName":"m","value":1,"unit":"1"}
        """;

    readonly PartitionEngine _engine = new(0, new());

    [Fact]
    public void A_window_that_only_moved_on_shows_no_new_event()
    {
        _engine.Process(new() { Offset = 0, LogTime = Start + 1_000, Value = Encoding.UTF8.GetBytes(Event) });
        Assert.All(Write(), entry => Assert.Equal(Start + 1_000, entry.NewestEvent));

        // Ten seconds later the sliding window has moved, and the series is written again although nothing came.
        _engine.Process(new() { Offset = 1, LogTime = Start + 11_000, IsClock = true });
        var moved = Write();
        Assert.NotEmpty(moved);
        Assert.All(moved, entry => Assert.Null(entry.NewestEvent));
    }

    List<LiveEntry> Write()
    {
        var output = new Entries();
        _engine.WriteLive(output, LiveLane.Unwatched, int.MaxValue);
        return output.Written;
    }

    sealed class Entries : ILiveOutput
    {
        public List<LiveEntry> Written { get; } = [];

        public LiveDecision Decide(LiveSeries series)
        {
            var keys = (SeriesKeys)(series.Companion ??= new SeriesKeys(series));
            var entry = new LiveEntry();
            entry.Begin(series, keys, "topic", 0, withCatalog: false);
            Written.Add(entry);
            return LiveDecision.Write;
        }

        public void Window(LiveSeries series, in LiveWindow window)
        {
        }

        public void Complete(LiveSeries series)
        {
        }
    }
}
