using System.Collections;
using HotChocolate.Types;

namespace HotChocolate.Execution;

/// <summary>
/// Executes a plan (https://spec.graphql.org/October2021/#sec-Execution). A field that fails is null and has an error; where null is not allowed,
/// what holds the field is null instead, up to the whole answer.
/// </summary>
sealed class OperationRun(IServiceProvider services, ErrorReporter reporter, CancellationToken token)
{
    // A null where none is allowed: it goes up to the next place that may be null. Its error is reported already.
    static readonly object Nothing = new();

    readonly List<IError> _errors = [];

    /// <param name="plan">What to take.</param>
    /// <param name="root">The event of a subscription, else null.</param>
    /// <param name="isSerial">Whether each root field waits for the one before, as mutations have it.</param>
    public async Task<ExecutionResult> ExecuteAsync(SelectionPlan plan, object? root, bool isSerial)
    {
        var data = await SelectionsAsync(plan, root, null, isSerial);
        return new(true, data as ResultObject, _errors);
    }

    async ValueTask<object?> SelectionsAsync(SelectionPlan plan, object? parent, Path? path, bool isSerial)
    {
        var values = new object?[plan.Fields.Count];
        List<(int Index, Task<object?> Value)>? pending = null;
        for (var i = 0; i < values.Length; i++)
        {
            var field = plan.Fields[i];
            if (field.IsPlainLeaf)
            {
                values[i] = PlainLeaf(field, parent, path);
                continue;
            }

            var value = FieldAsync(field, parent, Path.Of(path, field.ResponseName));
            if (value.IsCompletedSuccessfully || isSerial) values[i] = await value;
            else (pending ??= []).Add((i, value.AsTask()));
        }

        if (pending is not null)
        {
            await Task.WhenAll(pending.Select(p => p.Value));
            foreach (var (index, value) in pending) values[index] = await value;
        }

        return Array.IndexOf(values, Nothing) >= 0 ? Nothing : new ResultObject(plan.Names, values);
    }

    object? PlainLeaf(PlannedField field, object? parent, Path? path)
    {
        try
        {
            var value = Leaf(field.Field.Type.Named, field.Field.Resolver.AtOnce!(parent, field.Arguments));
            if (value is not null || !field.Field.Type.IsNonNull) return value;
            throw NullError(field);
        }
        catch (Exception exception)
        {
            return Fail(exception, field, Path.Of(path, field.ResponseName));
        }
    }

    async ValueTask<object?> FieldAsync(PlannedField field, object? parent, Path path)
    {
        try
        {
            if (field.ArgumentError is { } error) throw new GraphQLException(ErrorBuilder.New().SetMessage(error).SetCode(ErrorCodes.Variables).Build());
            var value = field.Field.Resolver.AtOnce is { } atOnce
                ? atOnce(parent, field.Arguments)
                : await field.Field.Resolver.Call!(new(parent, field.Arguments, services, token));
            return await CompleteAsync(field.Field.Type, value, field, path);
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !token.IsCancellationRequested)
        {
            return Fail(exception, field, path);
        }
    }

    async ValueTask<object?> CompleteAsync(SchemaType type, object? value, PlannedField field, Path path)
    {
        var completed = value is null ? null : type.Nullable switch
        {
            ListType list => await ListAsync(list, (IEnumerable)value, field, path),
            ObjectType => await SelectionsAsync(field.Selections!, value, path, isSerial: false),
            var leaf => Leaf((NamedType)leaf, value),
        };
        if (!type.IsNonNull) return completed == Nothing ? null : completed;
        if (completed is not null) return completed;
        reporter.Report(_errors, NullError(field), field.Location, path);
        return Nothing;
    }

    async ValueTask<object?> ListAsync(ListType type, IEnumerable items, PlannedField field, Path path)
    {
        var result = new List<object?>();
        foreach (var item in items)
        {
            var completed = await CompleteAsync(type.Item, item, field, Path.Of(path, result.Count));
            if (completed == Nothing) return Nothing;
            result.Add(completed);
        }

        return result;
    }

    static object? Leaf(NamedType type, object? value)
    {
        if (value is null) return null;
        return (type is EnumType choice ? choice.NameOf(value) : ((ScalarType)type).ToOutput(value))
            ?? throw new GraphQLException($"The value cannot be expressed as '{type}'.");
    }

    object? Fail(Exception exception, PlannedField field, Path path)
    {
        reporter.Report(_errors, exception, field.Location, path);
        return field.Field.Type.IsNonNull ? Nothing : null;
    }

    static GraphQLException NullError(PlannedField field) => new(ErrorBuilder.New()
        .SetMessage($"The field '{field.Field.Name}' must not be null, but is.").SetCode(ErrorCodes.NonNull).Build());
}
