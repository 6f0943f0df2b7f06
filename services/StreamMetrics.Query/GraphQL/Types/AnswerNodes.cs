using HotChocolate;
using HotChocolate.CostAnalysis.Types;
using StreamMetrics.Query.Model;

namespace StreamMetrics.Query.GraphQL.Types;

[GraphQLName("Attribute")]
[GraphQLDescription("Something that the service catalog says of a service.")]
sealed record AttributeNode(string Key, string Value);

[GraphQLName("Service")]
[GraphQLDescription("A service that sent events.")]
sealed class ServiceNode(ServiceAnswer answer)
{
    public string ServiceId => answer.ServiceId;

    [GraphQLDescription("Log time of the last event, ms since the epoch.")]
    public long LastSeen => answer.LastSeen;

    [GraphQLDescription("Number of metrics.")]
    public int Metrics => answer.Metrics;

    [Cost(0)]
    [ListSize(AssumedSize = 10)]
    [GraphQLDescription("What the service catalog says of it, e.g. team, tier, environment; empty when it is not in the catalog.")]
    public IReadOnlyList<AttributeNode> Attributes => [.. answer.Attributes.Select(a => new AttributeNode(a.Key, a.Value))];
}

[GraphQLName("Services")]
sealed class ServicesNode(ServicesAnswer answer)
{
    [Cost(0)]
    [ListSize(AssumedSize = 100)]
    public IReadOnlyList<ServiceNode> Services => [.. answer.Services.Select(s => new ServiceNode(s))];

    public DataSource Source => answer.Source;
}

[GraphQLName("Metric")]
[GraphQLDescription("A metric of a service.")]
sealed class MetricNode(MetricAnswer answer)
{
    public string MetricName => answer.MetricName;

    public string MetricType => answer.MetricType;

    public string Unit => answer.Unit;

    [GraphQLDescription("Number of series (distinct tag sets).")]
    public int Series => answer.Series;

    [GraphQLDescription("Log time of the last event, ms since the epoch.")]
    public long LastSeen => answer.LastSeen;
}

[GraphQLName("Metrics")]
sealed class MetricsNode(MetricsAnswer answer)
{
    public string ServiceId => answer.ServiceId;

    [Cost(0)]
    [ListSize(AssumedSize = 100)]
    public IReadOnlyList<MetricNode> Metrics => [.. answer.Metrics.Select(m => new MetricNode(m))];

    public DataSource Source => answer.Source;
}

[GraphQLName("Series")]
[GraphQLDescription("The points of one group, ascending by start. Steps without events have no point.")]
sealed class SeriesNode(SeriesAnswer answer)
{
    [Cost(0)]
    [ListSize(AssumedSize = 10)]
    [GraphQLDescription("The filter's tags and the groupBy values; a groupBy tag that the series lack is left out.")]
    public IReadOnlyList<TagNode> Tags => TagNode.ListOf(answer.Tags);

    [Cost(0)]
    [ListSize(AssumedSize = 60)]
    public IReadOnlyList<AggregateNode> Points => [.. answer.Points.Select(p => new AggregateNode(p))];
}

[GraphQLName("SeriesSet")]
sealed class SeriesSetNode(SeriesSetAnswer answer)
{
    public string ServiceId => answer.ServiceId;

    public string MetricName => answer.MetricName;

    public string Window => answer.Window;

    [GraphQLDescription("First instant that was looked at, ms since the epoch: 'from' rounded down to the step.")]
    public long From => answer.From;

    public long To => answer.To;

    [GraphQLDescription("Length of a point, ms.")]
    public long Step => answer.Step;

    [Cost(0)]
    [ListSize(AssumedSize = 10)]
    public IReadOnlyList<SeriesNode> Series => [.. answer.Series.Select(s => new SeriesNode(s))];

    public DataSource Source => answer.Source;

    [GraphQLDescription("What is missing because a store was away; null when the answer is complete.")]
    public string? Incomplete => answer.Incomplete;
}

[GraphQLName("Top")]
sealed class TopNode(TopAnswer answer)
{
    public string Window => answer.Window;

    public string By => answer.By;

    [Cost(0)]
    [ListSize(AssumedSize = 10)]
    [GraphQLDescription("Totals, the largest first.")]
    public IReadOnlyList<AggregateNode> Items => [.. answer.Items.Select(i => new AggregateNode(i))];

    public DataSource Source => answer.Source;
}
