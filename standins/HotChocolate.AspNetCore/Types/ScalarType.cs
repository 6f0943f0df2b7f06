using System.Globalization;
using System.Text.Json;
using HotChocolate.Language;

namespace HotChocolate.Types;

/// <summary>
/// A scalar: how its input becomes a .NET value, and which .NET values are its output. Each of the functions gives null for what is no such
/// scalar (https://spec.graphql.org/October2021/#sec-Scalars).
/// </summary>
sealed class ScalarType(string name, string description) : NamedType(name, description)
{
    // the largest distance from zero within which a double has every integer
    const double MaxExact = 9_007_199_254_740_992;

    public required Func<ScalarNode, object?> FromLiteral { get; init; }

    public required Func<JsonElement, object?> FromJson { get; init; }

    public required Func<object, object?> ToOutput { get; init; }

    public static ScalarType String { get; } = new("String", "Text.")
    {
        FromLiteral = node => node.Kind == ScalarKind.String ? node.Text : null,
        FromJson = json => json.ValueKind == JsonValueKind.String ? json.GetString() : null,
        ToOutput = value => value as string,
    };

    public static ScalarType Boolean { get; } = new("Boolean", "true or false.")
    {
        FromLiteral = node => node.Kind == ScalarKind.Boolean ? node.Text == "true" : null,
        FromJson = json => json.ValueKind switch { JsonValueKind.True => true, JsonValueKind.False => false, _ => null },
        ToOutput = value => value as bool?,
    };

    public static ScalarType Int { get; } = new("Int", "An integer of 32 bits.")
    {
        FromLiteral = node => Integer(node) is >= int.MinValue and <= int.MaxValue and var number ? (int)number : null,
        FromJson = json => Integer(json) is >= int.MinValue and <= int.MaxValue and var number ? (int)number : null,
        ToOutput = value => value as int?,
    };

    public static ScalarType Long { get; } = new("Long", "An integer of 64 bits.")
    {
        FromLiteral = node => Integer(node),
        FromJson = json => Integer(json),
        ToOutput = value => value as long?,
    };

    // a number too large for a double is none, and NaN and the infinities have no JSON
    public static ScalarType Float { get; } = new("Float", "A number of double precision.")
    {
        FromLiteral = node =>
            node.Kind is ScalarKind.Int or ScalarKind.Float && double.TryParse(node.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
                ? number
                : null,
        FromJson = json => json.ValueKind == JsonValueKind.Number && json.TryGetDouble(out var number) && double.IsFinite(number) ? number : null,
        ToOutput = value => value is double number && double.IsFinite(number) ? value : null,
    };

    /// <summary>The scalars that .NET types stand for.</summary>
    public static IReadOnlyDictionary<Type, ScalarType> ByClrType { get; } = new Dictionary<Type, ScalarType>
    {
        [typeof(string)] = String,
        [typeof(bool)] = Boolean,
        [typeof(int)] = Int,
        [typeof(long)] = Long,
        [typeof(double)] = Float,
    };

    static long? Integer(ScalarNode node) =>
        node.Kind == ScalarKind.Int && long.TryParse(node.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

    // 1.0 and 1e3 are integers too, as a client may write them
    static long? Integer(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Number) return null;
        if (json.TryGetInt64(out var number)) return number;
        return json.TryGetDouble(out var real) && Math.Abs(real) <= MaxExact && real == Math.Floor(real) ? (long)real : null;
    }
}
