using Xunit;

namespace StreamMetrics.Contracts.Tests;

public sealed class KafkaSecurityOptionsTests : IDisposable
{
    const string Secret = "t0p-secret";

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("kafka-security-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Nothing_configured_is_plaintext_without_a_setting()
    {
        var options = new KafkaSecurityOptions();

        Assert.Empty(options.Validate());
        Assert.Empty(options.ToSettings());
    }

    [Theory]
    [InlineData("PLAIN")]
    [InlineData("SCRAM-SHA-256")]
    [InlineData("scram-sha-512")]
    public void A_user_becomes_the_settings_of_librdkafka(string mechanism)
    {
        var options = new KafkaSecurityOptions { Protocol = "sasl_ssl", Mechanism = mechanism, User = "u", Password = Secret, CaFile = Certificate("ca.pem") };

        Assert.Empty(options.Validate());
        Assert.Equal(
            new Dictionary<string, string>
            {
                ["security.protocol"] = "sasl_ssl", ["sasl.mechanism"] = mechanism.ToUpperInvariant(), ["sasl.username"] = "u", ["sasl.password"] = Secret,
                ["ssl.ca.location"] = options.CaFile,
            },
            options.ToSettings());
    }

    [Fact]
    public void A_client_certificate_becomes_the_settings_of_librdkafka()
    {
        var options = new KafkaSecurityOptions { Protocol = "SSL", CertificateFile = Certificate("client.pem"), KeyFile = Key("client.key"), KeyPassword = Secret };

        Assert.Empty(options.Validate());
        Assert.Equal(
            new Dictionary<string, string>
            {
                ["security.protocol"] = "ssl", ["ssl.certificate.location"] = options.CertificateFile, ["ssl.key.location"] = options.KeyFile, ["ssl.key.password"] = Secret,
            },
            options.ToSettings());
    }

    [Theory]
    [InlineData("TLS", "", "", "", "Kafka:Security:Protocol is 'TLS': it must be PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL.")]
    [InlineData("SASL_SSL", "GSSAPI", "u", Secret, "Kafka:Security:Mechanism is 'GSSAPI': SASL_SSL needs one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512.")]
    [InlineData("SASL_SSL", "PLAIN", "", Secret, "Kafka:Security:User is not set: SASL_SSL needs a user.")]
    [InlineData("SASL_PLAINTEXT", "PLAIN", "u", "", "Kafka:Security:Password is not set: SASL_PLAINTEXT needs a password.")]
    [InlineData("SSL", "PLAIN", "", "", "Kafka:Security:Mechanism is 'PLAIN': Kafka:Security:Protocol is SSL, which has none: it must be SASL_SSL or SASL_PLAINTEXT.")]
    [InlineData("PLAINTEXT", "", "u", "", "Kafka:Security:User is 'u': Kafka:Security:Protocol is PLAINTEXT, which has no users: it must be SASL_SSL or SASL_PLAINTEXT.")]
    [InlineData("SSL", "", "", Secret, "Kafka:Security:Password is set, but Kafka:Security:Protocol is SSL, which has no users.")]
    public void A_wrong_setting_is_told_with_its_key_and_rule_and_without_the_password(string protocol, string mechanism, string user, string password, string expected)
    {
        var error = Assert.Single(new KafkaSecurityOptions { Protocol = protocol, Mechanism = mechanism, User = user, Password = password }.Validate());

        Assert.Equal(expected, error);
        Assert.DoesNotContain(Secret, error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_must_be_there_and_hold_what_it_is_for()
    {
        var (certificate, key, missing) = (Certificate("client.pem"), Key("client.key"), Path.Combine(_folder.FullName, "none.pem"));

        Assert.Equal([$"Kafka:Security:CaFile is '{missing}': there is no such file."], Tls(caFile: missing));
        Assert.Equal([$"Kafka:Security:CaFile is '{key}': the file holds no PEM block of a certificate."], Tls(caFile: key));
        Assert.Equal([$"Kafka:Security:KeyFile is '{certificate}': the file holds no PEM block of a private key."], Tls(certificate: certificate, key: certificate));
        Assert.Equal(["Kafka:Security:KeyFile is not set: Kafka:Security:CertificateFile needs the key of the certificate."], Tls(certificate: certificate));
        Assert.Equal(["Kafka:Security:CertificateFile is not set: Kafka:Security:KeyFile needs its certificate."], Tls(key: key));
        Assert.Equal(["Kafka:Security:KeyFile is not set: Kafka:Security:KeyPassword is that of a key."], Tls(keyPassword: Secret));
        Assert.Equal(
            [$"Own:CaFile is '{certificate}': Own:Protocol is PLAINTEXT, which has no certificates: it must be SSL or SASL_SSL."],
            new KafkaSecurityOptions { CaFile = certificate }.Validate("Own"));
    }

    static IReadOnlyList<string> Tls(string caFile = "", string certificate = "", string key = "", string keyPassword = "") =>
        new KafkaSecurityOptions { Protocol = "SSL", CaFile = caFile, CertificateFile = certificate, KeyFile = key, KeyPassword = keyPassword }.Validate();

    string Certificate(string name) => Write(name, "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n");

    string Key(string name) => Write(name, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMA==\n-----END ENCRYPTED PRIVATE KEY-----\n");

    string Write(string name, string text)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, text);
        return path;
    }
}
