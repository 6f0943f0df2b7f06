namespace StreamMetrics.ServiceDefaults.Startup;

/// <summary>
/// The service cannot start for a reason that its user can mend. The message is told as it is, in one line: it names the
/// configuration key, the value and the rule.
/// </summary>
public sealed class StartupException : Exception
{
    public StartupException(string message)
        : base(message)
    {
    }

    public StartupException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
