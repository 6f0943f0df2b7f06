using System.Buffers;
using System.Text.Json;
using HotChocolate.AspNetCore.Subscriptions.Protocols;
using HotChocolate.Execution;

namespace HotChocolate.AspNetCore;

/// <summary>A message of a client.</summary>
sealed record SocketMessage(string Type, string? Id, JsonElement? Payload);

/// <summary>Why a server closes a connection (https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md).</summary>
sealed class SocketClosedException(int code, string reason) : Exception(reason)
{
    public int Code { get; } = code;
}

/// <summary>The messages of graphql-transport-ws.</summary>
static class SocketMessages
{
    public const string Protocol = "graphql-transport-ws";
    public const int InvalidMessage = 4400;
    public const int Unauthorized = 4401;
    public const int Forbidden = 4403;
    public const int InitialisationTimeout = 4408;
    public const int SubscriberExists = 4409;
    public const int TooManyInitialisations = 4429;

    public static byte[] Acknowledge { get; } = [.. """{"type":"connection_ack"}"""u8];

    public static byte[] Ping { get; } = [.. """{"type":"ping"}"""u8];

    public static byte[] Pong { get; } = [.. """{"type":"pong"}"""u8];

    /// <exception cref="SocketClosedException">It is no message of the protocol.</exception>
    public static SocketMessage Read(ReadOnlyMemory<byte> utf8)
    {
        try
        {
            var json = RequestReader.Parse(utf8, "A message");
            if (json.ValueKind != JsonValueKind.Object) throw Invalid("A message must be a JSON object.");
            var type = Text(json, "type") ?? throw Invalid("A message must have a 'type'.");
            var payload = json.TryGetProperty("payload", out var found) && found.ValueKind != JsonValueKind.Null ? found : (JsonElement?)null;
            return new(type, Text(json, "id"), payload);
        }
        catch (BadRequestException exception)
        {
            throw Invalid(exception.Message);
        }
    }

    public static byte[] Next(string id, ExecutionResult result) => Message("next", id, json => ResultWriter.Write(json, result));

    public static byte[] Error(string id, IReadOnlyList<IError> errors) => Message("error", id, json => ResultWriter.WriteErrors(json, errors));

    public static byte[] Complete(string id) => Message("complete", id, null);

    public static SocketClosedException Invalid(string reason) => new(InvalidMessage, reason);

    static string? Text(JsonElement json, string name) =>
        !json.TryGetProperty(name, out var value) ? null : value.ValueKind == JsonValueKind.String ? value.GetString() : throw Invalid($"'{name}' must be a string.");

    static byte[] Message(string type, string id, Action<Utf8JsonWriter>? writePayload)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer, ResultWriter.Options))
        {
            json.WriteStartObject();
            json.WriteString("id", id);
            json.WriteString("type", type);
            if (writePayload is not null)
            {
                json.WritePropertyName("payload");
                writePayload(json);
            }

            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}

sealed class Payload(JsonElement? json) : IOperationMessagePayload
{
    public T? As<T>() where T : class => json?.Deserialize<T>(JsonSerializerOptions.Web);
}
