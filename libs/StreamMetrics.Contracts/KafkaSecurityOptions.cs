namespace StreamMetrics.Contracts;

/// <summary>
/// How every Kafka client of the product identifies itself and protects what it sends: the section <c>Kafka:Security</c>. Files are PEM. The names of
/// protocols and mechanisms are Kafka's own (Apache Kafka documentation, "Security").
/// </summary>
public sealed class KafkaSecurityOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Kafka:Security";

    const string CertificateLabel = "-----BEGIN CERTIFICATE-----";
    const string KeyLabel = "PRIVATE KEY-----";

    static readonly string[] Protocols = ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"];
    static readonly string[] Mechanisms = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"];

    /// <summary><c>PLAINTEXT</c> (the default), <c>SSL</c> (TLS, with a client certificate: mTLS), <c>SASL_PLAINTEXT</c> or <c>SASL_SSL</c>.</summary>
    public string Protocol { get; set; } = "PLAINTEXT";

    /// <summary><c>PLAIN</c>, <c>SCRAM-SHA-256</c> or <c>SCRAM-SHA-512</c>; required with a SASL protocol.</summary>
    public string Mechanism { get; set; } = "";

    /// <summary>User name; required with a SASL protocol.</summary>
    public string User { get; set; } = "";

    /// <summary>Password; required with a SASL protocol. No message ever holds it.</summary>
    public string Password { get; set; } = "";

    /// <summary>File of the certificate authorities that brokers' certificates must come from; empty: those of the operating system.</summary>
    public string CaFile { get; set; } = "";

    /// <summary>File of the client's certificate (and the ones between it and its authority); with <see cref="KeyFile"/>.</summary>
    public string CertificateFile { get; set; } = "";

    /// <summary>File of the private key of <see cref="CertificateFile"/>.</summary>
    public string KeyFile { get; set; } = "";

    /// <summary>Password of <see cref="KeyFile"/>, when it has one. No message ever holds it.</summary>
    public string KeyPassword { get; set; } = "";

    bool UsesTls => Protocol.EndsWith("SSL", StringComparison.OrdinalIgnoreCase);

    bool UsesSasl => Protocol.StartsWith("SASL", StringComparison.OrdinalIgnoreCase);

    /// <summary>Checks every value, files included: they must be there and hold what they are to hold.</summary>
    /// <param name="section">The section that messages name.</param>
    /// <returns>One message per broken rule, naming key, value (never a password) and rule.</returns>
    public IReadOnlyList<string> Validate(string section = Section)
    {
        var errors = new List<string>();
        if (!IsOneOf(Protocols, Protocol))
        {
            Refuse(nameof(Protocol), Protocol, $"it must be {string.Join(", ", Protocols)}");
            return errors;
        }

        CheckSasl();
        CheckFile(nameof(CaFile), CaFile, CertificateLabel, "a certificate");
        CheckFile(nameof(CertificateFile), CertificateFile, CertificateLabel, "a certificate");
        CheckFile(nameof(KeyFile), KeyFile, KeyLabel, "a private key");
        if (CertificateFile.Length > 0 && KeyFile.Length == 0) Miss(nameof(KeyFile), $"{section}:{nameof(CertificateFile)} needs the key of the certificate");
        if (KeyFile.Length > 0 && CertificateFile.Length == 0) Miss(nameof(CertificateFile), $"{section}:{nameof(KeyFile)} needs its certificate");
        if (KeyPassword.Length > 0 && KeyFile.Length == 0) Miss(nameof(KeyFile), $"{section}:{nameof(KeyPassword)} is that of a key");
        return errors;

        void CheckSasl()
        {
            if (UsesSasl)
            {
                if (!IsOneOf(Mechanisms, Mechanism)) Refuse(nameof(Mechanism), Mechanism, $"{Protocol} needs one of {string.Join(", ", Mechanisms)}");
                if (User.Length == 0) Miss(nameof(User), $"{Protocol} needs a user");
                if (Password.Length == 0) Miss(nameof(Password), $"{Protocol} needs a password");
                return;
            }

            if (Mechanism.Length > 0) Refuse(nameof(Mechanism), Mechanism, $"{section}:{nameof(Protocol)} is {Protocol}, which has none: it must be SASL_SSL or SASL_PLAINTEXT");
            if (User.Length > 0) Refuse(nameof(User), User, $"{section}:{nameof(Protocol)} is {Protocol}, which has no users: it must be SASL_SSL or SASL_PLAINTEXT");
            if (Password.Length > 0) errors.Add($"{section}:{nameof(Password)} is set, but {section}:{nameof(Protocol)} is {Protocol}, which has no users.");
        }

        void CheckFile(string key, string path, string label, string what)
        {
            if (path.Length == 0) return;
            if (!UsesTls) Refuse(key, path, $"{section}:{nameof(Protocol)} is {Protocol}, which has no certificates: it must be SSL or SASL_SSL");
            else if (!File.Exists(path)) Refuse(key, path, "there is no such file");
            else if (Read(path, out var problem) is not { } text) Refuse(key, path, $"the file cannot be read ({problem})");
            else if (!text.Contains(label, StringComparison.Ordinal)) Refuse(key, path, $"the file holds no PEM block of {what}");
        }

        void Refuse(string key, string value, string rule) => errors.Add($"{section}:{key} is '{value}': {rule}.");

        void Miss(string key, string rule) => errors.Add($"{section}:{key} is not set: {rule}.");
    }

    /// <summary>The settings by librdkafka's names, which Confluent.Kafka takes as they are; none for PLAINTEXT.</summary>
    public IReadOnlyDictionary<string, string> ToSettings()
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal);
        if (!UsesTls && !UsesSasl) return settings;
        settings["security.protocol"] = Protocol.ToLowerInvariant();
        if (UsesSasl)
        {
            settings["sasl.mechanism"] = Mechanism.ToUpperInvariant();
            settings["sasl.username"] = User;
            settings["sasl.password"] = Password;
        }

        Add("ssl.ca.location", CaFile);
        Add("ssl.certificate.location", CertificateFile);
        Add("ssl.key.location", KeyFile);
        Add("ssl.key.password", KeyPassword);
        return settings;

        void Add(string name, string value)
        {
            if (value.Length > 0) settings[name] = value;
        }
    }

    static bool IsOneOf(string[] names, string name) => names.Contains(name, StringComparer.OrdinalIgnoreCase);

    static string? Read(string path, out string? problem)
    {
        try
        {
            problem = null;
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problem = e.Message;
            return null;
        }
    }
}
