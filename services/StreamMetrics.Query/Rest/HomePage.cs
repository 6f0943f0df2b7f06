namespace StreamMetrics.Query.Rest;

/// <summary>The entry points, for whoever opens the service's address in a browser.</summary>
static class HomePage
{
    const string Html = """
        <!doctype html>
        <html lang="en"><meta charset="utf-8"><title>StreamMetrics</title>
        <h1>StreamMetrics query service</h1>
        <ul>
          <li><a href="/docs">/docs</a>: try the API</li>
          <li><a href="/openapi/v1.json">/openapi/v1.json</a>: its description</li>
          <li><a href="/api/v1/services">/api/v1/services</a>: what sends events</li>
          <li><a href="/api/v1/top">/api/v1/top</a>: the busiest metrics now</li>
          <li><a href="/api/v1/pipeline">/api/v1/pipeline</a>: lag and throughput</li>
          <li><a href="/api/v1/dead-letters">/api/v1/dead-letters</a>: events that were put aside</li>
          <li><a href="/graphql">/graphql</a>: try GraphQL</li>
          <li><code>/api/v1/stream?serviceId=…&amp;metricName=…</code> (Server-Sent Events), <code>/ws/v1/stream</code> (WebSocket): live values</li>
          <li><a href="/health">/health</a>, <a href="/alive">/alive</a></li>
        </ul>
        </html>
        """;

    public static void MapHomePage(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/", () => TypedResults.Text(Html, "text/html; charset=utf-8")).ExcludeFromDescription();
}
