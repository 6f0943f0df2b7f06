namespace HotChocolate.Types;

/// <summary>The directives of every schema.</summary>
static class BuiltInDirectives
{
    public const string Skip = "skip";
    public const string Include = "include";
    public const string If = "if";

    static readonly DirectiveLocation[] Selections = [DirectiveLocation.Field, DirectiveLocation.FragmentSpread, DirectiveLocation.InlineFragment];

    public static IReadOnlyList<DirectiveType> All { get; } =
    [
        new(Skip, "Leaves the selection out when the condition is true.", Selections, [Condition("Leaves out when true.")]),
        new(Include, "Takes the selection in only when the condition is true.", Selections, [Condition("Takes in when true.")]),
        new("deprecated", "Marks what should not be used any more.",
            [DirectiveLocation.FieldDefinition, DirectiveLocation.ArgumentDefinition, DirectiveLocation.InputFieldDefinition, DirectiveLocation.EnumValue],
            [new("reason", ScalarType.String, typeof(string)) { Description = "Why, and what to use instead.", Default = ClrNames.Literal("No longer supported") }]),
        new("specifiedBy", "Names the document that describes a scalar.", [DirectiveLocation.Scalar],
            [new("url", new NonNullType(ScalarType.String), typeof(string)) { Description = "Its address." }]),
        new("cost", "What resolving a field costs; an operation's sum is limited.",
            [DirectiveLocation.FieldDefinition, DirectiveLocation.ArgumentDefinition, DirectiveLocation.Object, DirectiveLocation.Scalar, DirectiveLocation.Enum, DirectiveLocation.InputFieldDefinition],
            [new("weight", new NonNullType(ScalarType.String), typeof(string)) { Description = "The cost, a number." }]),
        new("listSize", "How many items a list is taken to have when costs are estimated.", [DirectiveLocation.FieldDefinition],
            [new("assumedSize", ScalarType.Int, typeof(int)) { Description = "Number of items." }]),
    ];

    static InputValue Condition(string description) => new(If, new NonNullType(ScalarType.Boolean), typeof(bool)) { Description = description };
}
