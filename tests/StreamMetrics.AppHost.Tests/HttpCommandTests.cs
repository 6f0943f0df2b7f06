using Aspire.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace StreamMetrics.AppHost.Tests;

/// <summary>Commands that are requests of the resource's own HTTP interface, which a small web server of this test stands for.</summary>
public sealed class HttpCommandTests
{
    [Fact]
    public async Task A_command_sends_its_request_and_tells_what_was_answered()
    {
        var received = new List<string>();
        await using var site = await StartSiteAsync(received);
        using var model = new Model();
        model.AddServer("server")
            .WithEndpoint(port: new Uri(site.Urls.Single()).Port, scheme: "http", name: "http")
            .WithHttpCommand("/pause", "Pause", commandName: "pause")
            .WithHttpCommand("/rate", "Rate", commandName: "rate", commandOptions: new()
            {
                Method = HttpMethod.Put,
                PrepareRequest = context =>
                {
                    context.Request.Content = new StringContent("1000");
                    return Task.CompletedTask;
                },
            })
            .WithHttpCommand("/broken", "Broken", commandName: "broken");
        await using var app = model.Builder.Build();
        await app.StartAsync();
        await app.ResourceNotifications.WaitForResourceHealthyAsync("server");

        Assert.True((await app.ResourceCommands.ExecuteCommandAsync("server", "pause")).Success);
        Assert.True((await app.ResourceCommands.ExecuteCommandAsync("server", "rate")).Success);
        var broken = await app.ResourceCommands.ExecuteCommandAsync("server", "broken");

        Assert.Equal(["POST /pause ", "PUT /rate 1000", "POST /broken "], received);
        Assert.False(broken.Success);
        Assert.EndsWith("/broken answered 503", broken.Message, StringComparison.Ordinal);

        await app.ResourceCommands.ExecuteCommandAsync("server", "stop");
        Assert.Equal("Pause is not possible while server is Finished.", (await app.ResourceCommands.ExecuteCommandAsync("server", "pause")).Message);
        await app.StopAsync();
    }

    static async Task<WebApplication> StartSiteAsync(List<string> received)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var site = builder.Build();
        site.Run(async context =>
        {
            using var body = new StreamReader(context.Request.Body);
            received.Add($"{context.Request.Method} {context.Request.Path} {await body.ReadToEndAsync()}");
            if (context.Request.Path == "/broken") context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        });
        await site.StartAsync();
        return site;
    }
}
