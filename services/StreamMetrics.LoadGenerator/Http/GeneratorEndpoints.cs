using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;

namespace StreamMetrics.LoadGenerator.Http;

/// <summary>Numbers of events in an answer.</summary>
sealed record EventsAnswer(long Sent, long Acknowledged, long Invalid, long Corrected, long Late, long Duplicate);

/// <summary>A window in an answer.</summary>
sealed record WindowAnswer(string ServiceId, string MetricName, long Start, long Count, double Sum);

/// <summary>
/// Answer of <c>GET /ledger</c>. Every event created before <paramref name="AsOf"/> (ms since the epoch) is acknowledged and counted.
/// </summary>
sealed record LedgerAnswer(long AsOf, EventsAnswer Events, IReadOnlyList<WindowAnswer> Windows);

/// <summary>Answer of the commands.</summary>
sealed record RateAnswer(double EventsPerSecond, bool Paused);

[JsonSerializable(typeof(LedgerAnswer))]
[JsonSerializable(typeof(RateAnswer))]
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
sealed partial class AnswersJson : JsonSerializerContext;

/// <summary>The ledger and the commands.</summary>
static class GeneratorEndpoints
{
    public static IEndpointRouteBuilder MapGenerator(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/ledger", GetLedger);
        routes.MapPut("/rate", PutRate);
        routes.MapPost("/pause", (Generator generator, ILogger<Generator> logger, CancellationToken cancellationToken) =>
            ChangeAsync(generator, logger, p => p.IsPaused = true, cancellationToken));
        routes.MapPost("/resume", (Generator generator, ILogger<Generator> logger, CancellationToken cancellationToken) =>
            ChangeAsync(generator, logger, p => p.IsPaused = false, cancellationToken));
        return routes;
    }

    static Results<Ok<LedgerAnswer>, ValidationProblem> GetLedger(Generator generator, string? from, string? to)
    {
        var errors = new Dictionary<string, string[]>();
        var (first, end) = (ReadTime("from", from, long.MinValue, errors), ReadTime("to", to, long.MaxValue, errors));
        if (errors.Count == 0 && first > end) errors["from"] = [$"{first} is after to, {end}: it must not be."];
        if (errors.Count > 0) return TypedResults.ValidationProblem(errors);
        var (asOf, counts, windows) = generator.ReadLedger(first, end);
        return TypedResults.Ok(new LedgerAnswer(
            asOf,
            new(counts.Sent, counts.Acknowledged, counts.Invalid, counts.Corrected, counts.Late, counts.Duplicate),
            [.. windows.Select(w => new WindowAnswer(w.ServiceId, w.MetricName, w.Start, w.Count, w.Sum))]));
    }

    static async Task<Results<Ok<RateAnswer>, ValidationProblem>> PutRate(
        HttpRequest request, Generator generator, ILogger<Generator> logger, CancellationToken cancellationToken)
    {
        const string Field = "eventsPerSecond";
        var rule = $"it must be a number from 0 to {LoadGeneratorOptions.MaxEventsPerSecond.ToString("0", CultureInfo.InvariantCulture)}.";
        try
        {
            using var body = await JsonDocument.ParseAsync(request.Body, cancellationToken: cancellationToken);
            if (body.RootElement.ValueKind != JsonValueKind.Object || !body.RootElement.TryGetProperty(Field, out var value))
                return Problem(Field, $"It is missing: {rule}");
            if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out var rate) || rate is < 0 or > LoadGeneratorOptions.MaxEventsPerSecond)
                return Problem(Field, $"{value.GetRawText()}: {rule}");
            return await ChangeAsync(generator, logger, p => p.EventsPerSecond = rate, cancellationToken);
        }
        catch (JsonException e)
        {
            return Problem("body", $"It is not JSON: {e.Message}");
        }
    }

    /// <summary>Answered when it holds: after a pause nothing more is sent, and the ledger has all that was.</summary>
    static async Task<Ok<RateAnswer>> ChangeAsync(Generator generator, ILogger logger, Action<Sending.Pacer> change, CancellationToken cancellationToken)
    {
        change(generator.Pacer);
        await generator.SettleAsync(cancellationToken);
        Log.RateChanged(logger, generator.Pacer.EventsPerSecond, generator.Pacer.IsPaused);
        return TypedResults.Ok(new RateAnswer(generator.Pacer.EventsPerSecond, generator.Pacer.IsPaused));
    }

    static ValidationProblem Problem(string field, string message) =>
        TypedResults.ValidationProblem(new Dictionary<string, string[]> { [field] = [message] });

    /// <summary>ms since the epoch or ISO 8601.</summary>
    static long ReadTime(string field, string? text, long missing, Dictionary<string, string[]> errors)
    {
        if (string.IsNullOrEmpty(text)) return missing;
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var ms)) return ms;
        if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)) return time.ToUnixTimeMilliseconds();
        errors[field] = [$"'{text}': it must be a time, in ISO 8601 or as milliseconds since 1970."];
        return missing;
    }
}
