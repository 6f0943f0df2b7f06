using StreamMetrics.Query.Tests.Support;
using StreamMetrics.TestSupport;

namespace StreamMetrics.Query.Tests;

[Collection(ServersCollection.Name)]
public sealed class StartTests(Servers servers)
{
    [Theory]
    [InlineData("Query__MaxPoints", "0", "Query:MaxPoints")]
    [InlineData("Query__SendOwnMetrics", "true", "ConnectionStrings:kafka")]
    [InlineData("ConnectionStrings__kafka", "127.0.0.1:1", "ConnectionStrings:kafka")]
    [InlineData("ConnectionStrings__kafka", "nonsense", "ConnectionStrings:kafka")]
    [InlineData("Query__ApiKeys__0", "short", "Query:ApiKeys:0")]
    [InlineData("Query__AllowedOrigins__0", "https://dash.example/", "Query:AllowedOrigins:0 is 'https://dash.example/'; it must be an origin")]
    [InlineData("Query__Jwt__SigningKey", "a secret of at least thirty-two bytes", "Query:Jwt:Audience must be set")]
    [InlineData("Query__HotTimeout", "soon", "Query:HotTimeout")]
    [InlineData("ConnectionStrings__redis", "127.0.0.1:1", "ConnectionStrings:redis")]
    [InlineData("ConnectionStrings__redis", "127.0.0.1:1,nonsense=1", "ConnectionStrings:redis")]
    [InlineData("ConnectionStrings__redis", null, "ConnectionStrings:redis")]
    [InlineData("ConnectionStrings__streammetrics", "Host=127.0.0.1;Port=1;Username=u;Database=d", "ConnectionStrings:streammetrics")]
    [InlineData("ConnectionStrings__streammetrics", "Hosts=nonsense", "ConnectionStrings:streammetrics")]
    [InlineData("ConnectionStrings__streammetrics", null, "ConnectionStrings:streammetrics")]
    [InlineData("ConnectionStrings__streammetrics", "{database}", "ConnectionStrings:streammetrics")]
    [InlineData("ASPNETCORE_URLS", "http://127.0.0.1:{taken}", "127.0.0.1:{taken}")]
    public async Task A_setting_that_cannot_work_ends_the_start_with_one_line_that_names_it(string key, string? value, string named)
    {
        // a port that is taken, and a database that does not exist
        var taken = servers.Redis.Port.ToString(System.Globalization.CultureInfo.InvariantCulture);
        value = value?.Replace("{taken}", taken, StringComparison.Ordinal).Replace("{database}", servers.Postgres.ConnectionString("no_such_database"), StringComparison.Ordinal);
        var environment = new Dictionary<string, string?>
        {
            ["ConnectionStrings__redis"] = servers.Redis.ConnectionString,
            ["ConnectionStrings__streammetrics"] = servers.PostgresConnection,
            // Only what will never answer is not waited for: what is looked at before it does answer, but a busy machine may need its time.
            ["Query__StartTimeout"] = key == "ConnectionStrings__streammetrics" && value?.Contains("Port=1;", StringComparison.Ordinal) == true ? "00:00:15"
                : value?.StartsWith("127.0.0.1:1", StringComparison.Ordinal) == true ? "00:00:02" : "00:02:00",
            ["Query__SendOwnMetrics"] = "false",
        };
        environment[key] = value;
        await using var query = ServiceProcess.Start("StreamMetrics.Query", environment);

        var code = await query.WaitForExitAsync();

        Assert.True(code == 1, $"exit code {code}{query.Tail()}");
        var error = Assert.Single(query.Output, line => line.StartsWith("error: ", StringComparison.Ordinal));
        Assert.Contains(named.Replace("{taken}", taken, StringComparison.Ordinal), error, StringComparison.Ordinal);
        Assert.DoesNotContain(query.Output, line => line.StartsWith("   at ", StringComparison.Ordinal) || line.Contains("Unhandled", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_program_starts_answers_and_stops_in_order()
    {
        await using var query = ServiceProcess.Start("StreamMetrics.Query", new Dictionary<string, string?>
        {
            ["ConnectionStrings__redis"] = servers.Redis.ConnectionString,
            ["ConnectionStrings__streammetrics"] = servers.PostgresConnection,
            ["Query__SendOwnMetrics"] = "false",
        });
        await query.WaitForHealthAsync();
        using var http = new HttpClient { BaseAddress = query.Address };

        Assert.Contains("/docs", await http.GetStringAsync(new Uri("/", UriKind.Relative)), StringComparison.Ordinal);
        Assert.Contains("swagger-ui", await http.GetStringAsync(new Uri("/docs/index.html", UriKind.Relative)), StringComparison.Ordinal);
        Assert.Equal(0, await query.StopAsync());
    }
}
