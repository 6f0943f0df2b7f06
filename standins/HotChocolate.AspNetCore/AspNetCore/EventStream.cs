using System.Buffers;
using System.Text.Json;
using HotChocolate.Execution;
using Microsoft.AspNetCore.Http;

namespace HotChocolate.AspNetCore;

/// <summary>
/// Answers as Server-Sent Events, one <c>next</c> each and <c>complete</c> at the end: the distinct connections mode of
/// https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md.
/// </summary>
sealed class EventStream(HttpResponse response, TimeProvider time)
{
    static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(12);

    /// <param name="results">The answers.</param>
    /// <param name="end">Ends when the client is gone or the server stops; is ended here when writing fails.</param>
    public async Task WriteAsync(IAsyncEnumerable<ExecutionResult> results, CancellationTokenSource end)
    {
        response.ContentType = MediaTypes.Events;
        response.Headers.CacheControl = "no-cache";
        response.Headers["X-Accel-Buffering"] = "no";
        await response.Body.FlushAsync(end.Token);
        // the clock first: it must run when the source is asked
        using var timer = new PeriodicTimer(KeepAlive, time);
        var stream = results.GetAsyncEnumerator(end.Token);
        var next = stream.MoveNextAsync().AsTask();
        try
        {
            await WriteAsync(stream, next, n => next = n, timer, end.Token);
        }
        finally
        {
            // an enumerator may only be disposed of when it is at rest
            await end.CancelAsync();
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await stream.DisposeAsync();
        }
    }

    async Task WriteAsync(IAsyncEnumerator<ExecutionResult> stream, Task<bool> next, Action<Task<bool>> remember, PeriodicTimer timer, CancellationToken token)
    {
        var tick = timer.WaitForNextTickAsync(token).AsTask();
        var buffer = new ArrayBufferWriter<byte>(1024);
        while (true)
        {
            if (await Task.WhenAny(next, tick) == tick && !next.IsCompleted)
            {
                await tick;
                tick = timer.WaitForNextTickAsync(token).AsTask();
                await WriteAsync(":\n\n"u8.ToArray(), token);
                continue;
            }

            if (!await next) break;
            buffer.ResetWrittenCount();
            buffer.Write("event: next\ndata: "u8);
            using (var json = new Utf8JsonWriter(buffer, ResultWriter.Options)) ResultWriter.Write(json, stream.Current);
            buffer.Write("\n\n"u8);
            await WriteAsync(buffer.WrittenMemory, token);
            remember(next = stream.MoveNextAsync().AsTask());
        }

        // a browser tells of an event only when it has data
        await WriteAsync("event: complete\ndata:\n\n"u8.ToArray(), token);
    }

    async Task WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken token)
    {
        await response.Body.WriteAsync(bytes, token);
        await response.Body.FlushAsync(token);
    }
}
