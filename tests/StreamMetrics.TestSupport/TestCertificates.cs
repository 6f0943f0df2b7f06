using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace StreamMetrics.TestSupport;

/// <summary>A certificate authority of the test's own, which issues certificates as PEM files.</summary>
public sealed class TestCertificates : IDisposable
{
    static readonly TimeSpan Life = TimeSpan.FromDays(2);

    readonly string _folder;
    readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    readonly X509Certificate2 _authority;

    /// <summary>Creates the authority and writes its certificate.</summary>
    /// <param name="folder">Where all files go.</param>
    /// <param name="name">Its name, and the start of its file's name.</param>
    public TestCertificates(string folder, string name)
    {
        _folder = folder;
        var request = new CertificateRequest($"CN={name}", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        var now = TimeProvider.System.GetUtcNow();
        _authority = request.CreateSelfSigned(now - Life, now + Life);
        AuthorityFile = Write($"{name}.pem", _authority.ExportCertificatePem());
    }

    /// <summary>The authority's certificate: what a client trusts.</summary>
    public string AuthorityFile { get; }

    /// <summary>Issues a certificate for 127.0.0.1 and localhost.</summary>
    /// <param name="name">Its name, and the start of the files' names.</param>
    /// <param name="keyPassword">Encrypts the key; null: not at all.</param>
    /// <returns>The files of the certificate and of its key, and of both in one.</returns>
    public (string Certificate, string Key, string Both) Issue(string name, string? keyPassword = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new("1.3.6.1.5.5.7.3.1"), new("1.3.6.1.5.5.7.3.2")], critical: false));
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.Create(_authority, now - Life / 2, now + Life / 2, RandomNumberGenerator.GetBytes(16));
        var pem = certificate.ExportCertificatePem();
        var keyPem = keyPassword is null
            ? key.ExportPkcs8PrivateKeyPem()
            : key.ExportEncryptedPkcs8PrivateKeyPem(keyPassword, new(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 10_000));
        return (Write($"{name}.pem", pem), Write($"{name}.key", keyPem), Write($"{name}-both.pem", $"{keyPem}\n{pem}\n"));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _authority.Dispose();
        _key.Dispose();
    }

    string Write(string file, string pem)
    {
        var path = Path.Combine(_folder, file);
        File.WriteAllText(path, pem);
        return path;
    }
}
