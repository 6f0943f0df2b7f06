using System.Text;

namespace StreamMetrics.Contracts.Tests.Events;

/// <summary>The event of the contract, and changes to it.</summary>
static class EventText
{
    public const string Valid =
        """
        {"eventId":"7b0c4f8e-1c2d-4e5f-8a9b-0c1d2e3f4a5b","timestamp":1707267600000,"serviceId":"payment-service","instanceId":"payment-service-pod-3","metricType":"HTTP_REQUEST","metricName":"api.request.duration","value":245.5,"unit":"milliseconds","tags":{"endpoint":"/api/v1/payments","method":"POST","statusCode":"200","region":"us-east-1"},"metadata":{"traceId":"abc123","spanId":"def456"}}
        """;

    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    /// <summary>The valid event with one piece of text replaced; it must be there.</summary>
    public static string With(string old, string replacement)
    {
        var changed = Valid.Replace(old, replacement, StringComparison.Ordinal);
        return changed == Valid && old != replacement ? throw new ArgumentException($"'{old}' is not in the event.") : changed;
    }

    /// <summary>The valid event with another value of a field, as JSON.</summary>
    public static string WithField(string field, string json)
    {
        using var document = System.Text.Json.JsonDocument.Parse(Valid);
        var old = document.RootElement.GetProperty(field).GetRawText();
        return With($"\"{field}\":{old}", $"\"{field}\":{json}");
    }

    public static string Without(string field)
    {
        using var document = System.Text.Json.JsonDocument.Parse(Valid);
        return With($"\"{field}\":{document.RootElement.GetProperty(field).GetRawText()},", "");
    }
}
