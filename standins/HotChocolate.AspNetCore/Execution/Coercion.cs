using System.Collections;
using System.Text.Json;
using HotChocolate.Language;
using HotChocolate.Types;

namespace HotChocolate.Execution;

/// <summary>An input does not have the type it should have.</summary>
sealed class CoercionException(string message) : Exception(message);

/// <summary>
/// Makes .NET values out of literals and of variables' JSON (https://spec.graphql.org/October2021/#sec-Values, "Input Coercion" of each type).
/// </summary>
static class Coercion
{
    const int MaxEchoedLength = 100;

    /// <summary>A variable's value.</summary>
    /// <param name="at">What to call it in messages.</param>
    /// <exception cref="CoercionException">It has another type.</exception>
    public static object? FromJson(JsonElement json, SchemaType type, Type clrType, string at)
    {
        if (type is NonNullType { Inner: var inner })
            return json.ValueKind == JsonValueKind.Null ? throw new CoercionException($"{at} must not be null.") : FromJson(json, inner, clrType, at);
        if (json.ValueKind == JsonValueKind.Null) return null;
        switch (type)
        {
            case ListType list:
                var itemType = ItemOf(clrType);
                return json.ValueKind == JsonValueKind.Array
                    ? ToArray([.. json.EnumerateArray().Select((item, i) => FromJson(item, list.Item, itemType, $"{at}[{i}]"))], itemType)
                    : ToArray([FromJson(json, list.Item, itemType, at)], itemType);
            case InputObjectType input:
                return ObjectFromJson(json, input, at);
            case EnumType choice:
                return (json.ValueKind == JsonValueKind.String ? choice.Find(json.GetString()!)?.Value : null) ?? throw NotA(choice, at, Text(json));
            default:
                return ((ScalarType)type).FromJson(json) ?? throw NotA(type, at, Text(json));
        }
    }

    /// <summary>A literal's value; variables in it have theirs.</summary>
    /// <exception cref="CoercionException">It has another type.</exception>
    public static object? FromLiteral(ValueNode node, SchemaType type, Type clrType, Variables variables, string at)
    {
        if (node is VariableNode variable)
        {
            var value = variables.Value(variable.Name);
            if (value is null && type.IsNonNull) throw new CoercionException($"{at} must not be null, but '${variable.Name}' is.");
            // a variable of [Int!] may stand where .NET wants a list of int?
            return value is Array items && ItemOf(clrType) is var item && items.GetType().GetElementType() != item ? ToArray([.. items.Cast<object?>()], item) : value;
        }

        if (type is NonNullType { Inner: var inner })
            return node is NullNode ? throw new CoercionException($"{at} must not be null.") : FromLiteral(node, inner, clrType, variables, at);
        if (node is NullNode) return null;
        switch (type)
        {
            case ListType list:
                var itemType = ItemOf(clrType);
                return node is ListNode items
                    ? ToArray([.. items.Items.Select((item, i) => FromLiteral(item, list.Item, itemType, variables, $"{at}[{i}]"))], itemType)
                    : ToArray([FromLiteral(node, list.Item, itemType, variables, at)], itemType);
            case InputObjectType input:
                return ObjectFromLiteral(node, input, variables, at);
            case EnumType choice:
                return (node is ScalarNode { Kind: ScalarKind.Enum } name ? choice.Find(name.Text)?.Value : null) ?? throw NotA(choice, at, ValuePrinter.Print(node));
            default:
                return (node is ScalarNode scalar ? ((ScalarType)type).FromLiteral(scalar) : null) ?? throw NotA(type, at, ValuePrinter.Print(node));
        }
    }

    /// <summary>An argument's value, or its default (https://spec.graphql.org/October2021/#CoerceArgumentValues()).</summary>
    /// <exception cref="CoercionException">It is missing or has another type.</exception>
    public static object? Argument(InputValue definition, IReadOnlyList<ArgumentNode> given, Variables variables, string at)
    {
        var node = given.FirstOrDefault(a => a.Name == definition.Name)?.Value;
        if (node is null || (node is VariableNode variable && !variables.IsGiven(variable.Name)))
        {
            return definition.Default is { } value ? FromLiteral(value, definition.Type, definition.ClrType, variables, at)
                : definition.Type.IsNonNull ? throw new CoercionException($"{at} must be given.")
                : null;
        }

        return FromLiteral(node, definition.Type, definition.ClrType, variables, at);
    }

    static object ObjectFromJson(JsonElement json, InputObjectType type, string at)
    {
        if (json.ValueKind != JsonValueKind.Object) throw NotA(type, at, Text(json));
        foreach (var property in json.EnumerateObject())
        {
            if (type.Field(property.Name) is null) throw new CoercionException($"{at} has the field '{Cut(property.Name)}', which '{type}' does not have.");
        }

        return type.Create([.. type.Fields.Select(f => json.TryGetProperty(f.Name, out var value) ? FromJson(value, f.Type, f.ClrType, $"{at}.{f.Name}") : Missing(f, at))]);
    }

    static object ObjectFromLiteral(ValueNode node, InputObjectType type, Variables variables, string at)
    {
        if (node is not ObjectNode fields) throw NotA(type, at, ValuePrinter.Print(node));
        return type.Create([.. type.Fields.Select(f => Argument(f, fields.Fields, variables, $"{at}.{f.Name}"))]);
    }

    static object? Missing(InputValue field, string at) =>
        field.IsRequired ? throw new CoercionException($"{at}.{field.Name} must be given.")
        : field.Default is { } value ? FromLiteral(value, field.Type, field.ClrType, Variables.None, at)
        : null;

    static Type ItemOf(Type list) => list.IsArray ? list.GetElementType()! : list.GetGenericArguments()[0];

    // an array is a list of each kind that an argument may have
    static Array ToArray(object?[] items, Type itemType)
    {
        var result = Array.CreateInstance(itemType, items.Length);
        for (var i = 0; i < items.Length; i++) ((IList)result)[i] = items[i];
        return result;
    }

    static CoercionException NotA(SchemaType type, string at, string value)
    {
        var choices = type is EnumType choice ? $", one of {string.Join(", ", choice.Values.Select(v => v.Name))}" : "";
        return new($"{at} must be of the type '{type}'{choices}; it was {Cut(value)}.");
    }

    static string Text(JsonElement json) => json.GetRawText();

    static string Cut(string text) => text.Length > MaxEchoedLength ? text[..MaxEchoedLength] + "…" : text;
}
