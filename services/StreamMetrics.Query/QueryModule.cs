using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;
using StackExchange.Redis;
using StreamMetrics.Contracts;
using StreamMetrics.Query.DeadLetters;
using StreamMetrics.Query.GraphQL;
using StreamMetrics.Query.Input;
using StreamMetrics.Query.Live;
using StreamMetrics.Query.Pipeline;
using StreamMetrics.Query.Rest;
using StreamMetrics.Query.Security;
using StreamMetrics.Query.Stores;
using StreamMetrics.ServiceDefaults.Startup;

namespace StreamMetrics.Query;

/// <summary>What the query service consists of.</summary>
static class QueryModule
{
    static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(2);

    public static WebApplicationBuilder AddQuery(this WebApplicationBuilder builder)
    {
        builder.Services.AddOptions<QueryOptions>().BindConfiguration(QueryOptions.Section).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<QueryOptions>, QueryOptionsValidator>();
        builder.Services.AddSingleton<IValidateOptions<QueryOptions>, QueryOptionsRules>();
        AddStores(builder);
        builder.Services.AddSingleton<QueryMetrics>();
        builder.Services.AddSingleton<CatalogCache>();
        builder.Services.AddSingleton<SeriesReader>();
        builder.Services.AddSingleton<MetricQueryService>();
        builder.Services.AddSingleton<RequestParser>();
        builder.Services.AddSingleton<DeadLetterService>();
        builder.Services.AddSingleton<LiveHub>();
        builder.Services.AddSingleton<LiveService>();
        builder.Services.AddSingleton<InterestKeeper>();
        builder.Services.AddHostedService(services => services.GetRequiredService<InterestKeeper>());
        builder.Services.AddSingleton<PipelineState>();
        builder.Services.AddSingleton<KafkaOffsets>();
        builder.Services.AddHostedService<PipelinePoller>();
        AddHttp(builder.Services);
        builder.Services.AddApiSafety(builder.Configuration);
        builder.AddGraphQLApi();
        AddOwnMetrics(builder);
        return builder;
    }

    public static WebApplication MapQuery(this WebApplication app)
    {
        app.Use(LeaveOutHealthRequests);
        app.UseExceptionHandler();
        app.UseStatusCodePages();
        app.UseGraphiQL();
        app.UseWebSockets(new() { KeepAliveInterval = TimeSpan.FromSeconds(15), KeepAliveTimeout = TimeSpan.FromSeconds(15) });
        app.UseApiSafety();
        app.MapOpenApi("/openapi/{documentName}.json");
        app.UseSwaggerUI(ui =>
        {
            ui.RoutePrefix = "docs";
            ui.DocumentTitle = "StreamMetrics API";
            ui.SwaggerEndpoint("/openapi/v1.json", "StreamMetrics");
        });
        app.MapHomePage();
        app.MapServices();
        app.MapMetrics();
        app.MapPipeline();
        app.MapStream();
        app.MapDeadLetters();
        app.MapGraphQLApi();
        return app;
    }

    static void AddStores(WebApplicationBuilder builder)
    {
        var options = QueryOptions.Of(builder.Configuration);
        // Either store may be away, so their own health checks, which call that unhealthy, are replaced.
        builder.AddRedisClient("redis", settings =>
        {
            settings.DisableHealthChecks = true;
            settings.DisableTracing = true;
            settings.DisableAutoActivation = true;
        }, redis =>
        {
            redis.AbortOnConnectFail = false;
            redis.BacklogPolicy = BacklogPolicy.FailFast;
            redis.AsyncTimeout = (int)options.HotTimeout.TotalMilliseconds;
            redis.ConnectTimeout = (int)ConnectTimeout.TotalMilliseconds;
            redis.ReconnectRetryPolicy = new LinearRetry((int)options.StoreBreak.TotalMilliseconds);
            redis.HeartbeatInterval = TimeSpan.FromMilliseconds(250);
        });
        // What the clients would log with its stack comes as an exception too, and is told once, by the guard of the store.
        builder.Logging.AddFilter("StackExchange.Redis", LogLevel.None);
        builder.Logging.AddFilter("Npgsql", LogLevel.None);
        builder.AddNpgsqlDataSource("streammetrics", settings => settings.DisableHealthChecks = true);
        builder.Services.AddSingleton<IHotStore, RedisHotStore>();
        builder.Services.AddSingleton<IColdStore, PostgresColdStore>();
        builder.Services.AddHostedService<StoreProbe>();
        builder.Services.AddHealthChecks().AddCheck<StoresHealthCheck>("stores");
    }

    // So whoever calls the API sees his own calls in it.
    static void AddOwnMetrics(WebApplicationBuilder builder)
    {
        if (!QueryOptions.Of(builder.Configuration).SendOwnMetrics) return;
        var servers = KafkaOffsets.ServersOf(builder.Configuration) ?? throw new StartupException(
            $"{KafkaOffsets.Key} must list bootstrap servers as host:port, separated by commas; it is not set. "
            + $"{QueryOptions.Section}:{nameof(QueryOptions.SendOwnMetrics)}=false starts without it.");
        builder.Services.AddStreamMetrics(client =>
        {
            client.ServiceId = "streammetrics-query";
            client.BootstrapServers = servers;
            builder.Configuration.GetSection(KafkaSecurityOptions.Section).Bind(client.Security);
            client.Meters.Add("Microsoft.AspNetCore.Hosting");
        });
    }

    // Health checks come every few seconds from machines and would drown what users do.
    static Task LeaveOutHealthRequests(HttpContext context, RequestDelegate next)
    {
        var path = context.Request.Path;
        if ((path == ServiceDefaultsExtensions.HealthPath || path == ServiceDefaultsExtensions.AlivePath) && context.Features.Get<IHttpMetricsTagsFeature>() is { } metrics)
            metrics.MetricsDisabled = true;
        return next(context);
    }

    static void AddHttp(IServiceCollection services)
    {
        services.AddExceptionHandler<ProblemHandler>();
        services.AddProblemDetails();
        services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
            json.SerializerOptions.TypeInfoResolverChain.Insert(0, QueryJson.Default);
        });
        services.AddApiDocument();
    }
}
