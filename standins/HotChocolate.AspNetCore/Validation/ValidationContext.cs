using HotChocolate.Execution;
using HotChocolate.Language;
using HotChocolate.Types;

namespace HotChocolate.Validation;

/// <summary>What the rules look at, and where they report.</summary>
sealed class ValidationContext(Schema schema, Document document)
{
    // more are of no use to anybody
    const int MaxErrors = 100;

    public Schema Schema { get; } = schema;

    public Document Document { get; } = document;

    public List<IError> Errors { get; } = [];

    /// <param name="rule">Its section of the specification, without the common beginning <c>sec-</c>.</param>
    /// <param name="message">What is wrong.</param>
    /// <param name="nodes">Where.</param>
    public void Report(string rule, string message, params ReadOnlySpan<Node> nodes)
    {
        if (Errors.Count >= MaxErrors) return;
        var error = ErrorBuilder.New().SetMessage(message).SetCode(ErrorCodes.Validation).SetExtension("specifiedBy", $"https://spec.graphql.org/October2021/#sec-{rule}");
        foreach (var node in nodes) error.AddLocation(node.Location);
        Errors.Add(error.Build());
    }

    public void Report(IError error) => Errors.Add(error);

    /// <summary>A fragment's type, when it is an object.</summary>
    public ObjectType? TypeOf(NamedTypeNode condition) => Schema.Type(condition.Name) as ObjectType;
}
