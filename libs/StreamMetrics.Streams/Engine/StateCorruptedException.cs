namespace StreamMetrics.Streams;

/// <summary>The state topic does not hold what the engine wrote. What happens next: throw the partition's state away and restore.</summary>
/// <param name="message">Key, what was found, what was expected.</param>
/// <param name="inner">The cause.</param>
public sealed class StateCorruptedException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The state was written with options that give its records another meaning. What happens next: the process stops and says so.</summary>
/// <param name="message">The options then and now, and what to do.</param>
public sealed class StateIncompatibleException(string message) : Exception(message);
