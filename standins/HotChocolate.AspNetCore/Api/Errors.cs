using System.Collections.Immutable;

namespace HotChocolate
{
    /// <summary>A place in a document, both from 1.</summary>
    public readonly record struct Location(int Line, int Column);

    /// <summary>A place in a response: a field's response name or a list's index, and what it lies in.</summary>
    public sealed class Path
    {
        readonly object _segment;

        Path(Path? parent, object segment)
        {
            Parent = parent;
            _segment = segment;
        }

        public Path? Parent { get; }

        internal static Path Of(Path? parent, object segment) => new(parent, segment);

        /// <summary>Names (<see cref="string"/>) and indices (<see cref="int"/>) from the root.</summary>
        public IReadOnlyList<object> ToList()
        {
            var segments = new List<object>();
            for (var at = this; at is not null; at = at.Parent) segments.Add(at._segment);
            segments.Reverse();
            return segments;
        }
    }

    /// <summary>An error of a response.</summary>
    public interface IError
    {
        string Message { get; }

        string? Code { get; }

        Path? Path { get; }

        IReadOnlyList<Location>? Locations { get; }

        IReadOnlyDictionary<string, object?>? Extensions { get; }

        /// <summary>What a resolver threw; it never leaves the server.</summary>
        Exception? Exception { get; }
    }

    sealed record Error(string Message) : IError
    {
        public string? Code { get; init; }

        public Path? Path { get; init; }

        public IReadOnlyList<Location>? Locations { get; init; }

        public IReadOnlyDictionary<string, object?>? Extensions { get; init; }

        public Exception? Exception { get; init; }
    }

    /// <summary>Makes errors; a code stands in the extensions too.</summary>
    public sealed class ErrorBuilder
    {
        Error _error = new("");
        ImmutableDictionary<string, object?> _extensions = ImmutableDictionary<string, object?>.Empty;

        ErrorBuilder()
        {
        }

        public static ErrorBuilder New() => new();

        public static ErrorBuilder FromError(IError error) => new()
        {
            _error = new(error.Message) { Code = error.Code, Path = error.Path, Locations = error.Locations, Exception = error.Exception },
            _extensions = error.Extensions?.ToImmutableDictionary() ?? ImmutableDictionary<string, object?>.Empty,
        };

        public ErrorBuilder SetMessage(string message)
        {
            _error = _error with { Message = message };
            return this;
        }

        public ErrorBuilder SetCode(string? code)
        {
            _error = _error with { Code = code };
            return code is null ? this : SetExtension("code", code);
        }

        public ErrorBuilder SetException(Exception? exception)
        {
            _error = _error with { Exception = exception };
            return this;
        }

        public ErrorBuilder SetExtension(string key, object? value)
        {
            _extensions = _extensions.SetItem(key, value);
            return this;
        }

        public ErrorBuilder SetPath(Path? path)
        {
            _error = _error with { Path = path };
            return this;
        }

        public ErrorBuilder AddLocation(Location location)
        {
            _error = _error with { Locations = [.. _error.Locations ?? [], location] };
            return this;
        }

        public IError Build() => _error with { Extensions = _extensions.IsEmpty ? null : _extensions };
    }

    /// <summary>An error that a resolver or an interceptor wants the client to see as it is.</summary>
    public class GraphQLException : Exception
    {
        public GraphQLException(string message) : this(ErrorBuilder.New().SetMessage(message).Build())
        {
        }

        public GraphQLException(params IError[] errors) : base(errors.Length > 0 ? errors[0].Message : null) => Errors = errors;

        public IReadOnlyList<IError> Errors { get; }
    }
}

namespace HotChocolate.Execution
{
    /// <summary>Rewrites every error before it is sent.</summary>
    public interface IErrorFilter
    {
        IError OnError(IError error);
    }
}
