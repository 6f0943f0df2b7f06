using HotChocolate.Language;
using HotChocolate.Types;

namespace HotChocolate.Validation.Rules;

/// <summary>Literals have the type that is wanted; input objects have known fields, once each, and all that are required.</summary>
sealed class ValueRules(ValidationContext context) : Rule(context)
{
    public override void Value(ValueNode value, SchemaType? type, bool hasDefault)
    {
        if (value is ObjectNode fields)
        {
            foreach (var same in fields.Fields.GroupBy(f => f.Name).Where(g => g.Count() > 1))
                Context.Report("Input-Object-Field-Uniqueness", $"The field '{same.Key}' may be given once.", [.. same]);
        }

        if (type is null || value is VariableNode) return;
        if (value is NullNode)
        {
            if (type.IsNonNull) Context.Report("Values-of-Correct-Type", $"The value must not be null; it is of the type '{type}'.", value);
        }
        else if (value is not ListNode || type.Nullable is not ListType)
        {
            Check(value, type);
        }
    }

    // a single value may stand for a list of one
    void Check(ValueNode value, SchemaType type)
    {
        switch (type.Named)
        {
            case ScalarType scalar when value is not ScalarNode node || scalar.FromLiteral(node) is null:
                Context.Report("Values-of-Correct-Type", $"The value must be of the type '{type}'; it is {Shown(value)}.", value);
                break;
            case EnumType choice when value is not ScalarNode { Kind: ScalarKind.Enum } node || choice.Find(node.Text) is null:
                Context.Report("Values-of-Correct-Type", $"The value must be one of {string.Join(", ", choice.Values.Select(v => v.Name))}; it is {Shown(value)}.", value);
                break;
            case InputObjectType input:
                if (value is ObjectNode fields) Check(fields, input);
                else Context.Report("Values-of-Correct-Type", $"The value must be an object of the type '{input}'; it is {Shown(value)}.", value);
                break;
        }
    }

    void Check(ObjectNode fields, InputObjectType type)
    {
        foreach (var field in fields.Fields.Where(f => type.Field(f.Name) is null))
            Context.Report("Input-Object-Field-Names", $"'{type}' has no field '{field.Name}'.", field);
        foreach (var missing in type.Fields.Where(f => f.IsRequired && fields.Fields.All(g => g.Name != f.Name)))
            Context.Report("Input-Object-Required-Fields", $"The field '{missing.Name}' of '{type}' must be given; it is of the type '{missing.Type}'.", fields);
    }

    static string Shown(ValueNode value)
    {
        const int MaxLength = 100;
        var text = ValuePrinter.Print(value);
        return text.Length > MaxLength ? text[..MaxLength] + "…" : text;
    }
}
