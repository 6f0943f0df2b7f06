using System.Globalization;

namespace StreamMetrics.TestSupport;

/// <summary>
/// A service of the product as it runs in earnest: <c>dotnet StreamMetrics.X.dll</c> from the repository, built in the configuration of the
/// test, listening on a free port of 127.0.0.1. The test project must reference the service's project, so that it is built.
/// </summary>
public sealed class ServiceProcess : IAsyncDisposable
{
    static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(30) };
    readonly ChildProcess _process;

    ServiceProcess(ChildProcess process, Uri address)
    {
        _process = process;
        Address = address;
    }

    /// <summary>Where it serves HTTP.</summary>
    public Uri Address { get; }

    /// <summary>Process id.</summary>
    public int Pid => _process.Pid;

    /// <summary>Whether it has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>Standard output and standard error so far.</summary>
    public IReadOnlyList<string> Output => _process.Output;

    /// <summary>Starts a service; it is not waited for.</summary>
    /// <param name="project">Its name, e.g. <c>StreamMetrics.Archiver</c>.</param>
    /// <param name="environment">Settings in environment form, e.g. <c>ConnectionStrings__kafka</c>.</param>
    /// <param name="arguments">Command line.</param>
    public static ServiceProcess Start(string project, IReadOnlyDictionary<string, string?> environment, params string[] arguments)
    {
        var dll = RepositoryRoot.Combine("services", project, "bin", RepositoryRoot.Configuration, "net10.0", project + ".dll");
        if (!File.Exists(dll)) throw new FileNotFoundException($"{project} is not built in {RepositoryRoot.Configuration}: reference its project from the test's.", dll);
        var address = new Uri($"http://127.0.0.1:{Ports.Free().ToString(CultureInfo.InvariantCulture)}");
        var all = new Dictionary<string, string?> { ["ASPNETCORE_URLS"] = address.OriginalString, ["DOTNET_ENVIRONMENT"] = "Production", ["DOTNET_NOLOGO"] = "1" };
        foreach (var (key, value) in environment) all[key] = value;
        var dotnet = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } path ? path : "dotnet";
        return new(ChildProcess.Start(project, [dotnet, dll, .. arguments], all), address);
    }

    /// <summary>Waits until an address of it answers with success.</summary>
    /// <param name="path">The path.</param>
    /// <param name="timeout">How long at most.</param>
    public Task WaitForHealthAsync(string path = "/health", TimeSpan? timeout = null) =>
        Eventually.AssertAsync(
            $"{_process.Name} answers {path}",
            async () =>
            {
                ThrowIfEnded();
                try
                {
                    using var answer = await Http.GetAsync(new Uri(Address, path));
                    if (!answer.IsSuccessStatusCode)
                        throw new InvalidOperationException($"{(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}{_process.Tail()}");
                }
                catch (HttpRequestException e)
                {
                    throw new InvalidOperationException($"{e.Message}{_process.Tail()}", e);
                }
            },
            timeout);

    /// <summary>Waits until an address of it answers with a status.</summary>
    /// <param name="path">The path.</param>
    /// <param name="status">The HTTP status.</param>
    /// <param name="timeout">How long at most.</param>
    public Task WaitForStatusAsync(string path, int status, TimeSpan? timeout = null) =>
        Eventually.EqualAsync(
            $"{_process.Name} answers {path}",
            status,
            async () =>
            {
                ThrowIfEnded();
                using var answer = await Http.GetAsync(new Uri(Address, path));
                return (int)answer.StatusCode;
            },
            timeout);

    /// <summary>Waits for a line of output.</summary>
    /// <param name="part">What the line contains.</param>
    /// <param name="timeout">How long at most.</param>
    public Task<string> WaitForOutputAsync(string part, TimeSpan? timeout = null) =>
        _process.WaitForOutputAsync(line => line.Contains(part, StringComparison.Ordinal), timeout);

    /// <summary>Fails a wait at once when the service is not running any more.</summary>
    /// <exception cref="HopelessException">It has ended; the message has its last lines.</exception>
    public void ThrowIfEnded() => _process.ThrowIfEnded();

    /// <summary>Waits for its end.</summary>
    /// <param name="timeout">How long at most.</param>
    /// <returns>Its exit code; 128 + the signal's number when a signal ended it.</returns>
    public Task<int> WaitForExitAsync(TimeSpan? timeout = null) => _process.WaitForExitAsync(timeout);

    /// <summary>Kills it (SIGKILL) and waits until it is gone.</summary>
    public Task KillAsync() => _process.KillAsync();

    /// <summary>Asks it to stop (SIGTERM) and waits for its end.</summary>
    /// <param name="timeout">How long at most.</param>
    /// <returns>Its exit code.</returns>
    public Task<int> StopAsync(TimeSpan? timeout = null)
    {
        _process.Send(Signal.Terminate);
        return _process.WaitForExitAsync(timeout);
    }

    /// <summary>Makes it stand still (SIGSTOP).</summary>
    public void Freeze() => _process.Send(Signal.Stop);

    /// <summary>Ends <see cref="Freeze"/>.</summary>
    public void Thaw() => _process.Send(Signal.Continue);

    /// <summary>The last lines of output, to put into a message.</summary>
    public string Tail() => _process.Tail();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
