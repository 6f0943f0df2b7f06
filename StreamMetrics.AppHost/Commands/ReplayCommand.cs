using System.Net.Http.Json;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace StreamMetrics.AppHost.Commands;

/// <summary>
/// Sends every dead letter to the input topic again, through the query service. One that was replayed before is counted once all the same;
/// one that is still invalid is put aside again, so only those that were there at the start are taken.
/// </summary>
static class ReplayCommand
{
    static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(30) };

    public static IResourceBuilder<ProjectResource> WithReplayCommand(this IResourceBuilder<ProjectResource> query) => query.WithCommand(
        "replay-dead-letters",
        "Replay dead letters",
        context => ReplayAsync(query.GetEndpoint("http"), context.CancellationToken),
        new()
        {
            Description = "Send every event that was put aside to metrics-events again.",
            ConfirmationMessage = "Send every dead letter to metrics-events again?",
            IconName = "ArrowRepeatAll",
            UpdateState = context => context.ResourceSnapshot.State?.Text == KnownResourceStates.Running ? ResourceCommandState.Enabled : ResourceCommandState.Disabled,
        });

    static async Task<ExecuteCommandResult> ReplayAsync(EndpointReference endpoint, CancellationToken cancellationToken)
    {
        var api = new Uri(new Uri(endpoint.Url), "/api/v1/dead-letters");
        var replayed = 0;
        try
        {
            foreach (var letter in await ListAsync(api, cancellationToken))
            {
                using var answer = await Http.PostAsync(new Uri(FormattableString.Invariant($"{api}/{letter.Partition}/{letter.Offset}/replay")), null, cancellationToken);
                if (!answer.IsSuccessStatusCode)
                {
                    return CommandResults.Failure(FormattableString.Invariant(
                        $"{replayed} replayed, then {letter.Partition}/{letter.Offset} was answered {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync(cancellationToken)}"));
                }

                replayed++;
            }

            return CommandResults.Success(FormattableString.Invariant($"{replayed} dead letters sent again"));
        }
        catch (HttpRequestException e)
        {
            return CommandResults.Failure(FormattableString.Invariant($"{replayed} replayed, then: {e.Message}"));
        }
    }

    static async Task<List<DeadLetter>> ListAsync(Uri api, CancellationToken cancellationToken)
    {
        var letters = new List<DeadLetter>();
        string? before = null;
        do
        {
            var query = before is null ? "?topic=dead-letter" : $"?topic=dead-letter&before={Uri.EscapeDataString(before)}";
            var page = await Http.GetFromJsonAsync<Page>(new Uri(api + query), cancellationToken);
            letters.AddRange(page!.DeadLetters);
            before = page.Next;
        }
        while (before is not null);
        return letters;
    }

    sealed record DeadLetter(int Partition, long Offset);

    sealed record Page(IReadOnlyList<DeadLetter> DeadLetters, string? Next);
}
