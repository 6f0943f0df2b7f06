namespace StreamMetrics.ServiceDefaults;

/// <summary>What goes to the host's builder of every service, before anything can be added to it.</summary>
public static class ServiceHost
{
    /// <summary>
    /// A command line argument: configuration files are read once, at the start. The default is to watch the whole content folder for
    /// changes (inotify, with all that is below it), which costs processor time where much is written there, and none of our options is
    /// read again while a service runs.
    /// </summary>
    public const string ReadConfigurationOnce = "--hostBuilder:reloadConfigOnChange=false";
}
