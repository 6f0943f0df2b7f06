namespace StreamMetrics.AppHost.Local;

/// <summary>
/// Where the Aspire dashboard listens. Aspire takes this from its configuration, and some of it before the application's own code could
/// change it: so it goes in as command line settings.
/// </summary>
static class AspireDashboard
{
    /// <summary>Aspire's own name of the resource.</summary>
    public const string ResourceName = "aspire-dashboard";

    /// <summary>Aspire's own options, and the settings that are not in the environment already.</summary>
    public static string[] WithSettings(AppHostOptions options)
    {
        if (!options.Dashboard) return [.. options.ForAspire];
        var ports = new LocalPorts(options.PortOffset);
        (string Key, string Value)[] settings =
        [
            ("ASPNETCORE_URLS", Url(ports.Dashboard)),
            ("ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL", Url(ports.DashboardOtlpGrpc)),
            ("ASPIRE_DASHBOARD_OTLP_HTTP_ENDPOINT_URL", Url(ports.DashboardOtlpHttp)),

            // All of it stays on the loopback interface of a developer's machine: no certificates, no login.
            ("ASPIRE_ALLOW_UNSECURED_TRANSPORT", "true"),
            ("ASPIRE_DASHBOARD_UNSECURED_ALLOW_ANONYMOUS", "true"),
        ];
        return [.. options.ForAspire, .. settings.Where(s => string.IsNullOrEmpty(Environment.GetEnvironmentVariable(s.Key))).Select(s => $"--{s.Key}={s.Value}")];
    }

    public static string Url(int port) => FormattableString.Invariant($"http://127.0.0.1:{port}");
}
