using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Mvc;
using StreamMetrics.Query.DeadLetters;
using StreamMetrics.Query.Input;
using StreamMetrics.Query.Model;
using StreamMetrics.Query.Pipeline;

namespace StreamMetrics.Query.Rest;

/// <summary>Source-generated JSON of the answers: camelCase, nulls left out.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AggregateAnswer))]
[JsonSerializable(typeof(SeriesSetAnswer))]
[JsonSerializable(typeof(ServicesAnswer))]
[JsonSerializable(typeof(ServiceAnswer))]
[JsonSerializable(typeof(MetricsAnswer))]
[JsonSerializable(typeof(TopAnswer))]
[JsonSerializable(typeof(PipelineAnswer))]
[JsonSerializable(typeof(DeadLettersAnswer))]
[JsonSerializable(typeof(ReplayAnswer))]
[JsonSerializable(typeof(ProblemDetails))]
[JsonSerializable(typeof(InvalidRequestProblem))]
[JsonSerializable(typeof(IReadOnlyList<FieldError>))]
sealed partial class QueryJson : JsonSerializerContext;
