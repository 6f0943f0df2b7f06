namespace HotChocolate.Execution.Options
{
    public sealed class RequestExecutorOptions
    {
        /// <summary>Longest time for a query or mutation, or for one event of a subscription.</summary>
        public TimeSpan ExecutionTimeout { get; set; } = TimeSpan.FromSeconds(30);
    }
}

namespace HotChocolate.CostAnalysis
{
    /// <summary>Limits of a static estimate of an operation's cost: fields resolved, and objects returned.</summary>
    public sealed class CostOptions
    {
        public double MaxFieldCost { get; set; } = 1_000;

        public double MaxTypeCost { get; set; } = 1_000;

        public bool EnforceCostLimits { get; set; } = true;

        /// <summary>Cost of a field whose resolver is asynchronous.</summary>
        public double? DefaultResolverCost { get; set; } = 10;
    }
}

namespace HotChocolate.AspNetCore
{
    public sealed class GraphQLServerOptions
    {
        /// <summary>The real package's browser tool, which the stand-in does not have.</summary>
        public GraphQLToolOptions Tool { get; internal set; } = new();

        public GraphQLSocketOptions Sockets { get; internal set; } = new();

        public bool EnableGetRequests { get; set; } = true;

        /// <summary>Whether <c>?sdl</c> gives the schema.</summary>
        public bool EnableSchemaRequests { get; set; } = true;
    }

    public sealed class GraphQLToolOptions
    {
        public bool Enable { get; set; } = true;
    }

    public sealed class GraphQLSocketOptions
    {
        /// <summary>How long a client may take to introduce itself.</summary>
        public TimeSpan ConnectionInitializationTimeout { get; set; } = TimeSpan.FromSeconds(10);

        /// <summary>How often the server sends a ping; null for never.</summary>
        public TimeSpan? KeepAliveInterval { get; set; } = TimeSpan.FromSeconds(5);
    }
}
