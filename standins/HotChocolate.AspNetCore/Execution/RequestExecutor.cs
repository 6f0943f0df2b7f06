using System.Runtime.CompilerServices;
using System.Text.Json;
using HotChocolate.Execution.Configuration;
using HotChocolate.Language;
using HotChocolate.Types;
using HotChocolate.Validation;
using Microsoft.Extensions.Hosting;

namespace HotChocolate.Execution;

/// <summary>A request as the transports bring it.</summary>
sealed record GraphQLRequest(string Query, string? OperationName, JsonElement? Variables);

/// <summary>An operation that may be executed: valid, with its variables.</summary>
sealed record PreparedOperation(OperationType Type, SelectionPlan Plan);

/// <summary>Validates and executes requests, whatever they came by.</summary>
sealed class RequestExecutor(Schema schema, SchemaSetup setup, IEnumerable<IErrorFilter> filters, IHostEnvironment environment, TimeProvider time)
{
    readonly ErrorReporter _reporter = new(filters);
    readonly Validator _validator = new(schema, setup, setup.IsIntrospectionDisabled ?? !environment.IsDevelopment());

    public Schema Schema { get; } = schema;

    /// <summary>The answer to a request that cannot be executed.</summary>
    public ExecutionResult Refuse(RequestErrorException exception) => ExecutionResult.Of(_reporter.Filter(exception.Errors));

    /// <summary>The answer when an exception ends everything.</summary>
    public ExecutionResult Fail(Exception exception) => ExecutionResult.Of(_reporter.ToErrors(exception));

    /// <exception cref="RequestErrorException">The request cannot be executed.</exception>
    public PreparedOperation Prepare(GraphQLRequest request)
    {
        var document = Parse(request.Query);
        _validator.Validate(document);
        var operation = Select(document, request.OperationName);
        var variables = Variables.Read(Schema, operation, request.Variables);
        return new(operation.Type, new Planner(document, variables).Plan(Schema.Root(operation.Type)!, [operation.Selections]));
    }

    /// <summary>Executes a query or a mutation.</summary>
    public Task<ExecutionResult> ExecuteAsync(PreparedOperation operation, IServiceProvider services, CancellationToken token) =>
        RunAsync(operation, null, services, token);

    /// <summary>The answers of a subscription, one for each event.</summary>
    public async IAsyncEnumerable<ExecutionResult> SubscribeAsync(PreparedOperation operation, IServiceProvider services, [EnumeratorCancellation] CancellationToken token)
    {
        var field = operation.Plan.Fields[0];
        ExecutionResult? failure = null;
        IAsyncEnumerator<object?>? events = null;
        try
        {
            if (field.ArgumentError is { } error) throw new GraphQLException(error);
            events = (await field.Field.Subscribe!(new(null, field.Arguments, services, token))).GetAsyncEnumerator(token);
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !token.IsCancellationRequested)
        {
            failure = ExecutionResult.Of(_reporter.ToErrors(exception, field.Location, Path.Of(null, field.ResponseName)));
        }

        await using (events)
        {
            while (failure is null)
            {
                try
                {
                    if (!await events!.MoveNextAsync()) break;
                }
                catch (Exception exception) when (exception is not OperationCanceledException || !token.IsCancellationRequested)
                {
                    failure = ExecutionResult.Of(_reporter.ToErrors(exception, field.Location, Path.Of(null, field.ResponseName)));
                    break;
                }

                yield return await RunAsync(operation, events.Current, services, token);
            }
        }

        if (failure is not null) yield return failure;
    }

    async Task<ExecutionResult> RunAsync(PreparedOperation operation, object? root, IServiceProvider services, CancellationToken token)
    {
        using var timeout = new CancellationTokenSource(setup.Request.ExecutionTimeout, time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, token);
        try
        {
            return await new OperationRun(services, _reporter, end.Token).ExecuteAsync(operation.Plan, root, operation.Type == OperationType.Mutation);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !token.IsCancellationRequested)
        {
            return Refuse(new($"The request took longer than {setup.Request.ExecutionTimeout}.", ErrorCodes.Timeout));
        }
    }

    static Document Parse(string query)
    {
        try
        {
            return Parser.Parse(query);
        }
        catch (SyntaxException exception)
        {
            throw new RequestErrorException(exception);
        }
    }

    // https://spec.graphql.org/October2021/#GetOperation()
    static OperationDefinition Select(Document document, string? name)
    {
        if (name is not null)
            return document.Operations.FirstOrDefault(o => o.Name == name) ?? throw new RequestErrorException($"The document has no operation '{name}'.", ErrorCodes.InvalidRequest);
        return document.Operations switch
        {
            [var only] => only,
            [] => throw new RequestErrorException("The document has no operation.", ErrorCodes.InvalidRequest),
            _ => throw new RequestErrorException("The document has several operations: 'operationName' must name one of them.", ErrorCodes.InvalidRequest),
        };
    }
}
