namespace StreamMetrics.Query.Input;

/// <summary>What is wrong with one input.</summary>
/// <param name="Field">Name of the parameter or field.</param>
/// <param name="Value">What was given, cut to a readable length; null when nothing was.</param>
/// <param name="Rule">What is allowed.</param>
public sealed record FieldError(string Field, string? Value, string Rule);

/// <summary>A request breaks the rules; names every field that does.</summary>
sealed class InvalidRequestException(IReadOnlyList<FieldError> errors)
    : Exception(string.Join("; ", errors.Select(e => $"{e.Field}: {e.Rule}")))
{
    public IReadOnlyList<FieldError> Errors { get; } = errors;

    public InvalidRequestException(string field, string? value, string rule) : this([new FieldError(field, value, rule)])
    {
    }
}

/// <summary>What was asked for by name does not exist.</summary>
sealed class NotFoundException(string message) : Exception(message);
