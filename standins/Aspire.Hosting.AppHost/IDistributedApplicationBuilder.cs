using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Eventing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting;

public interface IResourceWithServiceDiscovery : IResourceWithEndpoints;

public interface IProjectMetadata : IResourceAnnotation
{
    /// <summary>Full path of the project file.</summary>
    string ProjectPath { get; }
}

/// <summary>Added to the generated metadata classes: where the build put the program, since nothing is built when it starts.</summary>
public interface IProjectOutput
{
    /// <summary>Full path of the program's assembly.</summary>
    string AssemblyPath { get; }
}

public interface IDistributedApplicationBuilder
{
    string AppHostDirectory { get; }

    ConfigurationManager Configuration { get; }

    IHostEnvironment Environment { get; }

    IDistributedApplicationEventing Eventing { get; }

    DistributedApplicationExecutionContext ExecutionContext { get; }

    IResourceCollection Resources { get; }

    IServiceCollection Services { get; }

    IResourceBuilder<T> AddResource<T>(T resource)
        where T : IResource;

    IResourceBuilder<T> CreateResourceBuilder<T>(T resource)
        where T : IResource;

    DistributedApplication Build();
}

public enum DistributedApplicationOperation
{
    Run = 0,
    Publish = 1,
}

public class DistributedApplicationExecutionContext(DistributedApplicationOperation operation)
{
    public DistributedApplicationOperation Operation { get; } = operation;

    public bool IsPublishMode => Operation == DistributedApplicationOperation.Publish;

    public bool IsRunMode => Operation == DistributedApplicationOperation.Run;
}

public class DistributedApplicationException : Exception
{
    public DistributedApplicationException()
    {
    }

    public DistributedApplicationException(string message)
        : base(message)
    {
    }

    public DistributedApplicationException(string message, Exception inner)
        : base(message, inner)
    {
    }
}

public sealed class DistributedApplicationOptions
{
    public string[]? Args { get; set; }

    public bool DisableDashboard { get; set; }

    /// <summary>Folder of the AppHost's project; relative paths of the model start there.</summary>
    public string? ProjectDirectory { get; set; }
}
