using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Mvc;
using StreamMetrics.Query.Input;
using StreamMetrics.Query.Stores;

namespace StreamMetrics.Query.Rest;

/// <summary>Turns what the query service throws into RFC 9457 problem documents. Anything else is a defect and becomes a plain 500.</summary>
sealed class ProblemHandler(IProblemDetailsService problems) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        var problem = ToProblem(exception);
        if (problem is null) return false;
        httpContext.Response.StatusCode = problem.Status!.Value;
        if (problem.Status == StatusCodes.Status503ServiceUnavailable) httpContext.Response.Headers.RetryAfter = "1";
        return await problems.TryWriteAsync(new() { HttpContext = httpContext, ProblemDetails = problem });
    }

    /// <summary>Everything that is wrong, in a sentence.</summary>
    public static string Detail(InvalidRequestException exception) => string.Join("; ", exception.Errors.Select(Sentence)) + ".";

    static ProblemDetails? ToProblem(Exception exception) => exception switch
    {
        InvalidRequestException invalid => new()
        {
            Status = StatusCodes.Status400BadRequest,
            Title = "The request breaks the rules.",
            Detail = Detail(invalid),
            Extensions = { ["errors"] = invalid.Errors },
        },
        NotFoundException => new() { Status = StatusCodes.Status404NotFound, Title = "Not found.", Detail = exception.Message },
        StoreUnavailableException => new()
        {
            Status = StatusCodes.Status503ServiceUnavailable,
            Title = "A store that is needed for the answer is not available.",
            Detail = exception.Message,
        },
        BadHttpRequestException bad => new() { Status = bad.StatusCode, Title = "The request cannot be read.", Detail = bad.Message },
        _ => null,
    };

    static string Sentence(FieldError error) => error.Value is null ? $"'{error.Field}' {error.Rule}" : $"'{error.Field}' {error.Rule}; it was '{error.Value}'";
}

/// <summary>How <see cref="ProblemHandler"/>'s documents look, for the OpenAPI document.</summary>
public sealed record InvalidRequestProblem
{
    public required string Type { get; init; }

    public required string Title { get; init; }

    public required int Status { get; init; }

    public required string Detail { get; init; }

    public required IReadOnlyList<FieldError> Errors { get; init; }
}
