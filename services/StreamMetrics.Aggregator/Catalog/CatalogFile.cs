using System.Text.Json;
using StreamMetrics.Contracts;

namespace StreamMetrics.Aggregator.Catalog;

/// <summary>The file: <c>{"serviceId": {"attribute": "text"}}</c>.</summary>
static class CatalogFile
{
    const int MaxAttributes = 16, MaxNameLength = 64, MaxTextLength = 256;

    static readonly JsonDocumentOptions Options = new() { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip };

    /// <summary>The attributes of each service as compact JSON.</summary>
    /// <exception cref="FormatException">A rule is broken.</exception>
    public static Dictionary<string, byte[]> Parse(byte[] json)
    {
        try
        {
            using var document = JsonDocument.Parse(json.AsSpan().StartsWith("\uFEFF"u8) ? json.AsMemory(3) : json, Options);
            return Services(document.RootElement);
        }
        catch (JsonException e)
        {
            throw new FormatException($"not JSON: {e.Message}", e);
        }
    }

    static Dictionary<string, byte[]> Services(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object) throw new FormatException("the file must hold an object, serviceId → attributes");
        var services = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var service in root.EnumerateObject())
        {
            if (service.Name.Length is 0 or > EventLimits.MaxServiceIdLength) throw new FormatException($"the serviceId '{service.Name}' must have 1 to {EventLimits.MaxServiceIdLength} characters");
            var attributes = Attributes(service);
            if (!services.TryAdd(service.Name, JsonSerializer.SerializeToUtf8Bytes(attributes, ContractsJson.Default.IReadOnlyDictionaryStringString)))
                throw new FormatException($"'{service.Name}' is there twice");
        }

        return services;
    }

    static Dictionary<string, string> Attributes(JsonProperty service)
    {
        if (service.Value.ValueKind != JsonValueKind.Object) throw new FormatException($"'{service.Name}' must be an object of texts");
        var attributes = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var attribute in service.Value.EnumerateObject())
        {
            if (attribute.Name.Length is 0 or > MaxNameLength) throw new FormatException($"an attribute's name in '{service.Name}' must have 1 to {MaxNameLength} characters");
            var isText = attribute.Value.ValueKind == JsonValueKind.String && attribute.Value.GetString()!.Length <= MaxTextLength;
            if (!isText) throw new FormatException($"'{service.Name}.{attribute.Name}' must be a text of at most {MaxTextLength} characters");
            if (!attributes.TryAdd(attribute.Name, attribute.Value.GetString()!)) throw new FormatException($"'{service.Name}.{attribute.Name}' is there twice");
        }

        return attributes.Count <= MaxAttributes ? attributes : throw new FormatException($"'{service.Name}' has {attributes.Count} attributes; at most {MaxAttributes} are allowed");
    }
}
