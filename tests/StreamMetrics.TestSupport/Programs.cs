namespace StreamMetrics.TestSupport;

/// <summary>Finds programs of the machine.</summary>
static class Programs
{
    /// <summary>Full path of a program on PATH, or null.</summary>
    public static string? OnPath(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    /// <summary>Full path of a program that must be there.</summary>
    /// <exception cref="InvalidOperationException">It is not.</exception>
    public static string Require(string name) => OnPath(name) ?? throw new InvalidOperationException($"{name} is not installed (not on PATH).");

    /// <summary>Full path of a program of PostgreSQL: on PATH, or of the newest version in Debian's folders.</summary>
    /// <exception cref="InvalidOperationException">PostgreSQL is not installed.</exception>
    public static string Postgres(string name)
    {
        const string Versions = "/usr/lib/postgresql";
        var installed = Directory.Exists(Versions)
            ? Directory.GetDirectories(Versions).OrderByDescending(v => int.TryParse(Path.GetFileName(v), out var n) ? n : 0).Select(v => Path.Combine(v, "bin", name))
            : [];
        return OnPath(name) ?? installed.FirstOrDefault(File.Exists)
            ?? throw new InvalidOperationException($"{name} of PostgreSQL is neither on PATH nor in {Versions}/*/bin.");
    }
}
