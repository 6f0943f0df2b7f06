using System.Collections.Immutable;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting.Orchestration;

/// <summary>The URLs under which an instance is shown: one for each endpoint, what the model adds, and what it makes of them.</summary>
static class InstanceUrls
{
    public static ImmutableArray<UrlSnapshot> Of(Instance instance)
    {
        var resource = instance.Resource;
        var urls = new List<ResourceUrlAnnotation>();
        foreach (var endpoint in instance.Ports.Keys)
        {
            urls.Add(new() { Url = instance.UrlOf(endpoint), Endpoint = new((IResourceWithEndpoints)resource, endpoint.Name) });
        }

        urls.AddRange(resource.Annotations.OfType<ResourceUrlAnnotation>());
        var context = new ResourceUrlsCallbackContext(resource, urls);
        foreach (var callback in resource.Annotations.OfType<ResourceUrlsCallbackAnnotation>()) callback.Callback(context);
        return [.. urls.Select(url => new UrlSnapshot(url.Endpoint?.EndpointName, Absolute(instance, url), url.DisplayLocation == UrlDisplayLocation.DetailsOnly)
        {
            DisplayProperties = new(url.DisplayText ?? "", url.DisplayOrder ?? 0),
        })];
    }

    static string Absolute(Instance instance, ResourceUrlAnnotation url)
    {
        if (url.Endpoint is not { } endpoint || !url.Url.StartsWith('/')) return url.Url;
        return instance.UrlOf(instance.Ports.Keys.First(e => e.Name == endpoint.EndpointName)) + url.Url;
    }
}
