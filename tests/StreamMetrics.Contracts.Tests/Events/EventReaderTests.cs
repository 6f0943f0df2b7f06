using System.Globalization;
using System.Text;
using FsCheck;
using FsCheck.Xunit;
using StreamMetrics.Contracts.Events;
using Xunit;

namespace StreamMetrics.Contracts.Tests.Events;

public class EventReaderTests
{
    readonly EventReader _reader = new();

    [Fact]
    public void The_event_of_the_contract_is_read()
    {
        var identity = Accept(EventText.Valid);
        Assert.Equal(1707267600000, _reader.Timestamp);
        Assert.Equal(245.5, _reader.Value);
        Assert.Equal("7b0c4f8e-1c2d-4e5f-8a9b-0c1d2e3f4a5b", Text(_reader.EventId));
        Assert.Equal(("abc123", "def456"), (Text(_reader.TraceId), Text(_reader.SpanId)));
        Assert.Equal(("payment-service", "HTTP_REQUEST", "api.request.duration", "milliseconds"), (identity.ServiceId, identity.MetricType, identity.MetricName, identity.Unit));
        Assert.Equal(["endpoint=/api/v1/payments", "method=POST", "region=us-east-1", "statusCode=200"], identity.Tags.Select(t => $"{t.Key}={t.Value}"));
    }

    [Fact]
    public void Order_space_escapes_and_unknown_fields_change_nothing()
    {
        const string text =
            """
             { "unit" : "milli\u0073econds", "unknown" : [ { "a" : "\"}" , "b":[] } , 1e5, -0.5, true,false , null, {} ],
            "m\u0065tadata" : { }, "metadata2":"x", "tags": { "statusCode" :"200" , "region":"us\u002deast-1","method":"POST", "endpoint":"\/api\/v1\/payments"},
            "value" : 2455e-1 , "metricName":"api.request.duration", "metricType":"HTTP_REQUEST", "instanceId":null, "serviceId":"payment-service",
            "timestamp" : 1707267600000 , "eventId":"7B0C4F8E-1C2D-4E5F-8A9B-0C1D2E3F4A5B" }

            """;
        var plain = Accept(EventText.Valid);
        var value = _reader.Value;
        var other = Accept(text);
        Assert.Equal(value, _reader.Value);
        Assert.Equal(plain.Tags, other.Tags);
        Assert.Equal((plain.ServiceId, plain.Unit), (other.ServiceId, other.Unit));
        Assert.True(_reader.TraceId.IsEmpty);
    }

    [Theory]
    [InlineData("eventId", "\"7b0c4f8e-1c2d-4e5f-8a9b-0c1d2e3f4a5\"", "eventId is \"7b0c4f8e-1c2d-4e5f-8a9b-0c1d2e3f4a5\": must be a UUID")]
    [InlineData("eventId", "\"7b0c4f8e-1c2d-4e5f-8a9b-0c1d2e3f4a5g\"", "must be a UUID")]
    [InlineData("eventId", "\"7b0c4f8e01c2d-4e5f-8a9b-0c1d2e3f4a5b\"", "must be a UUID")]
    [InlineData("eventId", "\"7b0c4f8e-1c2d-4e5f-8a9b-0c1d-e3f4a5b\"", "must be a UUID")]
    [InlineData("eventId", "17", "eventId is 17: must be a string")]
    [InlineData("timestamp", "\"1707267600000\"", "timestamp is \"1707267600000\": must be an integer")]
    [InlineData("timestamp", "1707267600000.5", "timestamp is 1707267600000.5: must be an integer")]
    [InlineData("timestamp", "-1", "must be an integer")]
    [InlineData("timestamp", "1e12", "must be an integer")]
    [InlineData("timestamp", "1234567890123456", "at most 15 digits")]
    [InlineData("serviceId", "\"\"", "serviceId is \"\": must be 1-100 characters")]
    [InlineData("serviceId", "\"pay ment\"", "serviceId is \"pay ment\": must be 1-100 characters of A-Z a-z 0-9 . _ -")]
    [InlineData("serviceId", "[\"a\"]", "serviceId is [\"a\"]: must be a string")]
    [InlineData("metricType", "\"http\"", "metricType is \"http\"")]
    [InlineData("metricType", "\"_HTTP\"", "the first a letter")]
    [InlineData("metricName", "\"a b\"", "metricName is \"a b\"")]
    [InlineData("value", "\"not-a-number\"", "value is \"not-a-number\": must be a finite number")]
    [InlineData("value", "{\"a\":1}", "value is {\"a\":1}: must be a finite number")]
    [InlineData("value", "-1.5", "value is -1.5: must be 0 or more")]
    [InlineData("value", "true", "value is true")]
    [InlineData("unit", "\"\"", "unit is \"\": must be a string of 1-32 characters")]
    [InlineData("unit", "\"123456789012345678901234567890123\"", "1-32 characters")]
    [InlineData("tags", "[]", "tags is []: must be an object of at most 32 strings")]
    [InlineData("tags", "{\"a\":1}", "tags.a is 1: must be a string")]
    [InlineData("tags", "{\"a\":\"1\",\"b\":null}", "tags.b is null: must be a string")]
    [InlineData("tags", "{\"a\":\"1\",\"\\u0061\":\"2\"}", "tags.a: must not appear twice")]
    [InlineData("tags", "{\"\":\"1\"}", "a tag's key must have 1-64 characters")]
    [InlineData("tags", "{\"statusCode\":\"600\"}", "tags.statusCode is \"600\": must be an integer from 100 to 599")]
    [InlineData("metadata", "{\"traceId\":7}", "metadata.traceId is 7: must be a string")]
    public void What_breaks_a_rule_is_refused_with_field_value_and_rule(string field, string json, string message) =>
        Refuse(EventText.WithField(field, json), ReasonCodes.InvalidField, message);

    [Theory]
    [InlineData("NaN", "NaN")]
    [InlineData("-Infinity", "-Infinity")]
    [InlineData("\"NaN\"", "NaN")]
    [InlineData("\"Infinity\"", "Infinity")]
    [InlineData("1e999", "1e999")]
    [InlineData("-1e400", "-1e400")]
    public void Values_that_are_not_finite_have_their_own_reason(string json, string shown) =>
        Refuse(EventText.WithField("value", json), ReasonCodes.ValueNotFinite, $"value is {shown}: must be a finite number");

    [Theory]
    [InlineData("eventId")]
    [InlineData("timestamp")]
    [InlineData("serviceId")]
    [InlineData("metricType")]
    [InlineData("metricName")]
    [InlineData("value")]
    [InlineData("unit")]
    public void Required_fields_must_be_there_and_not_null(string field)
    {
        Refuse(EventText.Without(field), ReasonCodes.MissingField, $"{field}: missing; must be");
        Refuse(EventText.WithField(field, "null"), ReasonCodes.MissingField, $"{field}: missing; must be");
    }

    [Theory]
    [InlineData("eventId")]
    [InlineData("timestamp")]
    [InlineData("serviceId")]
    [InlineData("value")]
    [InlineData("tags")]
    public void A_field_must_not_appear_twice(string field)
    {
        using var document = System.Text.Json.JsonDocument.Parse(EventText.Valid);
        var raw = document.RootElement.GetProperty(field).GetRawText();
        Refuse(EventText.With("\"unit\"", $"\"{field}\":{raw},\"unit\""), ReasonCodes.InvalidField, $"{field}: must not appear twice");
    }

    [Theory]
    [InlineData("instanceId")]
    [InlineData("tags")]
    [InlineData("metadata")]
    public void Optional_fields_may_be_absent_or_null(string field)
    {
        Accept(EventText.WithField(field, "null"));
        if (field != "metadata") Accept(EventText.Without(field));
    }

    [Fact]
    public void Lengths_and_counts_count_up_to_their_limits()
    {
        Accept(EventText.WithField("serviceId", Quoted('s', 100)));
        Refuse(EventText.WithField("serviceId", Quoted('s', 101)), ReasonCodes.InvalidField, "serviceId is");
        Accept(EventText.WithField("instanceId", Quoted('ä', 200)));
        Refuse(EventText.WithField("instanceId", Quoted('ä', 201)), ReasonCodes.InvalidField, "instanceId is");
        Accept(EventText.WithField("metricName", Quoted('m', 200)));
        Refuse(EventText.WithField("metricName", Quoted('m', 201)), ReasonCodes.InvalidField, "metricName is");
        Accept(EventText.WithField("metricType", Quoted('M', 64)));
        Refuse(EventText.WithField("metricType", Quoted('M', 65)), ReasonCodes.InvalidField, "metricType is");
        Accept(EventText.WithField("unit", Quoted('€', 32)));
        Accept(EventText.WithField("tags", Strings(32)));
        Refuse(EventText.WithField("tags", Strings(33)), ReasonCodes.InvalidField, "tags is 33 entries: must be an object of at most 32 strings");
        Accept(EventText.WithField("metadata", Strings(16)));
        Refuse(EventText.WithField("metadata", Strings(17)), ReasonCodes.InvalidField, "metadata is 17 entries");
        Accept(EventText.WithField("tags", $"{{{Quoted('k', 64)}:{Quoted('v', 256)}}}"));
        Refuse(EventText.WithField("tags", $"{{{Quoted('k', 65)}:\"\"}}"), ReasonCodes.InvalidField, "a tag's key");
        Refuse(EventText.WithField("tags", $"{{\"k\":{Quoted('v', 257)}}}"), ReasonCodes.InvalidField, "tags.k is");
    }

    [Fact]
    public void A_message_may_have_64_KiB()
    {
        var padding = EventLimits.MaxMessageBytes - Encoding.UTF8.GetByteCount(EventText.Valid) - ",\"x\":\"\"".Length;
        Accept(EventText.With("\"metadata\"", $"\"x\":\"{new string('"', 0)}{new string('y', padding)}\",\"metadata\""));
        Refuse(EventText.With("\"metadata\"", $"\"x\":\"{new string('y', padding + 1)}\",\"metadata\""), ReasonCodes.TooLarge, "65537 bytes");
        // Nothing but quotes: as many as fit.
        Refuse(new string('"', EventLimits.MaxMessageBytes), ReasonCodes.MalformedJson, "must start with '{'");
        Refuse("{" + new string('"', EventLimits.MaxMessageBytes - 1), ReasonCodes.MalformedJson, "expected ':'");
    }

    [Theory]
    [InlineData("", "must start with '{'")]
    [InlineData("[]", "must start with '{'")]
    [InlineData("{", "expected a key")]
    [InlineData("{\"a\"", "expected ':'")]
    [InlineData("{\"a", "expected ':'")]
    [InlineData("{\"a\":", "expected a value")]
    [InlineData("{\"a\":1", "expected ',' or '}'")]
    [InlineData("{\"a\":1,}", "expected a key")]
    [InlineData("{\"a\":01}", "must not start with 0")]
    [InlineData("{\"a\":1.}", "expected a digit")]
    [InlineData("{\"a\":tru}", "expected a value")]
    [InlineData("{\"a\":\"\\x\"}", "unknown escape")]
    [InlineData("{\"a\":\"\\ud800\"}", "surrogate")]
    [InlineData("{\"a\":\"\n\"}", "control character")]
    [InlineData("{\"a\":[1,2}", "expected ',' or ']'")]
    [InlineData("{}x", "nothing after the object")]
    [InlineData("{} {}", "nothing after the object")]
    [InlineData("{\\\"a\":1}", "expected a key")]
    public void What_is_no_json_object_is_malformed(string text, string message) => Refuse(text, ReasonCodes.MalformedJson, message);

    [Fact]
    public void Deep_nesting_and_bytes_that_are_no_utf8_are_malformed()
    {
        Refuse(EventText.With("\"metadata\"", $"\"x\":{new string('[', 65)}{new string(']', 65)},\"metadata\""), ReasonCodes.MalformedJson, "nested deeper than 64");
        Accept(EventText.With("\"metadata\"", $"\"x\":{new string('[', 64)}{new string(']', 64)},\"metadata\""));
        var bytes = EventText.Bytes(EventText.Valid);
        bytes[^10] = 0xFF;
        Assert.False(_reader.TryRead(bytes, out var error));
        Assert.Equal((ReasonCodes.MalformedJson, "The message is not valid UTF-8."), (error.Reason, error.Message));
    }

    [Property(MaxTest = 2000)]
    public void Numbers_are_read_as_the_nearest_double(NormalFloat number, int digits)
    {
        var text = number.Get.ToString(digits % 3 == 0 ? "R" : $"F{Math.Abs(digits % 18)}", CultureInfo.InvariantCulture);
        if (text.Length > 300) return;
        Assert.True(_reader.TryRead(EventText.Bytes(EventText.WithField("value", text)), out _), text);
        Assert.Equal(double.Parse(text, CultureInfo.InvariantCulture) + 0.0, _reader.Value);
    }

    [Fact]
    public void The_same_identity_bytes_are_found_again_and_others_are_not()
    {
        Accept(EventText.Valid);
        var bytes = new byte[_reader.IdentityLength + EventReader.IdentityPadding];
        var length = _reader.IdentityLength;
        _reader.CopyIdentity(bytes);
        var (hash, lengths) = (_reader.IdentityHash(), _reader.IdentityLengths);
        Accept(EventText.With("245.5", "1.25").Replace("1707267600000", "1707267600999", StringComparison.Ordinal).Replace("pod-3", "pod-4444", StringComparison.Ordinal));
        Assert.Equal(hash, _reader.IdentityHash());
        Assert.True(_reader.Matches(ref bytes[0], length, lengths));
        foreach (var (old, replacement) in ((string, string)[])[("payments", "paymenta"), ("POST", "PUT"), ("milliseconds", "millisecondz"), ("payment-service\"", "payment-servicf\""), ("api.", "apj."), ("HTTP_R", "HTTP_S")])
        {
            Accept(EventText.With(old, replacement));
            Assert.NotEqual(hash, _reader.IdentityHash());
            Assert.False(_reader.Matches(ref bytes[0], length, lengths));
        }

        // The same bytes divided otherwise among the fields.
        Accept(EventText.With("\"api.request.duration\"", "\"api.request.durationm\"").Replace("\"milliseconds\"", "\"illiseconds\"", StringComparison.Ordinal));
        Assert.False(_reader.Matches(ref bytes[0], length, lengths));
    }

    [Theory]
    [InlineData(false, "statusCode=404")]
    [InlineData(true, "statusCode=500")]
    [InlineData(true, "status=503")]
    [InlineData(false, "status=SERVER_ERROR")]
    [InlineData(true, "http.response.status_code=599")]
    [InlineData(true, "http.status_code=500")]
    [InlineData(true, "error=timeout")]
    [InlineData(false, "error=none")]
    [InlineData(false, "error=")]
    [InlineData(false, "exception=None")]
    [InlineData(false, "error=false")]
    [InlineData(true, "exception=IOException")]
    [InlineData(true, "outcome=SERVER_ERROR")]
    [InlineData(false, "outcome=CLIENT_ERROR")]
    public void Errors_are_marked_by_tags(bool expected, string tag)
    {
        var parts = tag.Split('=');
        Assert.Equal(expected, Accept(EventText.WithField("tags", $"{{\"{parts[0]}\":\"{parts[1]}\"}}")).IsError);
    }

    [Fact]
    public void A_status_class_is_derived_from_any_alias()
    {
        Assert.Equal("2xx", EventRules.StatusClassOf([new("status", "204")]));
        Assert.Equal("5xx", EventRules.StatusClassOf([new("http.response.status_code", "500"), new("status", "ok")]));
        Assert.Null(EventRules.StatusClassOf([new("statusCode", "700")]));
        Assert.Null(EventRules.StatusClassOf([]));
    }

    EventIdentity Accept(string text)
    {
        Assert.True(_reader.TryRead(EventText.Bytes(text), out var error), error?.Message);
        Assert.True(EventIdentity.TryCreate(_reader, out var identity, out error), error?.Message);
        return identity;
    }

    void Refuse(string text, string? reason, string? message)
    {
        EventError? error;
        if (_reader.TryRead(EventText.Bytes(text), out error) && EventIdentity.TryCreate(_reader, out var identity, out error)) error = identity.CheckValue(_reader.Value);
        Assert.NotNull(error);
        if (reason != null) Assert.Equal(reason, error.Reason);
        if (message != null) Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);

    static string Quoted(char c, int count) => $"\"{new string(c, count)}\"";

    static string Strings(int count) => $"{{{string.Join(',', Enumerable.Range(0, count).Select(i => $"\"k{i}\":\"v\""))}}}";
}
