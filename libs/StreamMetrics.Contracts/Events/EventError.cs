namespace StreamMetrics.Contracts.Events;

/// <summary>Why an event is refused.</summary>
/// <param name="Reason">A code of <see cref="ReasonCodes"/>.</param>
/// <param name="Field">The field, tags and metadata as <c>tags.key</c>; empty when the message as a whole is meant.</param>
/// <param name="Value">What stands there, as in the message, cut to 64 characters; empty when nothing does.</param>
/// <param name="Rule">What is asked of it.</param>
public sealed record EventError(string Reason, string Field, string Value, string Rule)
{
    /// <summary>Field, value and rule in one sentence.</summary>
    public string Message => Field.Length == 0 ? Rule : Value.Length == 0 ? $"{Field}: {Rule}" : $"{Field} is {Value}: {Rule}";
}
