using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Dashboard.Wire;
using Grpc.Core;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting.Dashboard;

/// <summary>Answers the dashboard: which resources there are, what they write, and the commands on them.</summary>
sealed class DashboardService(
    ResourceNotificationService notifications,
    ResourceLoggerService loggers,
    ResourceCommandService commands,
    ResourceMapper mapper,
    ApplicationName applicationName,
    IHostApplicationLifetime lifetime) : Wire.DashboardService.DashboardServiceBase
{
    // gRPC takes 4 MiB at once, and a character is up to 3 bytes.
    const int MaxCharacters = 1 << 20;

    public override Task<ApplicationInformationResponse> GetApplicationInformation(ApplicationInformationRequest request, ServerCallContext context) =>
        Task.FromResult(new ApplicationInformationResponse { ApplicationName = applicationName.Value });

    public override Task WatchResources(WatchResourcesRequest request, IServerStreamWriter<WatchResourcesUpdate> responseStream, ServerCallContext context) =>
        UntilStoppedAsync(context, async cancellationToken =>
        {
            await responseStream.WriteAsync(new() { InitialData = new() }, cancellationToken).ConfigureAwait(false);

            // What is there comes first, as changes from nothing.
            await foreach (var update in notifications.WatchAsync(cancellationToken).ConfigureAwait(false))
            {
                var changes = new WatchResourcesChanges();
                changes.Value.Add(new WatchResourcesChange { Upsert = mapper.Map(update) });
                await responseStream.WriteAsync(new() { Changes = changes }, cancellationToken).ConfigureAwait(false);
            }
        });

    public override Task WatchResourceConsoleLogs(
        WatchResourceConsoleLogsRequest request, IServerStreamWriter<WatchResourceConsoleLogsUpdate> responseStream, ServerCallContext context) =>
        UntilStoppedAsync(context, async cancellationToken =>
        {
            var id = IdOf(request.ResourceName);
            var lines = request.SuppressFollow ? loggers.GetAllAsync(id) : loggers.WatchAsync(id);
            await foreach (var batch in lines.WithCancellation(cancellationToken).ConfigureAwait(false))
            {
                foreach (var update in Split(batch)) await responseStream.WriteAsync(update, cancellationToken).ConfigureAwait(false);
            }
        });

    public override async Task<ResourceCommandResponse> ExecuteResourceCommand(ResourceCommandRequest request, ServerCallContext context)
    {
        var result = await commands.ExecuteCommandAsync(IdOf(request.ResourceName), request.CommandName, context.CancellationToken).ConfigureAwait(false);
        return new()
        {
            Kind = (result.Success, result.Canceled) switch
            {
                (true, _) => ResourceCommandResponseKind.Succeeded,
                (_, true) => ResourceCommandResponseKind.Cancelled,
                _ => ResourceCommandResponseKind.Failed,
            },
            Message = result.Message ?? "",
        };
    }

    static IEnumerable<WatchResourceConsoleLogsUpdate> Split(IReadOnlyList<LogLine> lines)
    {
        var update = new WatchResourceConsoleLogsUpdate();
        var length = 0;
        foreach (var line in lines)
        {
            var text = line.Content.Length > MaxCharacters ? line.Content[..MaxCharacters] : line.Content;
            if (length + text.Length > MaxCharacters)
            {
                yield return update;
                (update, length) = (new(), 0);
            }

            update.LogLines.Add(new ConsoleLogLine { LineNumber = line.LineNumber, Text = text, IsStdErr = line.IsErrorMessage });
            length += text.Length;
        }

        if (update.LogLines.Count > 0) yield return update;
    }

    string IdOf(string name) => mapper.IdOf(name);

    async Task UntilStoppedAsync(ServerCallContext context, Func<CancellationToken, Task> work)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(lifetime.ApplicationStopping, context.CancellationToken);
        try
        {
            await work(stop.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException && stop.IsCancellationRequested)
        {
            // The dashboard or the application has gone.
        }
    }
}
