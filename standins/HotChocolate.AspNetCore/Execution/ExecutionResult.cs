using System.Collections;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace HotChocolate.Execution;

/// <summary>An object of the response. The names are shared by every object of its field.</summary>
sealed record ResultObject(string[] Names, object?[] Values);

/// <summary>An answer: data, errors or both.</summary>
/// <param name="HasData">False when nothing was executed; then the answer has no entry "data".</param>
sealed record ExecutionResult(bool HasData, ResultObject? Data, IReadOnlyList<IError> Errors)
{
    public static ExecutionResult Of(IReadOnlyList<IError> errors) => new(false, null, errors);
}

/// <summary>Writes answers as JSON (https://spec.graphql.org/October2021/#sec-Response).</summary>
static class ResultWriter
{
    public static JsonWriterOptions Options { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public static void Write(Utf8JsonWriter json, ExecutionResult result)
    {
        json.WriteStartObject();
        if (result.Errors.Count > 0)
        {
            json.WritePropertyName("errors");
            WriteErrors(json, result.Errors);
        }

        if (result.HasData)
        {
            json.WritePropertyName("data");
            WriteValue(json, result.Data);
        }

        json.WriteEndObject();
    }

    public static void WriteErrors(Utf8JsonWriter json, IReadOnlyList<IError> errors)
    {
        json.WriteStartArray();
        foreach (var error in errors)
        {
            json.WriteStartObject();
            json.WriteString("message", error.Message);
            if (error.Locations is { } locations) WriteLocations(json, locations);
            if (error.Path is { } path)
            {
                json.WritePropertyName("path");
                WriteValue(json, path.ToList());
            }

            if (error.Extensions is { } extensions)
            {
                json.WritePropertyName("extensions");
                WriteValue(json, extensions);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    static void WriteLocations(Utf8JsonWriter json, IReadOnlyList<Location> locations)
    {
        json.WriteStartArray("locations");
        foreach (var location in locations)
        {
            json.WriteStartObject();
            json.WriteNumber("line", location.Line);
            json.WriteNumber("column", location.Column);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    static void WriteValue(Utf8JsonWriter json, object? value)
    {
        switch (value)
        {
            case null: json.WriteNullValue(); break;
            case string text: json.WriteStringValue(text); break;
            case bool flag: json.WriteBooleanValue(flag); break;
            case int number: json.WriteNumberValue(number); break;
            case long number: json.WriteNumberValue(number); break;
            case double number: json.WriteNumberValue(number); break;
            case ResultObject fields: WriteObject(json, fields); break;
            case IReadOnlyDictionary<string, object?> map: WriteMap(json, map); break;
            case IEnumerable items: WriteList(json, items); break;
            default: json.WriteStringValue(value.ToString()); break;
        }
    }

    static void WriteObject(Utf8JsonWriter json, ResultObject value)
    {
        json.WriteStartObject();
        for (var i = 0; i < value.Names.Length; i++)
        {
            json.WritePropertyName(value.Names[i]);
            WriteValue(json, value.Values[i]);
        }

        json.WriteEndObject();
    }

    static void WriteMap(Utf8JsonWriter json, IReadOnlyDictionary<string, object?> map)
    {
        json.WriteStartObject();
        foreach (var (key, value) in map)
        {
            json.WritePropertyName(key);
            WriteValue(json, value);
        }

        json.WriteEndObject();
    }

    static void WriteList(Utf8JsonWriter json, IEnumerable items)
    {
        json.WriteStartArray();
        foreach (var item in items) WriteValue(json, item);
        json.WriteEndArray();
    }
}
