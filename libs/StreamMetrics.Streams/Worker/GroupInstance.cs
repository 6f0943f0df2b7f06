using System.Globalization;

namespace StreamMetrics.Streams.Worker;

/// <summary>
/// The name of a static group member (KIP-345): a member that comes back under its name has its partitions at once, without a rebalance.
/// From the options; else from the ordinal of a StatefulSet's pod; else from the first lock file in the data folder that no other process
/// holds, so that replicas on one machine get stable names. A lock ends with its process, however that ends.
/// </summary>
sealed class GroupInstance : IDisposable
{
    const int MaxInstances = 256;

    readonly FileStream? _lock;

    GroupInstance(string name, FileStream? held) => (Name, _lock) = (name, held);

    /// <summary>The name.</summary>
    public string Name { get; }

    /// <summary>Claims a name.</summary>
    /// <param name="options">Options.</param>
    /// <param name="index">Number of the worker in its process, from 0.</param>
    /// <exception cref="FatalWorkerException">The data folder cannot be written, or every name is taken.</exception>
    public static GroupInstance Claim(WorkerOptions options, int index)
    {
        if (options.InstanceId.Length > 0) return new(options.Workers == 1 ? options.InstanceId : $"{options.InstanceId}.{index}", null);
        if (PodOrdinal(Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_HOST"), Environment.MachineName) is { } ordinal)
            return new(string.Create(CultureInfo.InvariantCulture, $"aggregator-{ordinal}.{index}"), null);
        try
        {
            Directory.CreateDirectory(options.DataDirectory);
            for (var i = 0; i < MaxInstances; i++)
            {
                if (TryLock(Path.Combine(options.DataDirectory, $"instance-{i}.lock")) is { } held)
                    return new(string.Create(CultureInfo.InvariantCulture, $"{Environment.MachineName}-{i}"), held);
            }
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw new FatalWorkerException($"Aggregator:{nameof(WorkerOptions.DataDirectory)} is '{options.DataDirectory}'; it cannot be used: {e.Message}", e);
        }

        throw new FatalWorkerException($"Aggregator:{nameof(WorkerOptions.DataDirectory)} is '{options.DataDirectory}'; all {MaxInstances} instance names in it are taken.");
    }

    /// <summary>The ordinal at the end of a StatefulSet pod's name, or null outside Kubernetes and in pods without one.</summary>
    /// <param name="kubernetes">Set by Kubernetes in every pod.</param>
    /// <param name="host">Host name, which is the pod's name.</param>
    internal static int? PodOrdinal(string? kubernetes, string host)
    {
        if (string.IsNullOrEmpty(kubernetes)) return null;
        var digits = host.AsSpan(host.LastIndexOf('-') + 1);
        return int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var ordinal) ? ordinal : null;
    }

    /// <summary>Gives the name back.</summary>
    public void Dispose() => _lock?.Dispose();

    static FileStream? TryLock(string path)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        }
        catch (IOException) when (File.Exists(path))
        {
            return null; // held by another process
        }
    }
}
