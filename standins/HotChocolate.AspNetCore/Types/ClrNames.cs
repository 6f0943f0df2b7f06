using System.Globalization;
using System.Reflection;
using System.Text;
using HotChocolate.Language;

namespace HotChocolate.Types;

/// <summary>Names, descriptions and defaults of the schema from those of .NET, by the real package's conventions.</summary>
static class ClrNames
{
    static readonly Location Nowhere = new(1, 1);

    public static string Of(Type type) => type.GetCustomAttribute<GraphQLNameAttribute>()?.Name
        ?? (type.IsGenericType ? throw Unsupported.Of($"the generic type {type}") : type.Name);

    public static string Of(ParameterInfo parameter) => parameter.GetCustomAttribute<GraphQLNameAttribute>()?.Name ?? ToCamelCase(parameter.Name!);

    public static string Of(MemberInfo member)
    {
        if (member.GetCustomAttribute<GraphQLNameAttribute>() is { } given) return given.Name;
        var name = member.Name;
        if (member is MethodInfo)
        {
            if (name.Length > 3 && name.StartsWith("Get", StringComparison.Ordinal) && char.IsUpper(name[3])) name = name[3..];
            if (name.Length > 5 && name.EndsWith("Async", StringComparison.Ordinal)) name = name[..^5];
        }

        return ToCamelCase(name);
    }

    public static string? Description(MemberInfo member) => member.GetCustomAttribute<GraphQLDescriptionAttribute>()?.Description;

    /// <summary>Methods that every class or record has, and nobody wants as fields.</summary>
    public static bool IsOfEveryClass(MethodInfo method) =>
        method.Name.StartsWith('<') || method.GetBaseDefinition().DeclaringType == typeof(object) || method.Name is "Equals" or "Deconstruct" or "Dispose" or "DisposeAsync";

    /// <summary><c>StartTime</c> is <c>START_TIME</c>, <c>P99</c> stays.</summary>
    public static string ToUpperSnake(string name)
    {
        var result = new StringBuilder();
        for (var i = 0; i < name.Length; i++)
        {
            if (i > 0 && char.IsUpper(name[i]) && !char.IsUpper(name[i - 1])) result.Append('_');
            result.Append(char.ToUpperInvariant(name[i]));
        }

        return result.ToString();
    }

    /// <summary>A default of .NET as a literal; null for null, which is what an argument without default is.</summary>
    public static ValueNode? Literal(object? value) => value switch
    {
        null => null,
        string text => new ScalarNode(Nowhere, ScalarKind.String, text),
        bool flag => new ScalarNode(Nowhere, ScalarKind.Boolean, flag ? "true" : "false"),
        int or long => new ScalarNode(Nowhere, ScalarKind.Int, Convert.ToString(value, CultureInfo.InvariantCulture)!),
        double number => new ScalarNode(Nowhere, ScalarKind.Float, number.ToString(CultureInfo.InvariantCulture)),
        Enum choice => new ScalarNode(Nowhere, ScalarKind.Enum, ToUpperSnake(choice.ToString())),
        _ => throw Unsupported.Of($"a default of the type {value.GetType()}"),
    };

    // a leading run of capitals goes down but for the one that begins the next word: P99 is p99, URLPath is urlPath
    static string ToCamelCase(string name)
    {
        var end = 0;
        while (end < name.Length && char.IsUpper(name[end]) && (end == 0 || end + 1 >= name.Length || !char.IsLower(name[end + 1]))) end++;
        return name[..end].ToLowerInvariant() + name[end..];
    }
}
