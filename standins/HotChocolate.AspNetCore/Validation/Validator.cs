using HotChocolate.Execution;
using HotChocolate.Execution.Configuration;
using HotChocolate.Language;
using HotChocolate.Types;
using HotChocolate.Validation.Rules;

namespace HotChocolate.Validation;

/// <summary>Checks documents (https://spec.graphql.org/October2021/#sec-Validation) and the limits.</summary>
sealed class Validator(Schema schema, SchemaSetup setup, bool isIntrospectionDisabled)
{
    /// <exception cref="RequestErrorException">Names everything that is wrong.</exception>
    public void Validate(Document document)
    {
        var context = new ValidationContext(schema, document);
        var fragments = new FragmentGraph(context);
        var variables = new VariableUses(context, fragments);
        Rule[] rules =
        [
            new OperationNames(context), new KnownOperations(context), new SingleRootField(context), new KnownFields(context), new Leaves(context), new ArgumentRules(context),
            new DirectiveRules(context), new FragmentNames(context), new FragmentTypes(context), new Spreads(context), new ValueRules(context), new VariableDefinitions(context),
            fragments, variables,
        ];
        new DocumentWalker(context, rules).Walk();
        fragments.Check();
        variables.Check();
        ThrowIfInvalid(context);

        // what expands fragments comes last, and only for documents whose expansion ends, and is not too large
        new Limits(context, setup, isIntrospectionDisabled).Check();
        ThrowIfInvalid(context);
        new Merging(context).Check();
        ThrowIfInvalid(context);
    }

    static void ThrowIfInvalid(ValidationContext context)
    {
        if (context.Errors.Count > 0) throw new RequestErrorException(context.Errors);
    }
}
