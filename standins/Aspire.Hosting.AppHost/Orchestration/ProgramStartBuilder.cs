using System.Globalization;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting.Orchestration;

/// <summary>Turns the model of a resource into what a process is started with.</summary>
sealed class ProgramStartBuilder(DistributedApplicationExecutionContext executionContext)
{
    public async Task<ProgramStart> BuildAsync(Instance instance, CancellationToken cancellationToken)
    {
        var environment = await EnvironmentAsync(instance, cancellationToken).ConfigureAwait(false);
        var arguments = await ArgumentsAsync(instance.Resource, cancellationToken).ConfigureAwait(false);
        return instance.Resource switch
        {
            ExecutableResource executable => new(executable.Command, arguments, executable.WorkingDirectory, environment),
            ProjectResource project => Project(project, arguments, environment),
            _ => throw new InvalidOperationException($"{instance.Resource.Name} is no program."),
        };
    }

    static ProgramStart Project(ProjectResource project, IReadOnlyList<string> arguments, Dictionary<string, string> environment)
    {
        var metadata = project.GetProjectMetadata();
        if (metadata is not IProjectOutput { AssemblyPath: var assembly })
        {
            throw new NotSupportedException($"Starting '{project.Name}' without a build needs the real package Aspire.Hosting.AppHost.");
        }

        var folder = Path.GetDirectoryName(metadata.ProjectPath)!;
        var program = Path.ChangeExtension(assembly, OperatingSystem.IsWindows() ? ".exe" : null);
        environment.TryAdd("DOTNET_ROOT", DotnetRoot());
        return File.Exists(program)
            ? new(program, arguments, folder, environment)
            : new(Path.Combine(DotnetRoot(), "dotnet"), ["exec", assembly, .. arguments], folder, environment);
    }

    async Task<Dictionary<string, string>> EnvironmentAsync(Instance instance, CancellationToken cancellationToken)
    {
        var context = new EnvironmentCallbackContext(executionContext, instance.Resource, cancellationToken: cancellationToken);
        foreach (var annotation in instance.Resource.Annotations.OfType<EnvironmentCallbackAnnotation>().ToArray())
        {
            await annotation.Callback(context).ConfigureAwait(false);
        }

        var environment = new Dictionary<string, string>();
        if (instance.Resource is ProjectResource) AddWhatProjectsGet(instance, environment);
        foreach (var (name, value) in context.EnvironmentVariables) environment[name] = await TextAsync(value, cancellationToken).ConfigureAwait(false);
        return environment;
    }

    static void AddWhatProjectsGet(Instance instance, Dictionary<string, string> environment)
    {
        var urls = instance.Ports.Keys.Where(e => e.UriScheme == "http").Select(instance.UrlOf).ToArray();
        if (urls.Length > 0) environment["ASPNETCORE_URLS"] = string.Join(';', urls);
        environment["OTEL_RESOURCE_ATTRIBUTES"] = string.Create(CultureInfo.InvariantCulture, $"service.instance.id={instance.Number}");
    }

    async Task<IReadOnlyList<string>> ArgumentsAsync(IResource resource, CancellationToken cancellationToken)
    {
        var args = new List<object>();
        var context = new CommandLineArgsCallbackContext(args, executionContext, cancellationToken);
        foreach (var annotation in resource.Annotations.OfType<CommandLineArgsCallbackAnnotation>().ToArray())
        {
            await annotation.Callback(context).ConfigureAwait(false);
        }

        var texts = new List<string>();
        foreach (var arg in args) texts.Add(await TextAsync(arg, cancellationToken).ConfigureAwait(false));
        return texts;
    }

    static async ValueTask<string> TextAsync(object value, CancellationToken cancellationToken) => value switch
    {
        string text => text,
        IValueProvider provider => await provider.GetValueAsync(cancellationToken).ConfigureAwait(false) ?? "",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    // …/shared/Microsoft.NETCore.App/10.0.0/ lies three folders below the root.
    static string DotnetRoot() => Environment.GetEnvironmentVariable("DOTNET_ROOT")
        ?? Path.GetFullPath(Path.Combine(System.Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
}
