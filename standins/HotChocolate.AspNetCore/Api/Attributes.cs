namespace HotChocolate
{
    /// <summary>Another name than the one that follows from the .NET name.</summary>
    [AttributeUsage(AttributeTargets.Class | AttributeTargets.Enum | AttributeTargets.Field | AttributeTargets.Method | AttributeTargets.Property | AttributeTargets.Parameter)]
    public sealed class GraphQLNameAttribute(string name) : Attribute
    {
        public string Name { get; } = name;
    }

    /// <summary>Description in the schema.</summary>
    [AttributeUsage(AttributeTargets.Class | AttributeTargets.Enum | AttributeTargets.Field | AttributeTargets.Method | AttributeTargets.Property | AttributeTargets.Parameter)]
    public sealed class GraphQLDescriptionAttribute(string description) : Attribute
    {
        public string Description { get; } = description;
    }

    /// <summary>Marks a field or enum value as deprecated.</summary>
    [AttributeUsage(AttributeTargets.Field | AttributeTargets.Method | AttributeTargets.Property)]
    public sealed class GraphQLDeprecatedAttribute(string deprecationReason) : Attribute
    {
        public string DeprecationReason { get; } = deprecationReason;
    }

    /// <summary>The parameter of a subscription's resolver that gets the event.</summary>
    [AttributeUsage(AttributeTargets.Parameter)]
    public sealed class EventMessageAttribute : Attribute;
}

namespace HotChocolate.Types
{
    /// <summary>Makes a method the resolver of a subscription's events.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    public sealed class SubscribeAttribute : Attribute
    {
        /// <summary>
        /// Name of the method of the same class that gives the events: it takes the field's arguments and services, and returns an
        /// <see cref="IAsyncEnumerable{T}"/>, or a task of one. The stand-in needs it; topics are the real package's.
        /// </summary>
        public string? With { get; set; }
    }
}

namespace HotChocolate.CostAnalysis.Types
{
    /// <summary>What resolving a field costs; otherwise 10 for an asynchronous resolver, 1 for an object and 0 for a scalar.</summary>
    [AttributeUsage(AttributeTargets.Method | AttributeTargets.Property)]
    public sealed class CostAttribute(double weight) : Attribute
    {
        public double Weight { get; } = weight;
    }

    /// <summary>How many items the cost analysis takes a list to have.</summary>
    [AttributeUsage(AttributeTargets.Method | AttributeTargets.Property)]
    public sealed class ListSizeAttribute : Attribute
    {
        public int AssumedSize { get; init; }
    }
}
