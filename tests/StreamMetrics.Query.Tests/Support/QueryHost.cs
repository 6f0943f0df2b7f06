using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StreamMetrics.TestSupport;

namespace StreamMetrics.Query.Tests.Support;

/// <summary>The query service as its Program builds it, in this process on a real socket, with a clock that the test sets.</summary>
sealed class QueryHost : IAsyncDisposable
{
    readonly WebApplication _app;

    QueryHost(WebApplication app, FixedClock clock)
    {
        _app = app;
        Clock = clock;
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        Http = new HttpClient { BaseAddress = new(address), Timeout = Eventually.DefaultTimeout };
    }

    public FixedClock Clock { get; }

    public HttpClient Http { get; }

    public IServiceProvider Services => _app.Services;

    public static async Task<QueryHost> StartAsync(Servers servers, FixedClock? clock = null, params (string Key, string Value)[] settings)
    {
        clock ??= new(TimeProvider.System.GetUtcNow());
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Production" });
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["urls"] = "http://127.0.0.1:0",
            ["ConnectionStrings:redis"] = servers.Redis.ConnectionString,
            ["ConnectionStrings:streammetrics"] = servers.PostgresConnection,
            ["Query:CatalogAge"] = "00:00:00",
            // Stores that are there are waited for, however busy the machine is; a test that takes one away says how long to wait.
            ["Query:HotTimeout"] = "00:01:00",
            ["Query:ColdTimeout"] = "00:02:00",
            ["Query:StartTimeout"] = "00:02:00",
            ["Query:SendOwnMetrics"] = "false",
        });
        builder.Configuration.AddInMemoryCollection(settings.Select(s => new KeyValuePair<string, string?>(s.Key, s.Value)));
        builder.AddServiceDefaults();
        builder.AddQuery();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<TimeProvider>(clock);
        var app = builder.Build();
        app.MapDefaultEndpoints();
        app.MapQuery();
        await app.StartAsync();
        return new(app, clock);
    }

    /// <summary>The JSON of a successful answer.</summary>
    public async Task<JsonElement> GetAsync(string path)
    {
        using var response = await Http.GetAsync(new Uri(path, UriKind.Relative));
        var body = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, $"{path}: {(int)response.StatusCode} {body}");
        return JsonDocument.Parse(body).RootElement;
    }

    /// <summary>Status and problem document of an answer that is none.</summary>
    public async Task<(HttpStatusCode Status, JsonElement Problem)> GetProblemAsync(string path)
    {
        using var response = await Http.GetAsync(new Uri(path, UriKind.Relative));
        var body = await response.Content.ReadAsStringAsync();
        Assert.True(response.Content.Headers.ContentType?.MediaType == "application/problem+json", $"{path}: {(int)response.StatusCode} {body}");
        return (response.StatusCode, JsonDocument.Parse(body).RootElement);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.DisposeAsync();
    }
}
