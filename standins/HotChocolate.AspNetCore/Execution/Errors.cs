using HotChocolate.Language;

namespace HotChocolate.Execution;

/// <summary>The request cannot be executed at all: its answer has errors and no data.</summary>
sealed class RequestErrorException(IReadOnlyList<IError> errors) : Exception(errors[0].Message)
{
    public IReadOnlyList<IError> Errors { get; } = errors;

    public RequestErrorException(string message, string code) : this([ErrorBuilder.New().SetMessage(message).SetCode(code).Build()])
    {
    }

    public RequestErrorException(SyntaxException exception)
        : this([ErrorBuilder.New().SetMessage(exception.Message).SetCode(ErrorCodes.Syntax).AddLocation(exception.Location).Build()])
    {
    }
}

/// <summary>Codes of errors, those of the real package where it has one.</summary>
static class ErrorCodes
{
    public const string InvalidRequest = "HC0009";
    public const string Syntax = "HC0011";
    public const string Validation = "HC0010";
    public const string Variables = "HC0016";
    public const string NonNull = "HC0018";
    public const string Timeout = "HC0045";
    public const string IntrospectionDisabled = "HC0046";
    public const string Cost = "HC0047";
    public const string Depth = "HC0048";
}
