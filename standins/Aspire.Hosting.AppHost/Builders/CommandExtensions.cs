using System.Globalization;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

// In the real package these are methods of ResourceBuilderExtensions; extension methods are found all the same.
public static class CommandExtensions
{
    static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(30) };

    public static IResourceBuilder<T> WithCommand<T>(
        this IResourceBuilder<T> builder,
        string name,
        string displayName,
        Func<ExecuteCommandContext, Task<ExecuteCommandResult>> executeCommand,
        CommandOptions? commandOptions = null)
        where T : IResource
    {
        var options = commandOptions ?? new();
        foreach (var old in builder.Resource.Annotations.OfType<ResourceCommandAnnotation>().Where(c => c.Name == name).ToArray())
        {
            builder.Resource.Annotations.Remove(old);
        }

        return builder.WithAnnotation(
            new ResourceCommandAnnotation(name, displayName, options.UpdateState ?? (_ => ResourceCommandState.Enabled), executeCommand, options));
    }

    /// <summary>A command that sends an HTTP request; enabled while the resource runs.</summary>
    public static IResourceBuilder<TResource> WithHttpCommand<TResource>(
        this IResourceBuilder<TResource> builder,
        string path,
        string displayName,
        string? endpointName = null,
        string? commandName = null,
        HttpCommandOptions? commandOptions = null)
        where TResource : IResourceWithEndpoints
    {
        var options = commandOptions ?? new();
        options.UpdateState ??= context => context.ResourceSnapshot.State?.Text == KnownResourceStates.Running ? ResourceCommandState.Enabled : ResourceCommandState.Disabled;
        var method = options.Method ?? HttpMethod.Post;
        return builder.WithCommand(
            commandName ?? $"{builder.Resource.Name}-http-{method.Method.ToLowerInvariant()}-{path}",
            displayName,
            context => SendAsync(builder.Resource, path, endpointName ?? "http", method, options, context),
            options);
    }

    static async Task<ExecuteCommandResult> SendAsync(
        IResourceWithEndpoints resource, string path, string endpointName, HttpMethod method, HttpCommandOptions options, ExecuteCommandContext context)
    {
        var endpoint = resource.GetEndpoint(endpointName);
        using var request = new HttpRequestMessage(method, new Uri(new Uri(endpoint.Url), path));
        if (options.PrepareRequest is { } prepare)
        {
            await prepare(new()
            {
                ServiceProvider = context.ServiceProvider,
                ResourceName = context.ResourceName,
                Endpoint = endpoint,
                CancellationToken = context.CancellationToken,
                HttpClient = Http,
                Request = request,
            }).ConfigureAwait(false);
        }

        using var answer = await Http.SendAsync(request, context.CancellationToken).ConfigureAwait(false);
        return answer.IsSuccessStatusCode
            ? CommandResults.Success()
            : CommandResults.Failure(string.Create(CultureInfo.InvariantCulture, $"{request.RequestUri} answered {(int)answer.StatusCode}"));
    }
}
