using System.Collections.Concurrent;
using System.Globalization;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Dashboard.Wire;
using Google.Protobuf.WellKnownTypes;
using HealthStatus = Aspire.Hosting.Dashboard.Wire.HealthStatus;
using Resource = Aspire.Hosting.Dashboard.Wire.Resource;

namespace Aspire.Hosting.Dashboard;

/// <summary>
/// Puts the state of an instance into the dashboard's form. There it has the name "resource-number", since that is how the dashboard
/// finds the telemetry that belongs to it: service name and instance id, with a dash between.
/// </summary>
sealed class ResourceMapper(IServiceProvider services)
{
    readonly ConcurrentDictionary<string, string> _ids = new();

    /// <summary>The id behind a name of the dashboard.</summary>
    public string IdOf(string name) => _ids.GetValueOrDefault(name, name);

    public Resource Map(ResourceEvent update)
    {
        var snapshot = update.Snapshot;
        var isProcess = update.Resource is ProjectResource or ExecutableResource;
        var name = isProcess && update.ResourceId == update.Resource.Name ? $"{update.ResourceId}-1" : update.ResourceId;
        _ids[name] = update.ResourceId;
        var resource = new Resource
        {
            Name = name,
            DisplayName = update.Resource.Name,
            Uid = name,
            ResourceType = snapshot.ResourceType,
            State = snapshot.State?.Text ?? "",
            StateStyle = snapshot.State?.Style ?? "",
            IsHidden = snapshot.IsHidden || update.Resource.Name == DashboardHost.ResourceName,
        };
        if (snapshot.CreationTimeStamp is { } created) resource.CreatedAt = Timestamp.FromDateTime(created);
        if (snapshot.StartTimeStamp is { } started) resource.StartedAt = Timestamp.FromDateTime(started);
        if (snapshot.StopTimeStamp is { } stopped) resource.StoppedAt = Timestamp.FromDateTime(stopped);
        AddDetails(resource, update);
        foreach (var command in update.Resource.Annotations.OfType<ResourceCommandAnnotation>()) resource.Commands.Add(Map(command, snapshot));
        foreach (var report in snapshot.HealthReports) resource.HealthReports.Add(Map(report));
        foreach (var wait in update.Resource.Annotations.OfType<WaitAnnotation>())
        {
            resource.Relationships.Add(new ResourceRelationship { ResourceName = wait.Resource.Name, Type = "WaitFor" });
        }

        return resource;
    }

    static void AddDetails(Resource resource, ResourceEvent update)
    {
        var snapshot = update.Snapshot;
        foreach (var variable in snapshot.EnvironmentVariables)
        {
            resource.Environment.Add(new EnvironmentVariable { Name = variable.Name, Value = variable.Value ?? "", IsFromSpec = variable.IsFromSpec });
        }

        foreach (var property in snapshot.Properties)
        {
            resource.Properties.Add(new ResourceProperty { Name = property.Name, Value = ToValue(property.Value), IsSensitive = property.IsSensitive });
        }

        if (snapshot.ExitCode is { } code) resource.Properties.Add(new ResourceProperty { Name = "resource.exitCode", Value = Value.ForNumber(code) });
        foreach (var url in snapshot.Urls)
        {
            resource.Urls.Add(new Url
            {
                EndpointName = url.Name ?? "",
                FullUrl = url.Url,
                IsInternal = url.IsInternal,
                IsInactive = snapshot.State?.Text != KnownResourceStates.Running,
                DisplayProperties = new() { DisplayName = url.DisplayProperties.DisplayName, SortOrder = url.DisplayProperties.SortOrder },
            });
        }
    }

    ResourceCommand Map(ResourceCommandAnnotation command, CustomResourceSnapshot snapshot) => new()
    {
        Name = command.Name,
        DisplayName = command.DisplayName,
        DisplayDescription = command.Options.Description ?? "",
        ConfirmationMessage = command.Options.ConfirmationMessage ?? "",
        IconName = command.Options.IconName ?? "",
        IconVariant = command.Options.IconVariant == ApplicationModel.IconVariant.Filled ? Wire.IconVariant.Filled : Wire.IconVariant.Regular,
        IsHighlighted = command.Options.IsHighlighted,
        State = command.UpdateState(new() { ResourceSnapshot = snapshot, ServiceProvider = services }) switch
        {
            ApplicationModel.ResourceCommandState.Enabled => Wire.ResourceCommandState.Enabled,
            ApplicationModel.ResourceCommandState.Disabled => Wire.ResourceCommandState.Disabled,
            _ => Wire.ResourceCommandState.Hidden,
        },
    };

    static HealthReport Map(HealthReportSnapshot report)
    {
        var mapped = new HealthReport { Key = report.Name, Description = report.Description ?? "", Exception = report.ExceptionText ?? "" };
        if (report.Status is { } status)
        {
            mapped.Status = status switch
            {
                Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Healthy => HealthStatus.Healthy,
                Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Degraded => HealthStatus.Degraded,
                _ => HealthStatus.Unhealthy,
            };
        }

        if (report.LastRunAt is { } time) mapped.LastRunAt = Timestamp.FromDateTime(time);
        return mapped;
    }

    static Value ToValue(object? value) => value switch
    {
        null => Value.ForNull(),
        string text => Value.ForString(text),
        bool flag => Value.ForBool(flag),
        IEnumerable<string> texts => Value.ForList([.. texts.Select(Value.ForString)]),
        IConvertible number => Value.ForNumber(number.ToDouble(CultureInfo.InvariantCulture)),
        _ => Value.ForString(value.ToString() ?? ""),
    };
}
