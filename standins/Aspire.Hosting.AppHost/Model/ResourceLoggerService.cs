using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>A line that a resource wrote; lines are counted from 1.</summary>
public readonly record struct LogLine(int LineNumber, string Content, bool IsErrorMessage);

/// <summary>What the resources wrote to their consoles: the newest lines of each, and whatever comes.</summary>
public class ResourceLoggerService(ILoggerFactory loggers)
{
    readonly ConcurrentDictionary<string, LineLog> _logs = new();

    public ILogger GetLogger(IResource resource) => GetLogger(resource.Name);

    public ILogger GetLogger(string resourceName) => loggers.CreateLogger($"Aspire.Hosting.Resources.{resourceName}");

    /// <summary>What is there already, then every new line.</summary>
    public IAsyncEnumerable<IReadOnlyList<LogLine>> WatchAsync(string resourceName) => Log(resourceName).WatchAsync();

    /// <summary>What is there already.</summary>
    public async IAsyncEnumerable<IReadOnlyList<LogLine>> GetAllAsync(string resourceName)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        yield return Log(resourceName).Newest();
    }

    internal void Add(string resourceId, string line, bool isError) => Log(resourceId).Add(line, isError);

    LineLog Log(string id) => _logs.GetOrAdd(id, _ => new());

    sealed class LineLog
    {
        const int MaxLines = 10_000;
        const int MaxBatch = 500;

        readonly Lock _lock = new();
        readonly Queue<LogLine> _lines = new();
        readonly List<Channel<LogLine>> _watchers = [];
        int _count;

        public void Add(string text, bool isError)
        {
            lock (_lock)
            {
                var line = new LogLine(++_count, text, isError);
                _lines.Enqueue(line);
                if (_lines.Count > MaxLines) _lines.Dequeue();
                foreach (var watcher in _watchers) watcher.Writer.TryWrite(line);
            }
        }

        public IReadOnlyList<LogLine> Newest()
        {
            lock (_lock) return [.. _lines];
        }

        public async IAsyncEnumerable<IReadOnlyList<LogLine>> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            // A reader that does not keep up loses the oldest lines, as the log itself does.
            var channel = Channel.CreateBounded<LogLine>(new BoundedChannelOptions(MaxLines) { FullMode = BoundedChannelFullMode.DropOldest });
            LogLine[] first;
            lock (_lock)
            {
                first = [.. _lines];
                _watchers.Add(channel);
            }

            try
            {
                if (first.Length > 0) yield return first;
                while (await channel.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
                {
                    var batch = new List<LogLine>();
                    while (batch.Count < MaxBatch && channel.Reader.TryRead(out var line)) batch.Add(line);
                    yield return batch;
                }
            }
            finally
            {
                lock (_lock) _watchers.Remove(channel);
            }
        }
    }
}
