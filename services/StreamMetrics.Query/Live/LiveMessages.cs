using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization;
using StreamMetrics.Query.Input;

namespace StreamMetrics.Query.Live;

/// <summary>What a WebSocket client sends: <c>subscribe</c>, <c>unsubscribe</c> or <c>ping</c>.</summary>
sealed record ClientMessage(string? Type, string? Id, string? ServiceId, string? MetricName, string? Window, IReadOnlyDictionary<string, string?>? Tags);

/// <summary>What it gets in reply: <c>subscribed</c>, <c>unsubscribed</c>, <c>pong</c> or <c>error</c>.</summary>
sealed record ServerReply(string Type, string? Id = null, IReadOnlyList<FieldError>? Errors = null);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ClientMessage))]
[JsonSerializable(typeof(ServerReply))]
sealed partial class LiveJson : JsonSerializerContext;

static class LiveMessages
{
    public static byte[] Reply(string type, string? id = null, IReadOnlyList<FieldError>? errors = null) =>
        JsonSerializer.SerializeToUtf8Bytes(new ServerReply(type, id, errors), LiveJson.Default.ServerReply);

    /// <summary>Writes <c>{"type":"aggregate","id":"…","data":{…}}</c> around a value, or a reply as it is.</summary>
    public static void Write(IBufferWriter<byte> output, Outbox.Message message)
    {
        if (message.Subscription is not { } id)
        {
            output.Write(message.Json);
            return;
        }

        using var json = new Utf8JsonWriter(output, new() { SkipValidation = true });
        json.WriteStartObject();
        json.WriteString("type"u8, "aggregate"u8);
        json.WriteString("id"u8, id);
        json.WritePropertyName("data"u8);
        json.WriteRawValue(message.Json, skipInputValidation: true);
        json.WriteEndObject();
    }
}
