using System.Collections;
using System.Collections.Frozen;
using System.Reflection;
using HotChocolate.CostAnalysis.Types;
using HotChocolate.Execution.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace HotChocolate.Types;

/// <summary>
/// Makes a schema out of annotated classes, with the real package's conventions: public methods and properties are fields, in camelCase and
/// without Get and Async; nullable reference types say what is non-null; parameters are arguments, but for services and cancellation.
/// </summary>
sealed class SchemaBuilder(SchemaSetup setup, IServiceProvider services)
{
    readonly Dictionary<Type, ObjectType> _outputs = [];
    readonly Dictionary<Type, InputObjectType> _inputs = [];
    readonly Dictionary<Type, EnumType> _enums = [];
    readonly Dictionary<string, NamedType> _byName = new(StringComparer.Ordinal);
    readonly NullabilityInfoContext _nullability = new();
    readonly IServiceProviderIsService _isService = services.GetRequiredService<IServiceProviderIsService>();

    /// <exception cref="NotSupportedException">A class uses what only the real package does.</exception>
    public Schema Build()
    {
        var query = setup.Query ?? throw new InvalidOperationException("The schema has no query type: call AddQueryType.");
        foreach (var scalar in (ScalarType[])[ScalarType.String, ScalarType.Boolean]) Add(scalar);
        var queryType = Root(query);
        var mutation = setup.Mutation is { } m ? Root(m) : null;
        var subscription = setup.Subscription is { } s ? Root(s) : null;
        var introspection = new Introspection();
        foreach (var type in introspection.Types) Add(type);
        var schema = new Schema
        {
            Query = queryType,
            Mutation = mutation,
            Subscription = subscription,
            Types = _byName.ToFrozenDictionary(StringComparer.Ordinal),
            Directives = BuiltInDirectives.All,
        };
        introspection.AddRootFields(schema);
        return schema;
    }

    void Add(NamedType type)
    {
        if (!_byName.TryAdd(type.Name, type) && _byName[type.Name] != type)
            throw new InvalidOperationException($"Two types of the schema have the name '{type.Name}': give one of them another with [GraphQLName].");
    }

    ObjectType Root(Type type)
    {
        var instance = ActivatorUtilities.CreateInstance(services, type);
        var root = new ObjectType(ClrNames.Of(type), ClrNames.Description(type));
        _outputs[type] = root;
        Add(root);
        AddFields(root, type, instance);
        return root;
    }

    void AddFields(ObjectType owner, Type type, object? instance)
    {
        var subscribers = type.GetMethods().Select(m => m.GetCustomAttribute<SubscribeAttribute>()?.With).Where(w => w is not null).ToHashSet(StringComparer.Ordinal);
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (property.GetMethod is null || property.GetIndexParameters().Length > 0) continue;
            var read = ClrInvoke.Getter(property);
            owner.Fields.Add(Describe(
                new(ClrNames.Of(property), Output(property.PropertyType, _nullability.Create(property)), [], new((parent, _) => read(parent ?? instance!))), property));
        }

        foreach (var method in type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly))
        {
            if (method.IsSpecialName || subscribers.Contains(method.Name) || ClrNames.IsOfEveryClass(method)) continue;
            owner.Fields.Add(Describe(Method(type, method, instance), method));
        }
    }

    static Field Describe(Field field, MemberInfo member) => field with
    {
        Description = ClrNames.Description(member),
        DeprecationReason = member.GetCustomAttribute<GraphQLDeprecatedAttribute>()?.DeprecationReason,
        Cost = member.GetCustomAttribute<CostAttribute>()?.Weight ?? field.Cost,
        ListSize = member.GetCustomAttribute<ListSizeAttribute>()?.AssumedSize,
    };

    Field Method(Type type, MethodInfo method, object? instance)
    {
        var parameters = method.GetParameters();
        var sources = parameters.Select(p => Source(p)).ToList();
        var arguments = sources.Select(s => s.Argument).OfType<InputValue>().ToList();
        var nullability = _nullability.Create(method.ReturnParameter);
        var (result, resultNullability) = ClrInvoke.Awaited(method.ReturnType, nullability);
        var output = Output(result, resultNullability);
        var call = ClrInvoke.Method(method, instance, sources);
        var isAsync = result != method.ReturnType;
        var subscribe = method.GetCustomAttribute<SubscribeAttribute>();
        if (subscribe is null) return new(ClrNames.Of(method), output, arguments, new(call)) { Cost = isAsync ? setup.Cost.DefaultResolverCost : null };

        if (subscribe.With is not { } with || type.GetMethod(with) is not { } source)
            throw Unsupported.Of($"[Subscribe] on {type.Name}.{method.Name} without the name of a method in 'With'");
        var sourceSources = source.GetParameters().Select(p => Source(p)).ToList();
        return new(ClrNames.Of(method), output, [.. sourceSources.Select(s => s.Argument).OfType<InputValue>()], new(call))
        {
            Subscribe = ClrInvoke.Stream(source, instance, sourceSources),
            Cost = setup.Cost.DefaultResolverCost,
        };
    }

    ParameterSource Source(ParameterInfo parameter)
    {
        if (parameter.ParameterType == typeof(CancellationToken)) return new(ParameterKind.Token, parameter.ParameterType, null);
        if (parameter.IsDefined(typeof(EventMessageAttribute))) return new(ParameterKind.Event, parameter.ParameterType, null);
        if (_isService.IsService(parameter.ParameterType) && !IsEnumerable(parameter.ParameterType)) return new(ParameterKind.Service, parameter.ParameterType, null);
        var argument = new InputValue(ClrNames.Of(parameter), Input(parameter.ParameterType, _nullability.Create(parameter)), parameter.ParameterType)
        {
            Description = parameter.GetCustomAttribute<GraphQLDescriptionAttribute>()?.Description,
            Default = parameter.HasDefaultValue ? ClrNames.Literal(parameter.DefaultValue) : null,
        };
        return new(ParameterKind.Argument, parameter.ParameterType, argument);
    }

    SchemaType Output(Type type, NullabilityInfo nullability) => Wrap(type, nullability, nullability.ReadState, t => Leaf(t) ?? _outputs.GetValueOrDefault(t) ?? NewOutput(t));

    SchemaType Input(Type type, NullabilityInfo nullability) => Wrap(type, nullability, nullability.WriteState, t => Leaf(t) ?? _inputs.GetValueOrDefault(t) ?? NewInput(t));

    static SchemaType Wrap(Type type, NullabilityInfo nullability, NullabilityState state, Func<Type, NamedType> named)
    {
        var underlying = Nullable.GetUnderlyingType(type);
        SchemaType inner;
        if (Item(type) is { } item)
        {
            var itemNullability = nullability.ElementType ?? nullability.GenericTypeArguments[0];
            inner = new ListType(Wrap(item, itemNullability, itemNullability.ReadState, named));
        }
        else
        {
            inner = named(underlying ?? type);
        }

        return underlying is not null || state == NullabilityState.Nullable ? inner : new NonNullType(inner);
    }

    static bool IsEnumerable(Type type) => type != typeof(string) && typeof(IEnumerable).IsAssignableFrom(type);

    // of arrays and of the generic collections with one argument
    static Type? Item(Type type)
    {
        if (!IsEnumerable(type)) return null;
        if (type.IsArray) return type.GetElementType();
        return type.IsGenericType && type.GetGenericArguments() is [var item] ? item : throw Unsupported.Of($"lists of the type {type}");
    }

    ObjectType NewOutput(Type type)
    {
        if (!type.IsClass || type.Namespace?.StartsWith("System", StringComparison.Ordinal) == true) throw Unsupported.Of($"the output type {type}");
        var result = new ObjectType(ClrNames.Of(type), ClrNames.Description(type));
        _outputs[type] = result;
        Add(result);
        AddFields(result, type, null);
        return result;
    }

    InputObjectType NewInput(Type type)
    {
        if (!type.IsClass || type.GetConstructors() is not [var constructor]) throw Unsupported.Of($"the input type {type}, which is no class with one constructor");
        var name = ClrNames.Of(type);
        var result = new InputObjectType(name.EndsWith("Input", StringComparison.Ordinal) ? name : name + "Input", ClrNames.Description(type)) { Create = constructor.Invoke, ClrType = type };
        _inputs[type] = result;
        Add(result);
        foreach (var parameter in constructor.GetParameters())
        {
            result.Fields.Add(new(ClrNames.Of(parameter), Input(parameter.ParameterType, _nullability.Create(parameter)), parameter.ParameterType)
            {
                Description = parameter.GetCustomAttribute<GraphQLDescriptionAttribute>()?.Description,
                Default = parameter.HasDefaultValue ? ClrNames.Literal(parameter.DefaultValue) : null,
            });
        }

        return result;
    }

    NamedType? Leaf(Type type)
    {
        if (ScalarType.ByClrType.TryGetValue(type, out var scalar))
        {
            Add(scalar);
            return scalar;
        }

        if (!type.IsEnum) return null;
        if (_enums.TryGetValue(type, out var known)) return known;
        var values = type.GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => new EnumValue(
            f.GetCustomAttribute<GraphQLNameAttribute>()?.Name ?? ClrNames.ToUpperSnake(f.Name), ClrNames.Description(f),
            f.GetCustomAttribute<GraphQLDeprecatedAttribute>()?.DeprecationReason, f.GetValue(null)!));
        var result = _enums[type] = new(ClrNames.Of(type), ClrNames.Description(type), [.. values]);
        Add(result);
        return result;
    }
}
