using HotChocolate;

namespace StreamMetrics.Query.GraphQL.Types;

[GraphQLDescription("A tag that series must have.")]
sealed record TagInput(string Key, string Value);
