using System.Data.Common;
using System.Net.Sockets;
using System.Reflection;
using System.Text.RegularExpressions;
using Confluent.Kafka;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;
using StreamMetrics.Contracts;
using StreamMetrics.ServiceDefaults.Kafka;

namespace StreamMetrics.ServiceDefaults.Startup;

/// <summary>
/// Tells failures that a user can mend (configuration, connection strings, servers that are not there, ports in use) from defects
/// of the program. The first kind becomes one line on standard error and exit code 1; the second keeps its stack trace.
/// </summary>
static partial class StartupFailure
{
    const string KafkaKey = "ConnectionStrings:kafka";
    const string RedisKey = "ConnectionStrings:redis";
    const string PostgresKey = "ConnectionStrings:streammetrics";

    const BindingFlags Constants = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;

    static int s_installed;

    /// <summary>
    /// Covers what is thrown before there is a host to run: registrations read the configuration. Once per process.
    /// </summary>
    public static void HandleBeforeHostRuns()
    {
        if (Interlocked.Exchange(ref s_installed, 1) != 0) return;
        AppDomain.CurrentDomain.UnhandledException += (_, e) =>
        {
            if (e.ExceptionObject is Exception exception && Describe(exception) is { } line)
            {
                Report(line);
                Environment.Exit(1);
            }
        };
    }

    public static void Report(string line) => Console.Error.WriteLine($"error: {line}");

    /// <summary>The line to tell, or null when the exception is a defect of the program.</summary>
    public static string? Describe(Exception exception)
    {
        for (Exception? e = exception; e is not null; e = e is AggregateException { InnerExceptions: [var first, ..] } ? first : e.InnerException)
        {
            if (DescribeOne(e) is { } text) return OneLine(text);
        }

        return null;
    }

    static string? DescribeOne(Exception exception) => exception switch
    {
        StartupException => exception.Message,
        OptionsValidationException e => Describe(e),
        AddressInUseException => null,
        IOException { InnerException: AddressInUseException } => $"ASPNETCORE_URLS: {exception.Message}",
        SocketException { SocketErrorCode: SocketError.AccessDenied or SocketError.AddressNotAvailable or SocketError.AddressAlreadyInUse } =>
            $"ASPNETCORE_URLS: {exception.Message}",
        KafkaException e => KafkaSecurity.Describe(e.Error) ?? $"{KafkaKey}: {e.Error.Reason}",
        DbException => $"{PostgresKey}: {exception.Message}",
        TimeoutException when exception.Source == "Npgsql" => $"{PostgresKey}: {exception.Message}",
        _ when exception.GetType().FullName is "StackExchange.Redis.RedisConnectionException" => $"{RedisKey}: {exception.Message}",
        ArgumentException or FormatException => DescribeConnectionString(exception),
        InvalidOperationException { Source: "Confluent.Kafka" } when IsAboutSecurity(exception.Message) => $"{KafkaSecurityOptions.Section}: {exception.Message}",
        InvalidOperationException => DescribeConfiguration(exception.Message),
        _ => null,
    };

    static string Describe(OptionsValidationException exception)
    {
        var section = SectionOf(exception.OptionsType);
        return string.Join("; ", exception.Failures.Select(failure =>
        {
            var property = PropertyFailure().Match(failure);
            if (!property.Success) return failure;
            var text = property.Groups["text"].Value.Replace($"{exception.OptionsType.Name}.", "", StringComparison.Ordinal);
            return $"{section}:{property.Groups["name"].Value}: {text}";
        }));
    }

    /// <summary>
    /// The configuration section an options class binds to: its constant <c>Section</c> or <c>SectionName</c>, else its name without
    /// "Options". A validator knows the class only, but a user looks for the key.
    /// </summary>
    static string SectionOf(Type options)
    {
        var field = options.GetField("Section", Constants) ?? options.GetField("SectionName", Constants);
        if (field?.GetRawConstantValue() is string section) return section;
        return options.Name.EndsWith("Options", StringComparison.Ordinal) ? options.Name[..^"Options".Length] : options.Name;
    }

    static string? DescribeConnectionString(Exception exception) => exception.Source switch
    {
        "Npgsql" or "System.Data.Common" => $"{PostgresKey}: {exception.Message}",
        "StackExchange.Redis" => $"{RedisKey}: {exception.Message}",
        _ => null,
    };

    // What a client says of a key that it cannot read or decrypt, or of a mechanism it was not built with.
    static bool IsAboutSecurity(string message) =>
        message.StartsWith("ssl.", StringComparison.Ordinal) || message.StartsWith("sasl.", StringComparison.Ordinal) || message.StartsWith("security.", StringComparison.Ordinal);

    static string? DescribeConfiguration(string message)
    {
        if (message.StartsWith("Failed to convert configuration value", StringComparison.Ordinal)) return message;
        if (message.Contains("ConnectionStrings:", StringComparison.Ordinal)) return message;
        return message.StartsWith("No bootstrap servers configured", StringComparison.Ordinal) ? $"{KafkaKey}: {message}" : null;
    }

    static string OneLine(string text) => LineBreaks().Replace(text.Trim(), " ");

    // What source-generated validators write: "EventsPerSecond: The field QueryOptions.EventsPerSecond must be …".
    [GeneratedRegex(@"^(?:Property )?(?<name>\w+): (?<text>The .*)$", RegexOptions.Singleline)]
    private static partial Regex PropertyFailure();

    [GeneratedRegex(@"\s*[\r\n]+\s*")]
    private static partial Regex LineBreaks();
}
