namespace HotChocolate.Execution;

/// <summary>Turns what resolvers throw into errors of the answer, and passes each error through the filters.</summary>
sealed class ErrorReporter(IEnumerable<IErrorFilter> filters)
{
    readonly IErrorFilter[] _filters = [.. filters];

    public IError Filter(IError error)
    {
        foreach (var filter in _filters) error = filter.OnError(error);
        return error;
    }

    public IReadOnlyList<IError> Filter(IReadOnlyList<IError> errors) => [.. errors.Select(Filter)];

    /// <summary>The errors of an exception. What is not meant for clients says only that something went wrong.</summary>
    public IReadOnlyList<IError> ToErrors(Exception exception, Location? location = null, Path? path = null)
    {
        IReadOnlyList<IError> errors = exception is GraphQLException known
            ? known.Errors
            : [ErrorBuilder.New().SetMessage("Unexpected Execution Error").SetException(exception).Build()];
        return [.. errors.Select(error => Filter(At(error, location, path)))];
    }

    /// <summary>Adds an exception's errors; fields of one answer fail at the same time.</summary>
    public void Report(List<IError> errors, Exception exception, Location location, Path path)
    {
        var found = ToErrors(exception, location, path);
        lock (errors) errors.AddRange(found);
    }

    static IError At(IError error, Location? location, Path? path)
    {
        var builder = ErrorBuilder.FromError(error);
        if (location is { } place && error.Locations is null) builder.AddLocation(place);
        if (error.Path is null) builder.SetPath(path);
        return builder.Build();
    }
}
