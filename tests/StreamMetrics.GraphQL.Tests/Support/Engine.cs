using System.Buffers;
using System.Text.Json;
using HotChocolate.Execution;
using HotChocolate.Execution.Configuration;
using HotChocolate.Types;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace StreamMetrics.GraphQL.Tests.Support;

/// <summary>The engine with the test's schema, without a transport.</summary>
sealed class Engine : IDisposable
{
    readonly ServiceProvider _services;

    public Engine(Action<IRequestExecutorBuilder>? configure = null, string environment = "Development")
    {
        var services = new ServiceCollection();
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<Journal>();
        services.AddSingleton<IHostEnvironment>(new Environment(environment));
        var builder = services.AddGraphQLServer().AddQueryType<Query>().AddMutationType<Mutation>().AddSubscriptionType<Subscription>();
        configure?.Invoke(builder);
        _services = services.BuildServiceProvider();
    }

    sealed class Environment(string name) : IHostEnvironment
    {
        public string EnvironmentName { get; set; } = name;

        public string ApplicationName { get; set; } = "";

        public string ContentRootPath { get; set; } = "";

        public Microsoft.Extensions.FileProviders.IFileProvider ContentRootFileProvider { get; set; } = null!;
    }

    public Schema Schema => _services.GetRequiredService<Schema>();

    public Journal Journal => _services.GetRequiredService<Journal>();

    public RequestExecutor Executor => _services.GetRequiredService<RequestExecutor>();

    /// <summary>The answer to a query or mutation.</summary>
    public async Task<JsonElement> AskAsync(string query, string? variables = null, string? operationName = null)
    {
        try
        {
            return ToJson(await Executor.ExecuteAsync(Prepare(query, variables, operationName), _services, CancellationToken.None));
        }
        catch (RequestErrorException exception)
        {
            return ToJson(Executor.Refuse(exception));
        }
    }

    /// <summary>The data of an answer without errors, as text.</summary>
    public async Task<string> DataAsync(string query, string? variables = null)
    {
        var answer = await AskAsync(query, variables);
        Assert.False(answer.TryGetProperty("errors", out var errors), $"{query}: {errors}");
        return answer.GetProperty("data").GetRawText();
    }

    /// <summary>The errors of an answer.</summary>
    public async Task<IReadOnlyList<JsonElement>> ErrorsAsync(string query, string? variables = null)
    {
        var answer = await AskAsync(query, variables);
        return answer.TryGetProperty("errors", out var errors) ? [.. errors.EnumerateArray()] : [];
    }

    /// <summary>Every answer of a subscription.</summary>
    public async IAsyncEnumerable<JsonElement> SubscribeAsync(string query)
    {
        await foreach (var result in Executor.SubscribeAsync(Prepare(query, null, null), _services, CancellationToken.None)) yield return ToJson(result);
    }

    public void Dispose() => _services.Dispose();

    PreparedOperation Prepare(string query, string? variables, string? operationName) =>
        Executor.Prepare(new(query, operationName, variables is null ? null : JsonDocument.Parse(variables).RootElement));

    static JsonElement ToJson(ExecutionResult result)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, ResultWriter.Options)) ResultWriter.Write(json, result);
        return JsonDocument.Parse(buffer.WrittenMemory).RootElement;
    }
}
