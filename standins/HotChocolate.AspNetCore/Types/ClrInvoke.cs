using System.Linq.Expressions;
using System.Reflection;
using HotChocolate.Execution;
using Microsoft.Extensions.DependencyInjection;

namespace HotChocolate.Types;

enum ParameterKind
{
    Argument,
    Service,
    Token,
    Event,
}

/// <summary>Where a parameter of a resolver gets its value from.</summary>
sealed record ParameterSource(ParameterKind Kind, Type Type, InputValue? Argument);

/// <summary>Calls the methods and properties that fields are made of.</summary>
static class ClrInvoke
{
    /// <summary>Reads a property as fast as code would: an answer has many thousands of values.</summary>
    public static Func<object, object?> Getter(PropertyInfo property)
    {
        var owner = Expression.Parameter(typeof(object));
        var read = Expression.Property(Expression.Convert(owner, property.DeclaringType!), property);
        return Expression.Lambda<Func<object, object?>>(Expression.Convert(read, typeof(object)), owner).Compile();
    }

    /// <summary>What a task brings, or the type itself.</summary>
    public static (Type Type, NullabilityInfo Nullability) Awaited(Type type, NullabilityInfo nullability) =>
        type.IsGenericType && (type.GetGenericTypeDefinition() == typeof(Task<>) || type.GetGenericTypeDefinition() == typeof(ValueTask<>))
            ? (type.GetGenericArguments()[0], nullability.GenericTypeArguments[0])
            : (type, nullability);

    public static Func<ResolverCall, ValueTask<object?>> Method(MethodInfo method, object? instance, IReadOnlyList<ParameterSource> sources)
    {
        var invoker = MethodInvoker.Create(method);
        var unwrap = Unwrapper(method.ReturnType);
        return call => unwrap(invoker.Invoke(instance ?? call.Parent, Values(call, sources).AsSpan()));
    }

    public static Func<ResolverCall, ValueTask<IAsyncEnumerable<object?>>> Stream(MethodInfo method, object? instance, IReadOnlyList<ParameterSource> sources)
    {
        var call = Method(method, instance, sources);
        var stream = method.ReturnType.IsGenericType && !IsStream(method.ReturnType) ? method.ReturnType.GetGenericArguments()[0] : method.ReturnType;
        if (!IsStream(stream)) throw Unsupported.Of($"{method.DeclaringType!.Name}.{method.Name}, which gives no IAsyncEnumerable, as the source of a subscription");
        var box = typeof(ClrInvoke).GetMethod(nameof(Box), BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(stream.GetGenericArguments()[0])
            .CreateDelegate<Func<object, IAsyncEnumerable<object?>>>();
        return async c => box((await call(c))!);
    }

    static bool IsStream(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IAsyncEnumerable<>);

    static IAsyncEnumerable<object?> Box<T>(object stream) => ((IAsyncEnumerable<T>)stream).Select(item => (object?)item);

    static object?[] Values(ResolverCall call, IReadOnlyList<ParameterSource> sources)
    {
        var values = new object?[sources.Count];
        var argument = 0;
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = sources[i].Kind switch
            {
                ParameterKind.Argument => call.Arguments[argument++],
                ParameterKind.Service => call.Services.GetRequiredService(sources[i].Type),
                ParameterKind.Token => call.Token,
                _ => call.Parent,
            };
        }

        return values;
    }

    static Func<object?, ValueTask<object?>> Unwrapper(Type type)
    {
        if (!type.IsGenericType) return value => new(value);
        var definition = type.GetGenericTypeDefinition();
        var name = definition == typeof(Task<>) ? nameof(FromTask) : definition == typeof(ValueTask<>) ? nameof(FromValueTask) : null;
        if (name is null) return value => new(value);
        return typeof(ClrInvoke).GetMethod(name, BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(type.GetGenericArguments())
            .CreateDelegate<Func<object?, ValueTask<object?>>>();
    }

    static async ValueTask<object?> FromTask<T>(object? task) => await (Task<T>)task!;

    static async ValueTask<object?> FromValueTask<T>(object? task) => await (ValueTask<T>)task!;
}
