using Confluent.Kafka;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using StreamMetrics.Contracts;
using StreamMetrics.ServiceDefaults.Startup;

namespace StreamMetrics.ServiceDefaults.Kafka;

/// <summary>Where every Kafka client of a service gets its security settings (<c>Kafka:Security</c>) from.</summary>
public static class KafkaSecurity
{
    /// <summary>The settings by librdkafka's names; none when nothing is configured.</summary>
    /// <exception cref="StartupException">A setting breaks a rule, or a file is missing.</exception>
    public static IReadOnlyDictionary<string, string> Of(IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var options = configuration.GetSection(KafkaSecurityOptions.Section).Get<KafkaSecurityOptions>() ?? new();
        var errors = options.Validate();
        return errors.Count == 0 ? options.ToSettings() : throw new StartupException(string.Join(" ", errors));
    }

    /// <summary>Adds the settings to the configuration of a client of Confluent.Kafka.</summary>
    /// <returns>The same configuration.</returns>
    /// <exception cref="StartupException">A setting breaks a rule, or a file is missing.</exception>
    public static T WithSecurity<T>(this T client, IConfiguration configuration)
        where T : ClientConfig
    {
        ArgumentNullException.ThrowIfNull(client);
        foreach (var (name, value) in Of(configuration)) client.Set(name, value);
        return client;
    }

    /// <summary>
    /// What to tell when a broker refuses this client, or this client the broker: a password, a certificate or an authority that is wrong, which waiting does not
    /// mend. Null for other errors.
    /// </summary>
    public static string? Describe(Error error)
    {
        ArgumentNullException.ThrowIfNull(error);
        return error.Code switch
        {
            ErrorCode.Local_Authentication or ErrorCode.SaslAuthenticationFailed =>
                $"{KafkaSecurityOptions.Section}: the broker does not accept this user, password or mechanism ({error.Reason})",
            ErrorCode.Local_Ssl =>
                $"{KafkaSecurityOptions.Section}: no TLS connection to the broker; check Protocol, {nameof(KafkaSecurityOptions.CaFile)} and "
                + $"{nameof(KafkaSecurityOptions.CertificateFile)} ({error.Reason})",
            _ => null,
        };
    }
}

/// <summary>Stops the start when the security settings break a rule, whatever clients the service has.</summary>
sealed class KafkaSecurityOptionsValidator : IValidateOptions<KafkaSecurityOptions>
{
    public ValidateOptionsResult Validate(string? name, KafkaSecurityOptions options) =>
        options.Validate() is { Count: > 0 } errors ? ValidateOptionsResult.Fail(errors) : ValidateOptionsResult.Success;
}
