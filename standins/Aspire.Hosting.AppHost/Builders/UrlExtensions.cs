using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting
{
    // In the real package these are methods of ResourceBuilderExtensions; extension methods are found all the same.
    public static class UrlExtensions
    {
        public static IResourceBuilder<T> WithUrl<T>(this IResourceBuilder<T> builder, string url, string? displayText = null)
            where T : IResource => builder.WithAnnotation(new ResourceUrlAnnotation { Url = url, DisplayText = displayText });

        public static IResourceBuilder<T> WithUrls<T>(this IResourceBuilder<T> builder, Action<ResourceUrlsCallbackContext> callback)
            where T : IResource => builder.WithAnnotation(new ResourceUrlsCallbackAnnotation(callback));

        /// <summary>Changes the URL of an endpoint.</summary>
        public static IResourceBuilder<T> WithUrlForEndpoint<T>(this IResourceBuilder<T> builder, string endpointName, Action<ResourceUrlAnnotation> callback)
            where T : IResource => builder.WithUrls(context =>
            {
                if (context.Urls.FirstOrDefault(u => u.Endpoint?.EndpointName == endpointName) is { } url) callback(url);
            });

        /// <summary>Adds a URL to an endpoint; a path is one of the endpoint's address.</summary>
        public static IResourceBuilder<T> WithUrlForEndpoint<T>(
            this IResourceBuilder<T> builder, string endpointName, Func<EndpointReference, ResourceUrlAnnotation> callback)
            where T : IResourceWithEndpoints => builder.WithUrls(context =>
            {
                var endpoint = builder.GetEndpoint(endpointName);
                if (!endpoint.Exists) return;
                var url = callback(endpoint);
                url.Endpoint = endpoint;
                context.Urls.Add(url);
            });
    }
}

namespace Aspire.Hosting.ApplicationModel
{
    public enum UrlDisplayLocation
    {
        SummaryAndDetails,
        DetailsOnly,
    }

    public sealed class ResourceUrlAnnotation : IResourceAnnotation
    {
        /// <summary>An absolute URL, or a path of <see cref="Endpoint"/>.</summary>
        public required string Url { get; set; }

        public string? DisplayText { get; set; }

        public EndpointReference? Endpoint { get; internal set; }

        /// <summary>The highest comes first.</summary>
        public int? DisplayOrder { get; set; }

        public UrlDisplayLocation DisplayLocation { get; set; }
    }

    public class ResourceUrlsCallbackContext(IResource resource, List<ResourceUrlAnnotation> urls)
    {
        public IResource Resource { get; } = resource;

        public List<ResourceUrlAnnotation> Urls { get; } = urls;
    }

    public sealed class ResourceUrlsCallbackAnnotation(Action<ResourceUrlsCallbackContext> callback) : IResourceAnnotation
    {
        internal Action<ResourceUrlsCallbackContext> Callback { get; } = callback;
    }
}
