using System.Globalization;
using System.Net.Http.Json;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace StreamMetrics.AppHost.Commands;

static class LoadCommands
{
    static readonly int[] Rates = [1_000, 10_000, 50_000];

    /// <summary>Commands on the load generator: pause, resume, and some rates. They are requests of its own HTTP interface.</summary>
    public static IResourceBuilder<ProjectResource> WithLoadCommands(this IResourceBuilder<ProjectResource> generator)
    {
        generator.WithHttpCommand("/pause", "Pause", commandName: "pause", commandOptions: new()
        {
            Description = "Send no more events until resumed.", IconName = "Pause", IconVariant = IconVariant.Filled, IsHighlighted = true,
        });
        generator.WithHttpCommand("/resume", "Resume", commandName: "resume", commandOptions: new()
        {
            Description = "Go on sending events.", IconName = "Play", IconVariant = IconVariant.Regular, IsHighlighted = true,
        });
        foreach (var rate in Rates) generator.WithRateCommand(rate);
        return generator;
    }

    static void WithRateCommand(this IResourceBuilder<ProjectResource> generator, int rate)
    {
        var text = rate.ToString("#,0", CultureInfo.InvariantCulture);
        generator.WithHttpCommand(
            "/rate",
            $"{text} events/s",
            commandName: string.Create(CultureInfo.InvariantCulture, $"rate-{rate}"),
            commandOptions: new()
            {
                Description = $"Send {text} events per second.",
                IconName = "TopSpeed",
                Method = HttpMethod.Put,
                PrepareRequest = context =>
                {
                    context.Request.Content = JsonContent.Create(new { eventsPerSecond = rate });
                    return Task.CompletedTask;
                },
            });
    }
}
