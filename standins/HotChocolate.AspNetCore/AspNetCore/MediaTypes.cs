using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace HotChocolate.AspNetCore;

/// <summary>The form of a response.</summary>
enum ResponseForm
{
    /// <summary><c>application/json</c>: the status says whether the request was understood.</summary>
    Json,

    /// <summary><c>application/graphql-response+json</c>: the status says whether it was executed.</summary>
    GraphQL,

    /// <summary><c>text/event-stream</c>.</summary>
    Events,
}

/// <summary>Which form a client wants (https://graphql.github.io/graphql-over-http/draft/#sec-Media-Types).</summary>
static class MediaTypes
{
    public const string Json = "application/json";
    public const string GraphQL = "application/graphql-response+json";
    public const string Events = "text/event-stream";

    static readonly (string Type, ResponseForm Form)[] Single = [(GraphQL, ResponseForm.GraphQL), (Json, ResponseForm.Json), (Events, ResponseForm.Events)];
    static readonly (string Type, ResponseForm Form)[] Streams = [(Events, ResponseForm.Events)];

    public static string NameOf(ResponseForm form) => form switch
    {
        ResponseForm.GraphQL => GraphQL + "; charset=utf-8",
        ResponseForm.Events => Events,
        _ => Json + "; charset=utf-8",
    };

    /// <summary>The best of the forms that the client accepts; null when it accepts none.</summary>
    /// <param name="request">The request.</param>
    /// <param name="isStream">Whether there may be more than one answer.</param>
    public static ResponseForm? Negotiate(HttpRequest request, bool isStream)
    {
        var accept = request.Headers.Accept;
        var fallback = isStream ? ResponseForm.Events : ResponseForm.Json;
        if (accept.Count == 0 || accept.All(string.IsNullOrWhiteSpace)) return fallback;
        if (!MediaTypeHeaderValue.TryParseList(accept, out var wanted)) return null;
        foreach (var type in wanted.OrderByDescending(w => w.Quality ?? 1))
        {
            if (type.Quality == 0) continue;
            if (type.MatchesAllTypes || (type.MatchesAllSubTypes && type.Type == (isStream ? "text" : "application"))) return fallback;
            foreach (var (name, form) in isStream ? Streams : Single)
            {
                if (type.MediaType.Equals(name, StringComparison.OrdinalIgnoreCase)) return form;
            }
        }

        return null;
    }
}
