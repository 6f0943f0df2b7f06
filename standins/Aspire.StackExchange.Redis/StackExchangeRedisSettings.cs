namespace Aspire.StackExchange.Redis;

/// <summary>Settings of the Redis client; the section <c>Aspire:StackExchange:Redis</c> binds to it.</summary>
public sealed class StackExchangeRedisSettings
{
    public string? ConnectionString { get; set; }

    /// <summary>True leaves connecting to the first use; false connects when the host starts.</summary>
    public bool DisableAutoActivation { get; set; }

    public bool DisableHealthChecks { get; set; }

    /// <summary>Has to be true here: spans of single commands need the real package.</summary>
    public bool DisableTracing { get; set; }
}
