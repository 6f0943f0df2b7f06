using System.Text.Json;
using HotChocolate.Execution;
using HotChocolate.Execution.Configuration;
using HotChocolate.Language;
using HotChocolate.Types;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace HotChocolate.AspNetCore;

/// <summary>GraphQL over HTTP (https://graphql.github.io/graphql-over-http/draft/), by POST and GET; streams as Server-Sent Events.</summary>
static class GraphQLEndpoint
{
    static readonly GraphQLServerOptions Default = new();

    public static Task HandleAsync(HttpContext context)
    {
        var options = context.GetEndpoint()?.Metadata.GetMetadata<GraphQLServerOptions>() ?? Default;
        if (context.WebSockets.IsWebSocketRequest) return SocketSession.RunAsync(context, options.Sockets);
        var method = context.Request.Method;
        if (HttpMethods.IsGet(method) && options.EnableSchemaRequests && context.Request.Query.ContainsKey("sdl")) return SchemaAsync(context);
        return HttpMethods.IsPost(method) || (HttpMethods.IsGet(method) && options.EnableGetRequests) ? AnswerAsync(context) : WrongMethodAsync(context, "GET, POST");
    }

    static async Task SchemaAsync(HttpContext context)
    {
        context.Response.ContentType = "application/graphql; charset=utf-8";
        await context.Response.WriteAsync(SdlPrinter.Print(context.RequestServices.GetRequiredService<Schema>()), context.RequestAborted);
    }

    static async Task WrongMethodAsync(HttpContext context, string allowed)
    {
        context.Response.Headers.Allow = allowed;
        await WriteAsync(context, ResponseForm.Json, StatusCodes.Status405MethodNotAllowed, Refusal($"The method must be {allowed.Replace(", ", " or ", StringComparison.Ordinal)}."));
    }

    static async Task AnswerAsync(HttpContext context)
    {
        var form = MediaTypes.Negotiate(context.Request, isStream: false);
        try
        {
            await AnswerAsync(context, form);
        }
        catch (BadRequestException exception)
        {
            await WriteAsync(context, form ?? ResponseForm.Json, exception.Status, Refusal(exception.Message));
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // nobody waits for the answer any more
        }
    }

    static async Task AnswerAsync(HttpContext context, ResponseForm? form)
    {
        var isGet = HttpMethods.IsGet(context.Request.Method);
        var executor = context.RequestServices.GetRequiredService<RequestExecutor>();
        var token = context.RequestAborted;
        var request = isGet
            ? RequestReader.ReadQueryString(context.Request.Query)
            : await RequestReader.ReadBodyAsync(context.Request, context.RequestServices.GetRequiredService<SchemaSetup>().MaxRequestSize, token);
        PreparedOperation operation;
        try
        {
            operation = executor.Prepare(request);
        }
        catch (RequestErrorException exception)
        {
            await WriteAsync(context, form ?? throw NotAcceptable(), form == ResponseForm.GraphQL ? StatusCodes.Status400BadRequest : StatusCodes.Status200OK, executor.Refuse(exception));
            return;
        }

        if (isGet && operation.Type == OperationType.Mutation)
        {
            await WrongMethodAsync(context, "POST");
        }
        else if (operation.Type == OperationType.Subscription)
        {
            if (MediaTypes.Negotiate(context.Request, isStream: true) is null)
                throw new BadRequestException(StatusCodes.Status406NotAcceptable, $"Accept must allow {MediaTypes.Events} for a subscription.");
            await StreamAsync(context, executor, operation);
        }
        else
        {
            await WriteAsync(context, form ?? throw NotAcceptable(), StatusCodes.Status200OK, await executor.ExecuteAsync(operation, context.RequestServices, token));
        }
    }

    static async Task StreamAsync(HttpContext context, RequestExecutor executor, PreparedOperation operation)
    {
        var stopping = context.RequestServices.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        await new EventStream(context.Response, context.RequestServices.GetRequiredService<TimeProvider>())
            .WriteAsync(executor.SubscribeAsync(operation, context.RequestServices, end.Token), end);
    }

    static async Task WriteAsync(HttpContext context, ResponseForm form, int status, ExecutionResult result)
    {
        if (form == ResponseForm.Events && status == StatusCodes.Status200OK)
        {
            using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
            await new EventStream(context.Response, context.RequestServices.GetRequiredService<TimeProvider>()).WriteAsync(AsyncEnumerable.Repeat(result, 1), end);
            return;
        }

        context.Response.StatusCode = status;
        context.Response.ContentType = MediaTypes.NameOf(form == ResponseForm.Events ? ResponseForm.Json : form);
        await using (var json = new Utf8JsonWriter(context.Response.BodyWriter, ResultWriter.Options)) ResultWriter.Write(json, result);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    static ExecutionResult Refusal(string message) => ExecutionResult.Of([ErrorBuilder.New().SetMessage(message).SetCode(ErrorCodes.InvalidRequest).Build()]);

    static BadRequestException NotAcceptable() => new(StatusCodes.Status406NotAcceptable, $"Accept must allow {MediaTypes.GraphQL}, {MediaTypes.Json} or {MediaTypes.Events}.");
}
