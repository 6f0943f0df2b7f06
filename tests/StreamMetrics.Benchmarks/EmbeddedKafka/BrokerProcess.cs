using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Confluent.Kafka;
using StreamMetrics.EmbeddedKafka;

namespace StreamMetrics.Benchmarks.EmbeddedKafka;

/// <summary>A broker in a process of its own, so that its processor time can be told from the client's.</summary>
sealed class BrokerProcess : IAsyncDisposable
{
    readonly Process _process;
    readonly string _folder;

    BrokerProcess(string name, string servers, Process process, string folder) => (Name, Servers, _process, _folder) = (name, servers, process, folder);

    public string Name { get; }

    public string Servers { get; }

    public double CpuSeconds
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime.TotalSeconds;
        }
    }

    /// <summary>The body of the child process.</summary>
    public static async Task<int> ServeAsync(string folder)
    {
        await using var server = await EmbeddedKafkaServer.StartAsync(new() { DataDirectory = folder, Brokers = 1 });
        Console.WriteLine(server.BootstrapServers);
        await Console.In.ReadLineAsync();
        return 0;
    }

    public static async Task<BrokerProcess> StartEmbeddedAsync()
    {
        var folder = Directory.CreateTempSubdirectory("embedded-kafka-throughput-").FullName;
        var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["embedded-kafka", "serve", folder]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        var servers = await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The embedded broker did not start.");
        return new("embedded", servers, process, folder);
    }

    /// <summary>One KRaft broker with Kafka's defaults.</summary>
    public static async Task<BrokerProcess> StartApacheAsync(string home)
    {
        var folder = Directory.CreateTempSubdirectory("apache-kafka-throughput-").FullName;
        var (port, controller) = (FreePort(), FreePort());
        var settings = Path.Combine(folder, "server.properties");
        await File.WriteAllTextAsync(settings, $"""
            process.roles=broker,controller
            node.id=1
            controller.quorum.voters=1@127.0.0.1:{controller}
            listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
            advertised.listeners=PLAINTEXT://127.0.0.1:{port}
            controller.listener.names=CONTROLLER
            listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
            log.dirs={folder}/data
            offsets.topic.replication.factor=1
            transaction.state.log.replication.factor=1
            transaction.state.log.min.isr=1

            """);
        using (var format = Launch(home, "kafka-storage.sh", "format", "-t", Convert.ToBase64String(Guid.NewGuid().ToByteArray()).TrimEnd('=').Replace('+', '-').Replace('/', '_'), "-c", settings))
        {
            await format.WaitForExitAsync();
        }

        var process = Launch(home, "kafka-server-start.sh", settings);
        var servers = $"127.0.0.1:{port}";
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = servers }).SetLogHandler((_, _) => { }).Build();
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                admin.GetMetadata(TimeSpan.FromSeconds(2));
                return new("apache", servers, process, folder);
            }
            catch (KafkaException) when (attempt < 30)
            {
                // Not up yet.
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Name == "embedded") _process.StandardInput.Close();
        else _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    static Process Launch(string home, string script, params string[] arguments)
    {
        var process = Process.Start(new ProcessStartInfo(Path.Combine(home, "bin", script), arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        _ = process.StandardOutput.ReadToEndAsync();
        _ = process.StandardError.ReadToEndAsync();
        return process;
    }

    static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
