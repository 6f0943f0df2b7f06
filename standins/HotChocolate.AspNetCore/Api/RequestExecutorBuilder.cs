using HotChocolate.AspNetCore;
using HotChocolate.CostAnalysis;
using HotChocolate.Execution;
using HotChocolate.Execution.Configuration;
using HotChocolate.Execution.Options;
using HotChocolate.Types;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace HotChocolate.Execution.Configuration
{
    /// <summary>Collects what a schema and its execution are made of.</summary>
    public interface IRequestExecutorBuilder
    {
        string Name { get; }

        Microsoft.Extensions.DependencyInjection.IServiceCollection Services { get; }
    }

    sealed class RequestExecutorBuilder(Microsoft.Extensions.DependencyInjection.IServiceCollection services, SchemaSetup setup) : IRequestExecutorBuilder
    {
        public string Name => "_Default";

        public Microsoft.Extensions.DependencyInjection.IServiceCollection Services { get; } = services;

        public SchemaSetup Setup { get; } = setup;
    }

    /// <summary>What was configured.</summary>
    sealed class SchemaSetup
    {
        public Type? Query { get; set; }

        public Type? Mutation { get; set; }

        public Type? Subscription { get; set; }

        public int MaxRequestSize { get; set; }

        /// <summary>Null: outside development only, as the real package does it.</summary>
        public bool? IsIntrospectionDisabled { get; set; }

        public int? MaxDepth { get; set; }

        public bool SkipIntrospectionDepth { get; set; }

        public CostOptions Cost { get; } = new();

        public RequestExecutorOptions Request { get; } = new();
    }
}

namespace Microsoft.Extensions.DependencyInjection
{
    public static class HotChocolateAspNetCoreServiceCollectionExtensions
    {
        const int DefaultMaxRequestSize = 20 * 1000 * 1000;

        public static IRequestExecutorBuilder AddGraphQLServer(
            this IServiceCollection services, string? schemaName = null, int maxAllowedRequestSize = DefaultMaxRequestSize, bool disableDefaultSecurity = false)
        {
            if (schemaName is not null) throw HotChocolate.Unsupported.Of("more than one schema");
            if (disableDefaultSecurity) throw HotChocolate.Unsupported.Of("disableDefaultSecurity");
            var setup = new SchemaSetup { MaxRequestSize = maxAllowedRequestSize };
            services.AddSingleton(setup);
            services.TryAddSingleton(TimeProvider.System);
            services.AddSingleton(provider => new SchemaBuilder(setup, provider).Build());
            services.AddSingleton<RequestExecutor>();
            services.TryAddSingleton<ISocketSessionInterceptor, DefaultSocketSessionInterceptor>();
            // a schema that cannot be made is told of at start, not by the first request
            services.AddHostedService<SchemaWarmup>();
            return new RequestExecutorBuilder(services, setup);
        }

        public static IRequestExecutorBuilder AddSocketSessionInterceptor<T>(this IRequestExecutorBuilder builder) where T : class, ISocketSessionInterceptor
        {
            builder.Services.Replace(ServiceDescriptor.Singleton<ISocketSessionInterceptor, T>());
            return builder;
        }
    }

    public static class SchemaRequestExecutorBuilderExtensions
    {
        public static IRequestExecutorBuilder AddQueryType<T>(this IRequestExecutorBuilder builder) where T : class => builder.Set(s => s.Query = typeof(T));

        public static IRequestExecutorBuilder AddMutationType<T>(this IRequestExecutorBuilder builder) where T : class => builder.Set(s => s.Mutation = typeof(T));

        public static IRequestExecutorBuilder AddSubscriptionType<T>(this IRequestExecutorBuilder builder) where T : class =>
            builder.Set(s => s.Subscription = typeof(T));
    }

    public static class RequestExecutorBuilderExtensions
    {
        public static IRequestExecutorBuilder AddErrorFilter<T>(this IRequestExecutorBuilder builder, Func<IServiceProvider, T> factory) where T : class, IErrorFilter
        {
            builder.Services.AddSingleton<IErrorFilter>(factory);
            return builder;
        }

        public static IRequestExecutorBuilder DisableIntrospection(this IRequestExecutorBuilder builder, bool disable = true) =>
            builder.Set(s => s.IsIntrospectionDisabled = disable);

        public static IRequestExecutorBuilder AddMaxExecutionDepthRule(
            this IRequestExecutorBuilder builder, int maxAllowedExecutionDepth, bool skipIntrospectionFields = false) => builder.Set(s =>
        {
            s.MaxDepth = maxAllowedExecutionDepth;
            s.SkipIntrospectionDepth = skipIntrospectionFields;
        });

        public static IRequestExecutorBuilder ModifyRequestOptions(this IRequestExecutorBuilder builder, Action<RequestExecutorOptions> configure) =>
            builder.Set(s => configure(s.Request));

        public static IRequestExecutorBuilder ModifyCostOptions(this IRequestExecutorBuilder builder, Action<CostOptions> configure) =>
            builder.Set(s => configure(s.Cost));

        internal static IRequestExecutorBuilder Set(this IRequestExecutorBuilder builder, Action<SchemaSetup> configure)
        {
            configure(((RequestExecutorBuilder)builder).Setup);
            return builder;
        }
    }

    sealed class SchemaWarmup(Schema schema) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        internal Schema Schema { get; } = schema;
    }
}

namespace HotChocolate
{
    /// <summary>What only the real package does.</summary>
    static class Unsupported
    {
        public static NotSupportedException Of(string what) => new($"{what}: the stand-in of HotChocolate.AspNetCore does not support this, the real package does.");
    }
}
