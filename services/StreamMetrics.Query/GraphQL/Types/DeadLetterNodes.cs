using HotChocolate;
using HotChocolate.CostAnalysis.Types;
using StreamMetrics.Query.DeadLetters;

namespace StreamMetrics.Query.GraphQL.Types;

[GraphQLName("Header")]
[GraphQLDescription("A header of a record, as text.")]
sealed record HeaderNode(string Name, string Value);

[GraphQLName("DeadLetter")]
[GraphQLDescription("An event that was put aside, with its original bytes.")]
sealed class DeadLetterNode(DeadLetterAnswer answer)
{
    [GraphQLDescription("'dead-letter' or 'late'.")]
    public string Topic => answer.Topic;

    public int Partition => answer.Partition;

    public long Offset => answer.Offset;

    [GraphQLDescription("When it was put aside, ms since the epoch.")]
    public long Time => answer.Time;

    [GraphQLDescription("Its key: the serviceId, as far as its producer set one.")]
    public string? Key => answer.Key;

    [GraphQLDescription("Reason code, e.g. invalid-field.")]
    public string? Reason => answer.Reason;

    [GraphQLDescription("The reason in words: field, value and rule.")]
    public string? Message => answer.Message;

    [Cost(0)]
    [ListSize(AssumedSize = 10)]
    public IReadOnlyList<HeaderNode> Headers => [.. answer.Headers.Select(h => new HeaderNode(h.Key, h.Value))];

    [GraphQLDescription("Length of the original value, bytes.")]
    public int Size => answer.Size;

    [GraphQLDescription("The original value, where it is UTF-8 text.")]
    public string? Text => answer.Text;

    [GraphQLDescription("The original value, base64.")]
    public string Base64 => Convert.ToBase64String(answer.Base64);
}

[GraphQLName("DeadLetters")]
sealed class DeadLettersNode(DeadLettersAnswer answer)
{
    [Cost(0)]
    [ListSize(AssumedSize = 50)]
    [GraphQLDescription("The newest first.")]
    public IReadOnlyList<DeadLetterNode> DeadLetters => [.. answer.DeadLetters.Select(d => new DeadLetterNode(d))];

    [GraphQLDescription("Pass as 'before' for the next page; null when there is nothing older. A page may be short, or empty, and still have a next one.")]
    public string? Next => answer.Next;
}
