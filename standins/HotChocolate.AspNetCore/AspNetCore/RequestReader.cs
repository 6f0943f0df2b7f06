using System.Text.Json;
using HotChocolate.Execution;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace HotChocolate.AspNetCore;

/// <summary>A request is no GraphQL request; it has the status.</summary>
sealed class BadRequestException(int status, string message) : Exception(message)
{
    public int Status { get; } = status;
}

/// <summary>Reads requests (https://graphql.github.io/graphql-over-http/draft/#sec-Request).</summary>
static class RequestReader
{
    /// <exception cref="BadRequestException">It cannot be read.</exception>
    public static async Task<GraphQLRequest> ReadBodyAsync(HttpRequest request, int maxSize, CancellationToken token)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type) || !type.MediaType.Equals(MediaTypes.Json, StringComparison.OrdinalIgnoreCase)
            || (type.Charset.HasValue && !type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase)))
            throw new BadRequestException(StatusCodes.Status415UnsupportedMediaType, $"The content type must be {MediaTypes.Json} in utf-8.");
        using var body = new MemoryStream();
        var buffer = new byte[16 * 1024];
        for (int read; (read = await request.Body.ReadAsync(buffer, token)) > 0;)
        {
            body.Write(buffer, 0, read);
            if (body.Length > maxSize) throw new BadRequestException(StatusCodes.Status413PayloadTooLarge, $"A request may have at most {maxSize} bytes.");
        }

        return Read(Parse(body.GetBuffer().AsMemory(0, (int)body.Length), "The body"));
    }

    /// <exception cref="BadRequestException">It cannot be read.</exception>
    public static GraphQLRequest ReadQueryString(IQueryCollection query)
    {
        var parameters = new Dictionary<string, JsonElement>();
        foreach (var name in (string[])["query", "operationName"])
        {
            if (query.TryGetValue(name, out var value)) parameters[name] = JsonSerializer.SerializeToElement(value.ToString());
        }

        foreach (var name in (string[])["variables", "extensions"])
        {
            if (query.TryGetValue(name, out var value) && value.ToString() is { Length: > 0 } text) parameters[name] = Parse(System.Text.Encoding.UTF8.GetBytes(text), $"'{name}'");
        }

        return Read(JsonSerializer.SerializeToElement(parameters));
    }

    /// <summary>A request out of its JSON.</summary>
    /// <exception cref="BadRequestException">It is none.</exception>
    public static GraphQLRequest Read(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object) throw Bad("The request must be a JSON object.");
        if (!TryGet(json, "query", JsonValueKind.String, "a string", out var query) || query.GetString() is not { Length: > 0 } text) throw Bad("'query' must be given: a string that is not empty.");
        var operationName = TryGet(json, "operationName", JsonValueKind.String, "a string", out var name) ? name.GetString() : null;
        TryGet(json, "extensions", JsonValueKind.Object, "an object", out _);
        // as some clients send it, an empty name is none
        return new(text, operationName is "" ? null : operationName, TryGet(json, "variables", JsonValueKind.Object, "an object", out var variables) ? variables : null);
    }

    /// <exception cref="BadRequestException">It is no JSON, or has strings that are no text.</exception>
    public static JsonElement Parse(ReadOnlyMemory<byte> utf8, string what)
    {
        try
        {
            using var document = JsonDocument.Parse(utf8);
            var json = document.RootElement.Clone();
            CheckStrings(json);
            return json;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw Bad($"{what} must be JSON: {exception.Message}");
        }
    }

    // half of a surrogate pair passes the parser and fails when its string is read
    static void CheckStrings(JsonElement json)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.String:
                json.GetString();
                break;
            case JsonValueKind.Array:
                foreach (var item in json.EnumerateArray()) CheckStrings(item);
                break;
            case JsonValueKind.Object:
                foreach (var property in json.EnumerateObject())
                {
                    _ = property.Name;
                    CheckStrings(property.Value);
                }

                break;
        }
    }

    static bool TryGet(JsonElement json, string name, JsonValueKind kind, string kindName, out JsonElement value)
    {
        if (!json.TryGetProperty(name, out value) || value.ValueKind == JsonValueKind.Null) return false;
        return value.ValueKind == kind ? true : throw Bad($"'{name}' must be {kindName}.");
    }

    static BadRequestException Bad(string message) => new(StatusCodes.Status400BadRequest, message);
}
