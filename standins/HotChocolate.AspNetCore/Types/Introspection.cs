using HotChocolate.Language;

namespace HotChocolate.Types;

/// <summary>
/// The types of the introspection and the fields that lead to them (https://spec.graphql.org/October2021/#sec-Schema-Introspection). What they
/// tell is the schema's own objects.
/// </summary>
sealed class Introspection
{
    readonly ObjectType _schema = new("__Schema", "What the server can be asked.");
    readonly ObjectType _type = new("__Type", "A type. Which fields have values depends on its kind.");
    readonly ObjectType _field = new("__Field", "A field of an object.");
    readonly ObjectType _inputValue = new("__InputValue", "An argument, or a field of an input object.");
    readonly ObjectType _enumValue = new("__EnumValue", "A value of an enum.");
    readonly ObjectType _directive = new("__Directive", "A directive.");
    readonly EnumType _typeKind = new("__TypeKind", "What kind a type is of.",
        [.. new[] { "SCALAR", "OBJECT", "INTERFACE", "UNION", "ENUM", "INPUT_OBJECT", "LIST", "NON_NULL" }.Select(k => new EnumValue(k, null, null, k))]);

    readonly EnumType _location = new("__DirectiveLocation", "Where a directive may stand.",
        [.. Enum.GetValues<DirectiveLocation>().Select(l => new EnumValue(ClrNames.ToUpperSnake(l.ToString()), null, null, l))]);


    public Introspection()
    {
        var text = ScalarType.String;
        var flag = new NonNullType(ScalarType.Boolean);
        AddSchema(text);
        AddType(text);
        AddMembers(text, flag);
        Add<DirectiveType>(_directive, "name", new NonNullType(text), d => d.Name);
        Add<DirectiveType>(_directive, "description", text, d => d.Description);
        Add<DirectiveType>(_directive, "isRepeatable", flag, _ => false);
        Add<DirectiveType>(_directive, "locations", ListOf(_location), d => d.Locations);
        AddWithDeprecated<DirectiveType>(_directive, "args", ListOf(_inputValue), (d, _) => d.Arguments);
    }

    public IEnumerable<NamedType> Types => [_schema, _type, _field, _inputValue, _enumValue, _directive, _typeKind, _location];

    /// <summary>Adds <c>__schema</c> and <c>__type</c> to the query.</summary>
    public void AddRootFields(Schema schema)
    {
        schema.Query.Fields.Add(new("__schema", new NonNullType(_schema), [], new((_, _) => schema)) { Description = "The schema." });
        schema.Query.Fields.Add(new("__type", _type, [new("name", new NonNullType(ScalarType.String), typeof(string))], new((_, arguments) => schema.Type((string)arguments[0]!)))
        {
            Description = "A type of the schema, by its name.",
        });
    }

    void AddSchema(ScalarType text)
    {
        Add<Schema>(_schema, "description", text, _ => null);
        Add<Schema>(_schema, "types", ListOf(_type), s => s.Types.Values.OrderBy(t => t.Name, StringComparer.Ordinal));
        Add<Schema>(_schema, "queryType", new NonNullType(_type), s => s.Query);
        Add<Schema>(_schema, "mutationType", _type, s => s.Mutation);
        Add<Schema>(_schema, "subscriptionType", _type, s => s.Subscription);
        Add<Schema>(_schema, "directives", ListOf(_directive), s => s.Directives);
    }

    void AddType(ScalarType text)
    {
        Add<SchemaType>(_type, "kind", new NonNullType(_typeKind), KindOf);
        Add<SchemaType>(_type, "name", text, t => (t as NamedType)?.Name);
        Add<SchemaType>(_type, "description", text, t => (t as NamedType)?.Description);
        AddWithDeprecated<SchemaType>(_type, "fields", ListOf(_field).Nullable, (t, all) =>
            (t as ObjectType)?.Fields.Where(f => !f.Name.StartsWith("__", StringComparison.Ordinal) && (all || f.DeprecationReason is null)));
        Add<SchemaType>(_type, "interfaces", ListOf(_type).Nullable, t => t is ObjectType ? Array.Empty<SchemaType>() : null);
        Add<SchemaType>(_type, "possibleTypes", ListOf(_type).Nullable, _ => null);
        AddWithDeprecated<SchemaType>(_type, "enumValues", ListOf(_enumValue).Nullable, (t, all) => (t as EnumType)?.Values.Where(v => all || v.DeprecationReason is null));
        AddWithDeprecated<SchemaType>(_type, "inputFields", ListOf(_inputValue).Nullable, (t, _) => (t as InputObjectType)?.Fields);
        Add<SchemaType>(_type, "ofType", _type, t => t switch { NonNullType n => n.Inner, ListType l => l.Item, _ => null });
        Add<SchemaType>(_type, "specifiedByURL", text, _ => null);
    }

    void AddMembers(ScalarType text, NonNullType flag)
    {
        Add<Field>(_field, "name", new NonNullType(text), f => f.Name);
        Add<Field>(_field, "description", text, f => f.Description);
        AddWithDeprecated<Field>(_field, "args", ListOf(_inputValue), (f, _) => f.Arguments);
        Add<Field>(_field, "type", new NonNullType(_type), f => f.Type);
        Add<Field>(_field, "isDeprecated", flag, f => f.DeprecationReason is not null);
        Add<Field>(_field, "deprecationReason", text, f => f.DeprecationReason);

        Add<InputValue>(_inputValue, "name", new NonNullType(text), v => v.Name);
        Add<InputValue>(_inputValue, "description", text, v => v.Description);
        Add<InputValue>(_inputValue, "type", new NonNullType(_type), v => v.Type);
        Add<InputValue>(_inputValue, "defaultValue", text, v => v.Default is { } value ? ValuePrinter.Print(value) : null);
        Add<InputValue>(_inputValue, "isDeprecated", flag, _ => false);
        Add<InputValue>(_inputValue, "deprecationReason", text, _ => null);

        Add<EnumValue>(_enumValue, "name", new NonNullType(text), v => v.Name);
        Add<EnumValue>(_enumValue, "description", text, v => v.Description);
        Add<EnumValue>(_enumValue, "isDeprecated", flag, v => v.DeprecationReason is not null);
        Add<EnumValue>(_enumValue, "deprecationReason", text, v => v.DeprecationReason);
    }

    static string KindOf(SchemaType type) => type switch
    {
        ScalarType => "SCALAR",
        ObjectType => "OBJECT",
        EnumType => "ENUM",
        InputObjectType => "INPUT_OBJECT",
        ListType => "LIST",
        _ => "NON_NULL",
    };

    static NonNullType ListOf(NamedType type) => new(new ListType(new NonNullType(type)));

    static void Add<T>(ObjectType owner, string name, SchemaType type, Func<T, object?> read) => owner.Fields.Add(new(name, type, [], new((parent, _) => read((T)parent!))));

    static void AddWithDeprecated<T>(ObjectType owner, string name, SchemaType type, Func<T, bool, object?> read) => owner.Fields.Add(new(
        name, type, [new("includeDeprecated", ScalarType.Boolean, typeof(bool)) { Default = ClrNames.Literal(false) }],
        new((parent, arguments) => read((T)parent!, arguments[0] is true))));
}
