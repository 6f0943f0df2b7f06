using System.Text.Json.Serialization;
using Microsoft.Extensions.Options;
using StackExchange.Redis;
using StreamMetrics.Query.Input;
using StreamMetrics.Query.Pipeline;
using StreamMetrics.Query.Rest;
using StreamMetrics.Query.Stores;

namespace StreamMetrics.Query;

/// <summary>What the query service consists of.</summary>
static class QueryModule
{
    public static WebApplicationBuilder AddQuery(this WebApplicationBuilder builder)
    {
        builder.Services.AddOptions<QueryOptions>().BindConfiguration(QueryOptions.Section).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<QueryOptions>, QueryOptionsValidator>();
        AddStores(builder);
        builder.Services.AddSingleton<QueryMetrics>();
        builder.Services.AddSingleton<CatalogCache>();
        builder.Services.AddSingleton<SeriesReader>();
        builder.Services.AddSingleton<MetricQueryService>();
        builder.Services.AddSingleton<RequestParser>();
        builder.Services.AddSingleton<PipelineState>();
        builder.Services.AddHostedService<PipelinePoller>();
        AddHttp(builder.Services);
        return builder;
    }

    public static WebApplication MapQuery(this WebApplication app)
    {
        app.UseExceptionHandler();
        app.UseStatusCodePages();
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
        return app;
    }

    static void AddStores(WebApplicationBuilder builder)
    {
        var options = builder.Configuration.GetSection(QueryOptions.Section).Get<QueryOptions>() ?? new();
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
            redis.HeartbeatInterval = TimeSpan.FromMilliseconds(250);
        });
        builder.AddNpgsqlDataSource("streammetrics", settings => settings.DisableHealthChecks = true);
        builder.Services.AddSingleton<IHotStore, RedisHotStore>();
        builder.Services.AddSingleton<IColdStore, PostgresColdStore>();
        builder.Services.AddHostedService<StoreProbe>();
        builder.Services.AddHealthChecks().AddCheck<StoresHealthCheck>("stores");
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
        services.AddOpenApi("v1", openApi => openApi.AddDocumentTransformer((document, _, _) =>
        {
            document.Info.Title = "StreamMetrics query API";
            document.Info.Version = "v1";
            document.Info.Description =
                "Windowed aggregates of metrics: live from Redis, final from PostgreSQL. Each answer says where it comes from, whether it is final, "
                + "which revision it is and how exact its percentiles are. Times are ms since the epoch.";
            return Task.CompletedTask;
        }));
    }
}
