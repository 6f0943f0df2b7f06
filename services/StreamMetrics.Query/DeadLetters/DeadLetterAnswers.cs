using System.ComponentModel;

namespace StreamMetrics.Query.DeadLetters;

[Description("An event that was put aside, with its original bytes.")]
public sealed record DeadLetterAnswer
{
    [Description("'dead-letter' or 'late'.")]
    public required string Topic { get; init; }

    public required int Partition { get; init; }

    public required long Offset { get; init; }

    [Description("When it was put aside, ms since the epoch.")]
    public required long Time { get; init; }

    [Description("Its key: the serviceId, as far as its producer set one.")]
    public string? Key { get; init; }

    [Description("Reason code, e.g. invalid-field.")]
    public string? Reason { get; init; }

    [Description("The reason in words: field, value and rule.")]
    public string? Message { get; init; }

    [Description("Every header, as text.")]
    public required IReadOnlyDictionary<string, string> Headers { get; init; }

    [Description("Length of the original value, bytes.")]
    public required int Size { get; init; }

    [Description("The original value, where it is UTF-8 text.")]
    public string? Text { get; init; }

    [Description("The original value, base64.")]
    public required byte[] Base64 { get; init; }
}

public sealed record DeadLettersAnswer
{
    [Description("The newest first.")]
    public required IReadOnlyList<DeadLetterAnswer> DeadLetters { get; init; }

    [Description("Pass as 'before' for the next page; absent when there is nothing older. A page may be short, or empty, and still have a next one: looking for rare matches is spread over pages.")]
    public string? Next { get; init; }
}

[Description("Where the event went again.")]
public sealed record ReplayAnswer
{
    [Description("topic/partition/offset of the dead letter.")]
    public required string Replayed { get; init; }

    public required string Topic { get; init; }

    public required int Partition { get; init; }

    public required long Offset { get; init; }
}
