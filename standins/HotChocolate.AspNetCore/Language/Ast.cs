namespace HotChocolate.Language;

// The syntax tree of an executable document. Nodes are compared by reference.

enum OperationType
{
    Query,
    Mutation,
    Subscription,
}

/// <summary>A part of a document, with where it begins.</summary>
abstract class Node(Location location)
{
    public Location Location { get; } = location;
}

sealed class Document(IReadOnlyList<Definition> definitions)
{
    readonly Dictionary<string, FragmentDefinition> _byName = definitions.OfType<FragmentDefinition>().DistinctBy(f => f.Name).ToDictionary(f => f.Name!, StringComparer.Ordinal);

    public IReadOnlyList<OperationDefinition> Operations { get; } = [.. definitions.OfType<OperationDefinition>()];

    public IReadOnlyList<FragmentDefinition> Fragments { get; } = [.. definitions.OfType<FragmentDefinition>()];

    public IReadOnlyList<Definition> Definitions { get; } = definitions;

    public FragmentDefinition? Fragment(string name) => _byName.GetValueOrDefault(name);
}

/// <summary>An operation or a fragment.</summary>
abstract class Definition(Location location, string? name, IReadOnlyList<DirectiveNode> directives, SelectionSet selections) : Node(location)
{
    public string? Name { get; } = name;

    public IReadOnlyList<DirectiveNode> Directives { get; } = directives;

    public SelectionSet Selections { get; } = selections;
}

sealed class OperationDefinition(
    Location location, OperationType type, string? name, IReadOnlyList<VariableDefinition> variables, IReadOnlyList<DirectiveNode> directives, SelectionSet selections)
    : Definition(location, name, directives, selections)
{
    public OperationType Type { get; } = type;

    public IReadOnlyList<VariableDefinition> Variables { get; } = variables;
}

sealed class FragmentDefinition(Location location, string name, NamedTypeNode type, IReadOnlyList<DirectiveNode> directives, SelectionSet selections)
    : Definition(location, name, directives, selections)
{
    public NamedTypeNode TypeCondition { get; } = type;
}

sealed class VariableDefinition(Location location, string name, TypeNode type, ValueNode? defaultValue, IReadOnlyList<DirectiveNode> directives) : Node(location)
{
    public string Name { get; } = name;

    public TypeNode Type { get; } = type;

    public ValueNode? DefaultValue { get; } = defaultValue;

    public IReadOnlyList<DirectiveNode> Directives { get; } = directives;
}

sealed class SelectionSet(Location location, IReadOnlyList<Selection> items) : Node(location)
{
    public IReadOnlyList<Selection> Items { get; } = items;
}

abstract class Selection(Location location, IReadOnlyList<DirectiveNode> directives) : Node(location)
{
    public IReadOnlyList<DirectiveNode> Directives { get; } = directives;
}

sealed class FieldNode(
    Location location, string? alias, string name, IReadOnlyList<ArgumentNode> arguments, IReadOnlyList<DirectiveNode> directives, SelectionSet? selections)
    : Selection(location, directives)
{
    public string Name { get; } = name;

    public string ResponseName { get; } = alias ?? name;

    public IReadOnlyList<ArgumentNode> Arguments { get; } = arguments;

    public SelectionSet? Selections { get; } = selections;
}

sealed class FragmentSpread(Location location, string name, IReadOnlyList<DirectiveNode> directives) : Selection(location, directives)
{
    public string Name { get; } = name;
}

sealed class InlineFragment(Location location, NamedTypeNode? type, IReadOnlyList<DirectiveNode> directives, SelectionSet selections) : Selection(location, directives)
{
    public NamedTypeNode? TypeCondition { get; } = type;

    public SelectionSet Selections { get; } = selections;
}

sealed class ArgumentNode(Location location, string name, ValueNode value) : Node(location)
{
    public string Name { get; } = name;

    public ValueNode Value { get; } = value;
}

sealed class DirectiveNode(Location location, string name, IReadOnlyList<ArgumentNode> arguments) : Node(location)
{
    public string Name { get; } = name;

    public IReadOnlyList<ArgumentNode> Arguments { get; } = arguments;
}

abstract class TypeNode(Location location) : Node(location);

sealed class NamedTypeNode(Location location, string name) : TypeNode(location)
{
    public string Name { get; } = name;
}

sealed class ListTypeNode(Location location, TypeNode item) : TypeNode(location)
{
    public TypeNode Item { get; } = item;
}

sealed class NonNullTypeNode(Location location, TypeNode inner) : TypeNode(location)
{
    public TypeNode Inner { get; } = inner;
}

enum ScalarKind
{
    Int,
    Float,
    String,
    Boolean,
    Enum,
}

abstract class ValueNode(Location location) : Node(location);

/// <summary>A number, a string, a boolean or an enum value, as its text (of a string its content).</summary>
sealed class ScalarNode(Location location, ScalarKind kind, string text) : ValueNode(location)
{
    public ScalarKind Kind { get; } = kind;

    public string Text { get; } = text;
}

sealed class NullNode(Location location) : ValueNode(location);

sealed class VariableNode(Location location, string name) : ValueNode(location)
{
    public string Name { get; } = name;
}

sealed class ListNode(Location location, IReadOnlyList<ValueNode> items) : ValueNode(location)
{
    public IReadOnlyList<ValueNode> Items { get; } = items;
}

sealed class ObjectNode(Location location, IReadOnlyList<ArgumentNode> fields) : ValueNode(location)
{
    public IReadOnlyList<ArgumentNode> Fields { get; } = fields;
}
