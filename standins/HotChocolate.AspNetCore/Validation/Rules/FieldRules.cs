using HotChocolate.Language;
using HotChocolate.Types;

namespace HotChocolate.Validation.Rules;

/// <summary>Fields are those of their object.</summary>
sealed class KnownFields(ValidationContext context) : Rule(context)
{
    public override void Field(FieldNode node, ObjectType? owner, Field? field)
    {
        if (owner is not null && field is null) Context.Report("Field-Selections", $"'{owner.Name}' has no field '{node.Name}'.", node);
    }
}

/// <summary>Objects have selections, leaves have none.</summary>
sealed class Leaves(ValidationContext context) : Rule(context)
{
    public override void Field(FieldNode node, ObjectType? owner, Field? field)
    {
        if (field is null) return;
        if (field.Type.IsLeaf && node.Selections is not null)
            Context.Report("Leaf-Field-Selections", $"'{node.Name}' must have no selections: '{field.Type}' has no fields.", node);
        else if (!field.Type.IsLeaf && node.Selections is null)
            Context.Report("Leaf-Field-Selections", $"'{node.Name}' must have selections: which fields of '{field.Type}' are wanted?", node);
    }
}

/// <summary>Arguments are known, given once, and not missing.</summary>
sealed class ArgumentRules(ValidationContext context) : Rule(context)
{
    public override void Arguments(Node owner, string name, IReadOnlyList<ArgumentNode> given, IReadOnlyList<InputValue> known)
    {
        foreach (var argument in given.Where(g => known.All(k => k.Name != g.Name)))
            Context.Report("Argument-Names", $"There is no argument '{argument.Name}' of {name}.", argument);
        foreach (var same in given.GroupBy(g => g.Name).Where(g => g.Count() > 1))
            Context.Report("Argument-Uniqueness", $"The argument '{same.Key}' of {name} may be given once.", [.. same]);
        foreach (var missing in known.Where(k => k.IsRequired && given.All(g => g.Name != k.Name)))
            Context.Report("Required-Arguments", $"The argument '{missing.Name}' of {name} must be given; it is of the type '{missing.Type}'.", owner);
    }
}

/// <summary>Directives are known, allowed where they stand, and stand there once.</summary>
sealed class DirectiveRules(ValidationContext context) : Rule(context)
{
    public override void Directives(IReadOnlyList<DirectiveNode> directives, DirectiveLocation location)
    {
        foreach (var directive in directives)
        {
            if (Context.Schema.Directive(directive.Name) is not { } known)
                Context.Report("Directives-Are-Defined", $"There is no directive '@{directive.Name}'.", directive);
            else if (!known.Locations.Contains(location))
                Context.Report("Directives-Are-In-Valid-Locations", $"'@{directive.Name}' must not stand at {ClrNames.ToUpperSnake(location.ToString())}.", directive);
        }

        foreach (var same in directives.GroupBy(d => d.Name).Where(g => g.Count() > 1))
            Context.Report("Directives-Are-Unique-Per-Location", $"'@{same.Key}' may stand here once.", [.. same]);
    }
}
