using HotChocolate.Language;
using HotChocolate.Types;

namespace HotChocolate.Validation.Rules;

/// <summary>Fragments have names of their own and are used.</summary>
sealed class FragmentNames(ValidationContext context) : Rule(context)
{
    readonly Dictionary<string, FragmentDefinition> _seen = new(StringComparer.Ordinal);

    public override void Enter(Definition definition)
    {
        if (definition is FragmentDefinition { Name: { } name } fragment && !_seen.TryAdd(name, fragment))
            Context.Report("Fragment-Name-Uniqueness", $"There must be one fragment '{name}' only.", _seen[name], fragment);
    }
}

/// <summary>Fragments are on objects that there are.</summary>
sealed class FragmentTypes(ValidationContext context) : Rule(context)
{
    public override void Enter(Definition definition)
    {
        if (definition is FragmentDefinition fragment) Check(fragment.TypeCondition);
    }

    public override void Inline(InlineFragment fragment, ObjectType? owner)
    {
        if (fragment.TypeCondition is { } condition) Check(condition);
    }

    void Check(NamedTypeNode condition)
    {
        var type = Context.Schema.Type(condition.Name);
        if (type is null) Context.Report("Fragment-Spread-Type-Existence", $"There is no type '{condition.Name}'.", condition);
        else if (type is not ObjectType) Context.Report("Fragments-On-Composite-Types", $"A fragment must be on an object, and '{condition.Name}' is none.", condition);
    }
}

/// <summary>What is spread is there, and its object can be what it is spread into.</summary>
sealed class Spreads(ValidationContext context) : Rule(context)
{
    public override void Spread(FragmentSpread spread, ObjectType? owner)
    {
        if (Context.Document.Fragment(spread.Name) is not { } fragment)
            Context.Report("Fragment-spread-target-defined", $"There is no fragment '{spread.Name}'.", spread);
        else
            Check(spread, Context.TypeOf(fragment.TypeCondition), owner);
    }

    public override void Inline(InlineFragment fragment, ObjectType? owner)
    {
        if (fragment.TypeCondition is { } condition) Check(fragment, Context.TypeOf(condition), owner);
    }

    void Check(Node spread, ObjectType? type, ObjectType? owner)
    {
        if (type is not null && owner is not null && type != owner)
            Context.Report("Fragment-spread-is-possible", $"A fragment on '{type}' cannot be spread here: an object of the type '{owner}' is never one.", spread);
    }
}

/// <summary>Which definition spreads which fragments: every fragment is reached from an operation, and none reaches itself.</summary>
sealed class FragmentGraph(ValidationContext context) : Rule(context)
{
    readonly Dictionary<Definition, List<FragmentSpread>> _spreads = [];
    Definition? _current;

    public override void Enter(Definition definition) => _spreads[_current = definition] = [];

    public override void Spread(FragmentSpread spread, ObjectType? owner) => _spreads[_current!].Add(spread);

    /// <summary>To be called when the whole document was seen.</summary>
    public void Check()
    {
        var used = Context.Document.Operations.SelectMany(Reached).ToHashSet();
        foreach (var unused in Context.Document.Fragments.Where(f => !used.Contains(f)))
            Context.Report("Fragments-Must-Be-Used", $"The fragment '{unused.Name}' is never used.", unused);
        var isDone = new Dictionary<FragmentDefinition, bool>();
        foreach (var fragment in Context.Document.Fragments) FindCycles(fragment, isDone);
    }

    // depth first: a spread of a fragment that is still being visited closes a cycle
    void FindCycles(FragmentDefinition fragment, Dictionary<FragmentDefinition, bool> isDone)
    {
        if (!isDone.TryAdd(fragment, false)) return;
        foreach (var spread in _spreads[fragment])
        {
            if (Context.Document.Fragment(spread.Name) is not { } next) continue;
            if (isDone.TryGetValue(next, out var done) && !done)
                Context.Report("Fragment-spreads-must-not-form-cycles", $"The fragment '{next.Name}' must not spread itself, not by other fragments either.", spread);
            else
                FindCycles(next, isDone);
        }

        isDone[fragment] = true;
    }

    /// <summary>Every fragment that a definition spreads, by others too.</summary>
    public IReadOnlySet<FragmentDefinition> Reached(Definition from)
    {
        var reached = new HashSet<FragmentDefinition>();
        var open = new Stack<Definition>([from]);
        while (open.TryPop(out var definition))
        {
            foreach (var spread in _spreads.GetValueOrDefault(definition, []))
            {
                if (Context.Document.Fragment(spread.Name) is { } fragment && reached.Add(fragment)) open.Push(fragment);
            }
        }

        return reached;
    }
}
