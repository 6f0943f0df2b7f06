using System.Text.Json;
using HotChocolate.Language;
using HotChocolate.Types;

namespace HotChocolate.Execution;

/// <summary>An operation's variables, coerced (https://spec.graphql.org/October2021/#CoerceVariableValues()).</summary>
sealed class Variables
{
    readonly Dictionary<string, object?> _values = new(StringComparer.Ordinal);

    public static Variables None { get; } = new();

    /// <summary>The values that were given, or the defaults.</summary>
    /// <exception cref="RequestErrorException">Names each variable that is wrong.</exception>
    public static Variables Read(Schema schema, OperationDefinition operation, JsonElement? given)
    {
        var result = new Variables();
        var errors = new List<IError>();
        foreach (var definition in operation.Variables)
        {
            try
            {
                result.Read(schema, definition, given);
            }
            catch (CoercionException exception)
            {
                errors.Add(ErrorBuilder.New().SetMessage(exception.Message).SetCode(ErrorCodes.Variables).AddLocation(definition.Location).SetExtension("variable", definition.Name).Build());
            }
        }

        return errors.Count == 0 ? result : throw new RequestErrorException(errors);
    }

    public bool IsGiven(string name) => _values.ContainsKey(name);

    public object? Value(string name) => _values.GetValueOrDefault(name);

    void Read(Schema schema, VariableDefinition definition, JsonElement? given)
    {
        // validation has seen that the type is there
        var type = schema.Resolve(definition.Type)!;
        var clrType = ClrTypeOf(type);
        var at = $"'${definition.Name}'";
        if (given is { } variables && variables.TryGetProperty(definition.Name, out var json)) _values[definition.Name] = Coercion.FromJson(json, type, clrType, at);
        else if (definition.DefaultValue is { } value) _values[definition.Name] = Coercion.FromLiteral(value, type, clrType, None, at);
        else if (type.IsNonNull) throw new CoercionException($"{at} must be given.");
    }

    // what an argument of this type would have
    static Type ClrTypeOf(SchemaType type) => type.Nullable switch
    {
        ListType list => ClrTypeOf(list.Item).MakeArrayType(),
        ScalarType scalar => OrNull(ScalarType.ByClrType.First(s => s.Value == scalar).Key, type),
        EnumType choice => OrNull(choice.Values[0].Value.GetType(), type),
        InputObjectType input => input.ClrType,
        _ => typeof(object),
    };

    static Type OrNull(Type type, SchemaType schemaType) => type.IsValueType && !schemaType.IsNonNull ? typeof(Nullable<>).MakeGenericType(type) : type;
}
