using System.Runtime.InteropServices;
using StreamMetrics.EmbeddedKafka;
using StreamMetrics.EmbeddedKafka.Host;

try
{
    var configuration = Arguments.Configure(args);
    using var loggers = LoggerFactory.Create(logging => logging.SetMinimumLevel(LogLevel.Warning).AddConfiguration(configuration.GetSection("Logging")).AddSimpleConsole(console => console.SingleLine = true));
    var stop = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
    using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
    await using var server = await EmbeddedKafkaServer.StartAsync(Arguments.Read(configuration, loggers));
    Console.WriteLine($"embedded kafka ready: {server.BootstrapServers}");
    await stop.Task;
    return 0;

    void Stop(PosixSignalContext signal)
    {
        signal.Cancel = true;
        stop.TrySetResult();
    }
}
catch (EmbeddedKafkaStartException e)
{
    Console.Error.WriteLine($"error: {e.Message}");
    return 1;
}
