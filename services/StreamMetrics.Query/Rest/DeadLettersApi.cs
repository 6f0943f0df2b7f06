using System.ComponentModel;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using StreamMetrics.Query.DeadLetters;

namespace StreamMetrics.Query.Rest;

/// <summary>Events that were put aside.</summary>
static class DeadLettersApi
{
    public static RouteGroupBuilder MapDeadLetters(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapApiGroup("/dead-letters", "Dead letters");
        group.MapGet("/", List).WithName("listDeadLetters")
            .WithSummary("Lists events that were put aside, the newest first, with their original bytes and the reason.")
            .WithParameters(Parameters.Topic, Parameters.Reason, Parameters.KeyServiceId, Parameters.PutAsideFrom, Parameters.PutAsideTo, Parameters.Before, Parameters.PageLimit);
        group.MapPost("/{partition}/{offset}/replay", Replay).WithName("replayDeadLetter")
            .WithSummary("Sends the original bytes of one to metrics-events again.")
            .WithDescription("With a header that says where it comes from: it is processed whatever its age and counted once, however often it is replayed.")
            .WithParameters(Parameters.Topic)
            .ProducesProblem(404);
        return group;
    }

    static async Task<Ok<DeadLettersAnswer>> List(HttpRequest request, DeadLetterService deadLetters, CancellationToken token) =>
        TypedResults.Ok(await deadLetters.ListAsync(DeadLetterQuery.Read(new(request.Query)), token));

    static async Task<Ok<ReplayAnswer>> Replay(
        [Description("Partition of the dead letter."), FromRoute] string partition, [Description("Offset of the dead letter."), FromRoute] string offset,
        HttpRequest request, DeadLetterService deadLetters, CancellationToken token)
    {
        var (topic, number, position) = DeadLetterQuery.ReadPosition(new(request.Query), partition, offset);
        return TypedResults.Ok(await deadLetters.ReplayAsync(topic, number, position, token));
    }
}
