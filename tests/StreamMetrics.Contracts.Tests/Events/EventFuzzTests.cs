using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using StreamMetrics.Contracts.Events;
using Xunit;

namespace StreamMetrics.Contracts.Tests.Events;

/// <summary>Compares the reader with System.Text.Json on valid events that were damaged: what one finds well formed the other does.</summary>
public class EventFuzzTests
{
    const int Rounds = 60_000;

    static readonly string[] Pieces = ["\"", "{", "}", "[", "]", ":", ",", "\\", "\\u00e4", "\\\"", "null", "true", "0", "-", ".5", "e9", " ", "\n", "ä", "\u0001", "\"value\":1,", "\"x\":{\"y\":[1,{}]},", "\"tags\":{},"];

    [Fact]
    public void Damaged_events_are_judged_as_another_json_reader_judges_them()
    {
        var random = new Random(20);
        var reader = new EventReader();
        var outcomes = new Dictionary<string, int>();
        for (var round = 0; round < Rounds; round++)
        {
            var bytes = Damage(EventText.Bytes(EventText.Valid), random);
            var isRead = reader.TryRead(bytes, out var error);
            var outcome = isRead ? "read" : error!.Reason;
            outcomes[outcome] = outcomes.GetValueOrDefault(outcome) + 1;
            var wellFormed = IsWellFormed(bytes);
            if (isRead) Assert.True(wellFormed, Encoding.UTF8.GetString(bytes));
            // What System.Text.Json leaves to whoever reads the strings: halves of surrogate pairs. It has 64 levels too, counted otherwise.
            if (outcome == ReasonCodes.MalformedJson && !error!.Message.Contains("surrogate", StringComparison.Ordinal)) Assert.False(wellFormed, $"{error.Message} {Encoding.UTF8.GetString(bytes)}");
            if (isRead && EventIdentity.TryCreate(reader, out var identity, out _)) Assert.Equal(Reference(bytes), (identity.ServiceId, reader.Timestamp, reader.Value));
        }

        Assert.All([.. new[] { "read", ReasonCodes.MalformedJson, ReasonCodes.InvalidField, ReasonCodes.MissingField }], o => Assert.InRange(outcomes[o], 100, Rounds));
    }

    [Fact]
    public void Random_bytes_are_refused_with_a_reason_and_a_message()
    {
        var random = new Random(21);
        var reader = new EventReader();
        for (var round = 0; round < 5_000; round++)
        {
            var bytes = new byte[random.Next(300)];
            random.NextBytes(bytes);
            if (bytes.Length > 0 && round % 2 == 0) bytes[0] = (byte)'{';
            Assert.False(reader.TryRead(bytes, out var error));
            Assert.NotEmpty(error.Reason);
            Assert.NotEmpty(error.Message);
        }
    }

    [Fact]
    public void An_event_cut_at_any_byte_is_malformed()
    {
        var reader = new EventReader();
        var bytes = EventText.Bytes(EventText.Valid);
        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.False(reader.TryRead(bytes.AsSpan(0, length), out var error));
            Assert.Equal(ReasonCodes.MalformedJson, error.Reason);
        }
    }

    static byte[] Damage(byte[] bytes, Random random)
    {
        var text = new List<byte>(bytes);
        for (var i = random.Next(1, 4); i > 0; i--)
        {
            var at = random.Next(text.Count);
            switch (random.Next(5))
            {
                case 0: text[at] = (byte)random.Next(256); break;
                case 1: text.RemoveRange(at, Math.Min(random.Next(1, 30), text.Count - at)); break;
                case 2: text.InsertRange(at, text.GetRange(random.Next(text.Count / 2), random.Next(1, 60))); break;
                default: text.InsertRange(at, Encoding.UTF8.GetBytes(Pieces[random.Next(Pieces.Length)])); break;
            }

            if (text.Count == 0) text.Add((byte)'{');
        }

        return [.. text];
    }

    static bool IsWellFormed(byte[] bytes)
    {
        if (!Utf8.IsValid(bytes)) return false;
        try
        {
            using var document = JsonDocument.Parse(bytes);
            return document.RootElement.ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    static (string?, long, double) Reference(byte[] bytes)
    {
        using var document = JsonDocument.Parse(bytes);
        var root = document.RootElement;
        return (root.GetProperty("serviceId").GetString(), root.GetProperty("timestamp").GetInt64(), root.GetProperty("value").GetDouble() + 0.0);
    }
}
