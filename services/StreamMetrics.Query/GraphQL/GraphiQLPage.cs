using Microsoft.Extensions.FileProviders;
using Microsoft.Net.Http.Headers;

namespace StreamMetrics.Query.GraphQL;

/// <summary>
/// GraphiQL for whoever opens the API's address in a browser. The page and its scripts are no secret and open to all; what they ask needs a key
/// like any other question.
/// </summary>
static class GraphiQLPage
{
    const string FilesPath = "/graphiql";

    public static WebApplication UseGraphiQL(this WebApplication app)
    {
        var files = new PhysicalFileProvider(Path.Combine(AppContext.BaseDirectory, "graphiql"));
        app.UseStaticFiles(new StaticFileOptions { FileProvider = files, RequestPath = FilesPath });
        app.Use((context, next) => IsForPeople(context.Request) ? SendPageAsync(context, files) : next(context));
        return app;
    }

    // a browser names text/html, a program does not
    static bool IsForPeople(HttpRequest request) =>
        HttpMethods.IsGet(request.Method) && request.Path == GraphQLModule.Path && request.Query.Count == 0
        && MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out var accepted)
        && accepted.Any(a => a.MediaType.Equals("text/html", StringComparison.OrdinalIgnoreCase));

    static Task SendPageAsync(HttpContext context, PhysicalFileProvider files)
    {
        context.Response.ContentType = "text/html; charset=utf-8";
        return context.Response.SendFileAsync(files.GetFileInfo("index.html"), context.RequestAborted);
    }
}
