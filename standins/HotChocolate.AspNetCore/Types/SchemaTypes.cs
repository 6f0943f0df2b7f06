using System.Collections.Frozen;
using HotChocolate.Execution;
using HotChocolate.Language;

namespace HotChocolate.Types;

// What a schema consists of (https://spec.graphql.org/October2021/#sec-Type-System), as far as the stand-in goes: objects, input objects,
// enums and scalars; no interfaces and no unions.

abstract class SchemaType
{
    /// <summary>The type without list and non-null.</summary>
    public abstract NamedType Named { get; }

    public bool IsNonNull => this is NonNullType;

    /// <summary>The type without its non-null.</summary>
    public SchemaType Nullable => this is NonNullType { Inner: var inner } ? inner : this;

    public bool IsLeaf => Named is ScalarType or EnumType;

    public bool IsInput => Named is not ObjectType;

    /// <summary>Whether every value of this type is one of the other (https://spec.graphql.org/October2021/#AreTypesCompatible()).</summary>
    public bool FitsInto(SchemaType other) => (this, other) switch
    {
        (NonNullType a, NonNullType b) => a.Inner.FitsInto(b.Inner),
        (NonNullType a, _) => a.Inner.FitsInto(other),
        (_, NonNullType) => false,
        (ListType a, ListType b) => a.Item.FitsInto(b.Item),
        _ => ReferenceEquals(this, other),
    };

    public bool IsSame(SchemaType other) => ToString() == other.ToString();
}

sealed class ListType(SchemaType item) : SchemaType
{
    public SchemaType Item { get; } = item;

    public override NamedType Named => Item.Named;

    public override string ToString() => $"[{Item}]";
}

sealed class NonNullType(SchemaType inner) : SchemaType
{
    public SchemaType Inner { get; } = inner;

    public override NamedType Named => Inner.Named;

    public override string ToString() => $"{Inner}!";
}

abstract class NamedType(string name, string? description) : SchemaType
{
    public string Name { get; } = name;

    public string? Description { get; } = description;

    public override NamedType Named => this;

    public override string ToString() => Name;
}

sealed class ObjectType(string name, string? description) : NamedType(name, description)
{
    public const string TypeName = "__typename";

    // filled when the types exist that the fields refer to
    public List<Field> Fields { get; } = [];

    public Field? Field(string name) => name == TypeName ? TypeNameField : Fields.Find(f => f.Name == name);

    public bool IsIntrospection => Name.StartsWith("__", StringComparison.Ordinal);

    Field TypeNameField => field ??= new(TypeName, new NonNullType(ScalarType.String), [], new((_, _) => Name)) { Description = "The type's name." };
}

sealed class InputObjectType(string name, string? description) : NamedType(name, description)
{
    public List<InputValue> Fields { get; } = [];

    /// <summary>Makes the .NET value out of the fields' values, in the order of <see cref="Fields"/>.</summary>
    public required Func<object?[], object> Create { get; init; }

    public required Type ClrType { get; init; }

    public InputValue? Field(string name) => Fields.Find(f => f.Name == name);
}

sealed record EnumValue(string Name, string? Description, string? DeprecationReason, object Value);

sealed class EnumType(string name, string? description, IReadOnlyList<EnumValue> values) : NamedType(name, description)
{
    readonly FrozenDictionary<object, string> _names = values.ToFrozenDictionary(v => v.Value, v => v.Name);

    public IReadOnlyList<EnumValue> Values { get; } = values;

    public EnumValue? Find(string name) => Values.FirstOrDefault(v => v.Name == name);

    /// <summary>A value's name; null when there is none.</summary>
    public string? NameOf(object value) => _names.GetValueOrDefault(value);
}

/// <summary>An argument, or a field of an input object.</summary>
sealed record InputValue(string Name, SchemaType Type, Type ClrType)
{
    public string? Description { get; init; }

    /// <summary>The default as a literal; null when there is none.</summary>
    public ValueNode? Default { get; init; }

    /// <summary>Whether leaving it out is an error.</summary>
    public bool IsRequired => Type.IsNonNull && Default is null;
}

/// <summary>How a field gets its value: at once from its parent, or by a call that takes arguments and services.</summary>
sealed class Resolver
{
    public Resolver(Func<object?, object?[], object?> atOnce) => AtOnce = atOnce;

    public Resolver(Func<ResolverCall, ValueTask<object?>> call) => Call = call;

    public Func<object?, object?[], object?>? AtOnce { get; }

    public Func<ResolverCall, ValueTask<object?>>? Call { get; }
}

sealed record Field(string Name, SchemaType Type, IReadOnlyList<InputValue> Arguments, Resolver Resolver)
{
    public string? Description { get; init; }

    public string? DeprecationReason { get; init; }

    /// <summary>Gives a subscription's events; null for other fields.</summary>
    public Func<ResolverCall, ValueTask<IAsyncEnumerable<object?>>>? Subscribe { get; init; }

    /// <summary>What resolving it costs; null for the default.</summary>
    public double? Cost { get; init; }

    /// <summary>How many items its list is taken to have.</summary>
    public int? ListSize { get; init; }

    public InputValue? Argument(string name) => Arguments.FirstOrDefault(a => a.Name == name);
}

enum DirectiveLocation
{
    Query,
    Mutation,
    Subscription,
    Field,
    FragmentDefinition,
    FragmentSpread,
    InlineFragment,
    VariableDefinition,
    FieldDefinition,
    ArgumentDefinition,
    InputFieldDefinition,
    EnumValue,
    Scalar,
    Object,
    Enum,
}

sealed record DirectiveType(string Name, string Description, IReadOnlyList<DirectiveLocation> Locations, IReadOnlyList<InputValue> Arguments)
{
    public InputValue? Argument(string name) => Arguments.FirstOrDefault(a => a.Name == name);
}

/// <summary>A whole schema.</summary>
sealed class Schema
{
    public required ObjectType Query { get; init; }

    public ObjectType? Mutation { get; init; }

    public ObjectType? Subscription { get; init; }

    /// <summary>Every named type, those of the introspection too.</summary>
    public required FrozenDictionary<string, NamedType> Types { get; init; }

    public required IReadOnlyList<DirectiveType> Directives { get; init; }

    /// <summary>Types that clients of the schema have to do with.</summary>
    public IEnumerable<NamedType> OwnTypes => Types.Values.Where(t => !t.Name.StartsWith("__", StringComparison.Ordinal));

    public NamedType? Type(string name) => Types.GetValueOrDefault(name);

    public DirectiveType? Directive(string name) => Directives.FirstOrDefault(d => d.Name == name);

    public ObjectType? Root(OperationType type) => type switch
    {
        OperationType.Mutation => Mutation,
        OperationType.Subscription => Subscription,
        _ => Query,
    };

    /// <summary>The type that is written in a document; null when there is no such.</summary>
    public SchemaType? Resolve(TypeNode node) => node switch
    {
        NamedTypeNode named => Type(named.Name),
        ListTypeNode list => Resolve(list.Item) is { } item ? new ListType(item) : null,
        NonNullTypeNode nonNull => Resolve(nonNull.Inner) is { } inner ? new NonNullType(inner) : null,
        _ => null,
    };
}
