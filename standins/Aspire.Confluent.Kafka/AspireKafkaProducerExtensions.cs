using Aspire.Confluent.Kafka;
using Confluent.Kafka;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Microsoft.Extensions.Hosting;

public static class AspireKafkaProducerExtensions
{
    const string Section = "Aspire:Confluent:Kafka:Producer";

    public static void AddKafkaProducer<TKey, TValue>(this IHostApplicationBuilder builder, string connectionName) =>
        Add<TKey, TValue>(builder, connectionName, null, null);

    public static void AddKafkaProducer<TKey, TValue>(
        this IHostApplicationBuilder builder, string connectionName, Action<KafkaProducerSettings>? configureSettings) =>
        Add<TKey, TValue>(builder, connectionName, configureSettings, null);

    public static void AddKafkaProducer<TKey, TValue>(
        this IHostApplicationBuilder builder, string connectionName, Action<ProducerBuilder<TKey, TValue>>? configureBuilder) =>
        Add(builder, connectionName, null, Wrap(configureBuilder));

    public static void AddKafkaProducer<TKey, TValue>(
        this IHostApplicationBuilder builder,
        string connectionName,
        Action<IServiceProvider, ProducerBuilder<TKey, TValue>>? configureBuilder) =>
        Add(builder, connectionName, null, configureBuilder);

    public static void AddKafkaProducer<TKey, TValue>(
        this IHostApplicationBuilder builder,
        string connectionName,
        Action<KafkaProducerSettings>? configureSettings,
        Action<ProducerBuilder<TKey, TValue>>? configureBuilder) =>
        Add(builder, connectionName, configureSettings, Wrap(configureBuilder));

    public static void AddKafkaProducer<TKey, TValue>(
        this IHostApplicationBuilder builder,
        string connectionName,
        Action<KafkaProducerSettings>? configureSettings,
        Action<IServiceProvider, ProducerBuilder<TKey, TValue>>? configureBuilder) =>
        Add(builder, connectionName, configureSettings, configureBuilder);

    static void Add<TKey, TValue>(
        IHostApplicationBuilder builder,
        string connectionName,
        Action<KafkaProducerSettings>? configureSettings,
        Action<IServiceProvider, ProducerBuilder<TKey, TValue>>? configureBuilder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(connectionName);
        var settings = Settings(builder, connectionName, configureSettings);
        builder.Services.AddSingleton(services => Build(services, settings, configureBuilder));
    }

    static KafkaProducerSettings Settings(IHostApplicationBuilder builder, string connectionName, Action<KafkaProducerSettings>? configure)
    {
        var settings = new KafkaProducerSettings();
        foreach (var section in new[] { Section, $"{Section}:{connectionName}" })
        {
            builder.Configuration.GetSection(section).Bind(settings);
            builder.Configuration.GetSection($"{section}:Config").Bind(settings.Config);
        }

        settings.ConnectionString = builder.Configuration.GetConnectionString(connectionName) ?? settings.ConnectionString;
        configure?.Invoke(settings);
        settings.Consolidate();
        return settings;
    }

    static IProducer<TKey, TValue> Build<TKey, TValue>(
        IServiceProvider services, KafkaProducerSettings settings, Action<IServiceProvider, ProducerBuilder<TKey, TValue>>? configure)
    {
        settings.Validate();
        var client = new ProducerBuilder<TKey, TValue>(settings.Config);
        configure?.Invoke(services, client);
        var logger = services.GetRequiredService<ILoggerFactory>().CreateLogger(Log.Category);
        try
        {
            client.SetLogHandler((_, message) => Log.Forward(logger, message));
        }
        catch (InvalidOperationException)
        {
            Log.HandlerAlreadySet(logger);
        }

        return client.Build();
    }

    static Action<IServiceProvider, ProducerBuilder<TKey, TValue>>? Wrap<TKey, TValue>(Action<ProducerBuilder<TKey, TValue>>? action) =>
        action is null ? null : (_, builder) => action(builder);
}
