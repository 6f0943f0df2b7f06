using Aspire.Confluent.Kafka;
using Confluent.Kafka;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Microsoft.Extensions.Hosting;

public static class AspireKafkaConsumerExtensions
{
    const string Section = "Aspire:Confluent:Kafka:Consumer";

    public static void AddKafkaConsumer<TKey, TValue>(this IHostApplicationBuilder builder, string connectionName) =>
        Add<TKey, TValue>(builder, connectionName, null, null);

    public static void AddKafkaConsumer<TKey, TValue>(
        this IHostApplicationBuilder builder, string connectionName, Action<KafkaConsumerSettings>? configureSettings) =>
        Add<TKey, TValue>(builder, connectionName, configureSettings, null);

    public static void AddKafkaConsumer<TKey, TValue>(
        this IHostApplicationBuilder builder, string connectionName, Action<ConsumerBuilder<TKey, TValue>>? configureBuilder) =>
        Add(builder, connectionName, null, Wrap(configureBuilder));

    public static void AddKafkaConsumer<TKey, TValue>(
        this IHostApplicationBuilder builder,
        string connectionName,
        Action<IServiceProvider, ConsumerBuilder<TKey, TValue>>? configureBuilder) =>
        Add(builder, connectionName, null, configureBuilder);

    public static void AddKafkaConsumer<TKey, TValue>(
        this IHostApplicationBuilder builder,
        string connectionName,
        Action<KafkaConsumerSettings>? configureSettings,
        Action<ConsumerBuilder<TKey, TValue>>? configureBuilder) =>
        Add(builder, connectionName, configureSettings, Wrap(configureBuilder));

    public static void AddKafkaConsumer<TKey, TValue>(
        this IHostApplicationBuilder builder,
        string connectionName,
        Action<KafkaConsumerSettings>? configureSettings,
        Action<IServiceProvider, ConsumerBuilder<TKey, TValue>>? configureBuilder) =>
        Add(builder, connectionName, configureSettings, configureBuilder);

    static void Add<TKey, TValue>(
        IHostApplicationBuilder builder,
        string connectionName,
        Action<KafkaConsumerSettings>? configureSettings,
        Action<IServiceProvider, ConsumerBuilder<TKey, TValue>>? configureBuilder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(connectionName);
        var settings = Settings(builder, connectionName, configureSettings);
        builder.Services.AddSingleton(services => Build(services, settings, configureBuilder));
    }

    static KafkaConsumerSettings Settings(IHostApplicationBuilder builder, string connectionName, Action<KafkaConsumerSettings>? configure)
    {
        var settings = new KafkaConsumerSettings();
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

    static IConsumer<TKey, TValue> Build<TKey, TValue>(
        IServiceProvider services, KafkaConsumerSettings settings, Action<IServiceProvider, ConsumerBuilder<TKey, TValue>>? configure)
    {
        settings.Validate();
        var client = new ConsumerBuilder<TKey, TValue>(settings.Config);
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

    static Action<IServiceProvider, ConsumerBuilder<TKey, TValue>>? Wrap<TKey, TValue>(Action<ConsumerBuilder<TKey, TValue>>? action) =>
        action is null ? null : (_, builder) => action(builder);
}
