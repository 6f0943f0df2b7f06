using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace StreamMetrics.EmbeddedKafka;

/// <summary>
/// A durable development broker that speaks Kafka's protocol on 127.0.0.1: one process, one copy of the data, announced as several brokers. What a
/// producer has been told is written survives the death of the process.
/// </summary>
public sealed class EmbeddedKafkaServer : IAsyncDisposable
{
    readonly Broker _broker;
    readonly KestrelServer _listener;
    readonly FileStream _lock;
    int _stopped;

    EmbeddedKafkaServer(Broker broker, KestrelServer listener, FileStream folderLock)
    {
        (_broker, _listener, _lock) = (broker, listener, folderLock);
        BootstrapServers = string.Join(',', Array.ConvertAll(broker.Endpoints, endpoint => $"{endpoint.Host}:{endpoint.Port}"));
    }

    /// <summary>What clients connect to: <c>127.0.0.1:p1,127.0.0.1:p2,…</c>.</summary>
    public string BootstrapServers { get; }

    /// <summary>Opens the data folder, finishes what a crash left, and listens.</summary>
    /// <param name="options">Folder, ports and limits.</param>
    /// <param name="cancellationToken">Gives up the start.</param>
    /// <returns>The running broker; dispose it to stop it.</returns>
    /// <exception cref="EmbeddedKafkaStartException">An option is wrong, the folder is in use or damaged, or a port is taken; the message says which.</exception>
    public static async Task<EmbeddedKafkaServer> StartAsync(EmbeddedKafkaOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Validate() is { } wrong) throw new EmbeddedKafkaStartException(wrong);
        var started = options.TimeProvider.GetTimestamp();
        var folderLock = TakeFolder(options.DataDirectory);
        Broker? broker = null;
        try
        {
            broker = await Task.Run(() => new Broker(options), cancellationToken).ConfigureAwait(false);
            var listener = await ListenAsync(options, broker, cancellationToken).ConfigureAwait(false);
            var server = new EmbeddedKafkaServer(broker, listener, folderLock);
            broker.StartBackground();
            var elapsed = options.TimeProvider.GetElapsedTime(started);
            Log.Started(broker.Logger, server.BootstrapServers, options.DataDirectory, elapsed);
            return server;
        }
        catch (Exception e)
        {
            if (broker is not null) await broker.DisposeAsync().ConfigureAwait(false);
            await folderLock.DisposeAsync().ConfigureAwait(false);
            if (e is InvalidDataException or AggregateException { InnerException: InvalidDataException })
                throw new EmbeddedKafkaStartException((e.InnerException ?? e).Message, e);
            throw;
        }
    }

    /// <summary>Stops listening, closes connections, writes everything to disk. May be called more than once.</summary>
    public async Task StopAsync()
    {
        if (Interlocked.Exchange(ref _stopped, 1) != 0) return;
        using (var atOnce = new CancellationTokenSource())
        {
            // Clients park requests for minutes; there is nothing to wait for, they retry elsewhere or later.
            await atOnce.CancelAsync().ConfigureAwait(false);
            await _listener.StopAsync(atOnce.Token).ConfigureAwait(false);
        }

        _listener.Dispose();
        await _broker.DisposeAsync().ConfigureAwait(false);
        Log.Stopped(_broker.Logger);
        await _lock.DisposeAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await StopAsync().ConfigureAwait(false);

    /// <summary>Takes the folder with a lock of the operating system, which ends with the process however that ends.</summary>
    static FileStream TakeFolder(string directory)
    {
        try
        {
            Directory.CreateDirectory(directory);
            return new(Path.Combine(directory, ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new EmbeddedKafkaStartException($"The data folder {directory} is in use by another broker, or cannot be written ({e.Message})", e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new EmbeddedKafkaStartException($"The data folder {directory} cannot be written: {e.Message}", e);
        }
    }

    static async Task<KestrelServer> ListenAsync(EmbeddedKafkaOptions options, Broker broker, CancellationToken cancellationToken)
    {
        var handler = new KafkaConnectionHandler(broker);
        var kestrel = new KestrelServerOptions();
        kestrel.Limits.MaxConcurrentConnections = options.MaxConnections;
        var bound = new ListenOptions[options.Brokers];
        for (var i = 0; i < options.Brokers; i++)
        {
            kestrel.Listen(IPAddress.Loopback, options.Port == 0 ? 0 : options.Port + i, listen =>
            {
                bound[listen.IPEndPoint!.Port == 0 ? Array.IndexOf(bound, null) : listen.IPEndPoint.Port - options.Port] = listen;
                listen.Run(handler.OnConnectedAsync);
            });
        }

        var transport = new SocketTransportFactory(Options.Create(new SocketTransportOptions()), options.LoggerFactory);
        var server = new KestrelServer(Options.Create(kestrel), transport, options.LoggerFactory);
        try
        {
            await server.StartAsync(new NoHttp(), cancellationToken).ConfigureAwait(false);
        }
        catch (IOException e) when (e.InnerException is AddressInUseException or SocketException)
        {
            server.Dispose();
            throw new EmbeddedKafkaStartException($"Port {TakenPort(options)} on 127.0.0.1 is taken; the broker needs {options.Port} to {options.Port + options.Brokers - 1}", e);
        }

        broker.Endpoints = new BrokerEndpoint[bound.Length];
        for (var i = 0; i < bound.Length; i++) broker.Endpoints[i] = new(i + 1, "127.0.0.1", bound[i].IPEndPoint!.Port);
        return server;
    }

    /// <summary>Which of the ports another process has; Kestrel's message does not tell it in a form for users.</summary>
    static int TakenPort(EmbeddedKafkaOptions options)
    {
        for (var port = options.Port; port < options.Port + options.Brokers; port++)
        {
            try
            {
                using var probe = new TcpListener(IPAddress.Loopback, port);
                probe.Start();
            }
            catch (SocketException)
            {
                return port;
            }
        }

        return options.Port;
    }

    /// <summary>Kestrel asks for an HTTP application even when every endpoint speaks something else.</summary>
    sealed class NoHttp : IHttpApplication<object>
    {
        public object CreateContext(IFeatureCollection contextFeatures) => throw new NotSupportedException("The broker does not speak HTTP.");

        public Task ProcessRequestAsync(object context) => throw new NotSupportedException("The broker does not speak HTTP.");

        public void DisposeContext(object context, Exception? exception) => throw new NotSupportedException("The broker does not speak HTTP.");
    }
}
