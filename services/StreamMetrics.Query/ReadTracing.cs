using System.Diagnostics;
using StreamMetrics.Contracts;
using StreamMetrics.Query.Model;

namespace StreamMetrics.Query;

/// <summary>
/// Joins the trace of a question with the trace of the event that stands for the answer (its exemplar): the question's span links to the
/// event, and the event's trace gets a span that says who has read it. So one trace leads from the producer to the reader.
/// </summary>
static class ReadTracing
{
    const int TraceIdLength = 32, SpanIdLength = 16;
    const int MaxSeries = 4;
    const int MaxPoints = 4;

    static readonly ActivitySource Source = new(QueryMetrics.MeterName);

    /// <summary>The answer to the present request was made of an aggregate with this exemplar.</summary>
    public static void Answered(Exemplar? exemplar)
    {
        if (exemplar is null || Activity.Current is not { Recorded: true } request || !TryParse(exemplar, out var origin)) return;
        request.AddLink(new(origin));
        using var read = Source.StartActivity("read aggregate", ActivityKind.Internal, origin, null, [new(request.Context)], request.StartTimeUtc);
        Activity.Current = request;
    }

    /// <summary>The same for the newest points of the first series; all of them would be too much to tell.</summary>
    public static void Answered(IReadOnlyList<SeriesAnswer> series)
    {
        if (Activity.Current is not { Recorded: true }) return;
        for (var i = 0; i < Math.Min(series.Count, MaxSeries); i++)
        {
            for (var p = series[i].Points.Count - 1; p >= Math.Max(0, series[i].Points.Count - MaxPoints); p--) Answered(series[i].Points[p].Exemplar);
        }
    }

    // What is no W3C id came with an event from elsewhere.
    static bool TryParse(Exemplar exemplar, out ActivityContext context)
    {
        context = default;
        return exemplar.TraceId.Length == TraceIdLength && exemplar.SpanId is { Length: SpanIdLength } span
            && ActivityContext.TryParse($"00-{exemplar.TraceId}-{span}-01", null, isRemote: true, out context);
    }
}
