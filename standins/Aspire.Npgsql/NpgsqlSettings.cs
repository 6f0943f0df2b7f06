namespace Aspire.Npgsql;

/// <summary>Settings of the PostgreSQL client; the section <c>Aspire:Npgsql</c> binds to it.</summary>
public sealed class NpgsqlSettings
{
    public string? ConnectionString { get; set; }

    public bool DisableHealthChecks { get; set; }

    public bool DisableTracing { get; set; }

    public bool DisableMetrics { get; set; }
}
