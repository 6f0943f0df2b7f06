using System.Globalization;
using System.Net;
using StreamMetrics.TestSupport;

namespace StreamMetrics.Benchmarks.Tracing;

/// <summary>Takes what OpenTelemetry exporters send over HTTP, and throws it away.</summary>
sealed class OtlpSink : IAsyncDisposable
{
    readonly HttpListener _listener = new();
    readonly Task _work;
    long _traceBytes;

    public OtlpSink()
    {
        Address = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{Ports.Free()}");
        _listener.Prefixes.Add(Address + "/");
        _listener.Start();
        _work = RunAsync();
    }

    /// <summary>For <c>OTEL_EXPORTER_OTLP_ENDPOINT</c>, with the protocol <c>http/protobuf</c>.</summary>
    public string Address { get; }

    /// <summary>Bytes of spans so far.</summary>
    public long TraceBytes => Interlocked.Read(ref _traceBytes);

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _work;
        _listener.Close();
    }

    async Task RunAsync()
    {
        while (true)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return; // it was stopped
            }

            using var body = new MemoryStream();
            await context.Request.InputStream.CopyToAsync(body);
            if (context.Request.Url!.AbsolutePath == "/v1/traces") Interlocked.Add(ref _traceBytes, body.Length);
            context.Response.ContentType = "application/x-protobuf";
            context.Response.Close();
        }
    }
}
