using HotChocolate;
using HotChocolate.Execution;
using StreamMetrics.Query.Input;
using StreamMetrics.Query.Rest;
using StreamMetrics.Query.Stores;

namespace StreamMetrics.Query.GraphQL;

/// <summary>Makes errors of what the query service throws, with the words that REST has for it. Anything else is a defect: it is logged, and the client learns no more.</summary>
sealed class ErrorFilter(ILogger<ErrorFilter> logger) : IErrorFilter
{
    public IError OnError(IError error)
    {
        switch (error.Exception)
        {
            case null:
                return error;
            case InvalidRequestException invalid:
                return Known(error, ProblemHandler.Detail(invalid), "INVALID_REQUEST").SetExtension("errors", invalid.Errors.Select(ToMap).ToList()).Build();
            case NotFoundException missing:
                return Known(error, missing.Message, "NOT_FOUND").Build();
            case StoreUnavailableException outage:
                return Known(error, outage.Message, "STORE_UNAVAILABLE").Build();
            default:
                Log.GraphQLFailed(logger, error.Exception);
                return error;
        }
    }

    static ErrorBuilder Known(IError error, string message, string code) => ErrorBuilder.FromError(error).SetMessage(message).SetCode(code).SetException(null);

    static Dictionary<string, object?> ToMap(FieldError error) => new() { ["field"] = error.Field, ["value"] = error.Value, ["rule"] = error.Rule };
}
