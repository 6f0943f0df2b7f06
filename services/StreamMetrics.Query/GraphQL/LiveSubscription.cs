using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text.Json;
using HotChocolate;
using HotChocolate.Types;
using StreamMetrics.Contracts;
using StreamMetrics.Query.GraphQL.Types;
using StreamMetrics.Query.Input;
using StreamMetrics.Query.Live;
using StreamMetrics.Query.Model;
using StreamMetrics.Query.Rest;

namespace StreamMetrics.Query.GraphQL;

/// <summary>Live values, from the hub that the other streams have too.</summary>
[GraphQLName("Subscription")]
[SuppressMessage("Performance", "CA1822", Justification = "The fields of the schema are instance methods.")]
sealed class LiveSubscription
{
    static readonly TimeSpan WaitStep = TimeSpan.FromSeconds(30);

    [Subscribe(With = nameof(Follow))]
    [GraphQLDescription("The value there is, then each new one. Without tags the total, with tags each series that has them all, by itself. A slow reader gets fewer, newer values.")]
    public AggregateNode Aggregates([EventMessage] AggregateAnswer value) => new(value);

    /// <exception cref="InvalidRequestException">An argument is wrong; thrown at once, not by the first value.</exception>
    public IAsyncEnumerable<AggregateAnswer> Follow(
        string serviceId,
        string metricName,
        LiveService live,
        QueryMetrics metrics,
        [GraphQLDescription("1m-10s, 1m, 5m or 15m.")] string window = WindowNames.OneMinute,
        IReadOnlyList<TagInput>? tags = null,
        CancellationToken token = default)
    {
        var filter = RequestParser.Live(new TextArguments().Text("serviceId", serviceId).Text("metricName", metricName).Text("window", window).Tags(tags).Reader);
        return ValuesAsync(filter, live, metrics, token);
    }

    static async IAsyncEnumerable<AggregateAnswer> ValuesAsync(LiveFilter filter, LiveService live, QueryMetrics metrics, [EnumeratorCancellation] CancellationToken token)
    {
        using var outbox = new Outbox(metrics);
        await using var subscription = await live.SubscribeAsync("", filter, outbox, token);
        while (true)
        {
            foreach (var message in await outbox.TakeAsync(WaitStep, token)) yield return JsonSerializer.Deserialize(message.Json, QueryJson.Default.AggregateAnswer)!;
        }
    }
}
