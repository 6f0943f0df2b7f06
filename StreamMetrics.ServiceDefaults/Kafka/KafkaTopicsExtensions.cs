using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using StreamMetrics.ServiceDefaults.Kafka;

namespace Microsoft.Extensions.Hosting;

public static class KafkaTopicsExtensions
{
    /// <summary>
    /// Makes the start of the service wait until the brokers of <c>ConnectionStrings:kafka</c> answer and every topic of the product
    /// is there (<see cref="StreamMetrics.Contracts.Topics.All"/>); no worker starts before. Adds the health check <c>kafka</c>.
    /// </summary>
    public static TBuilder AddKafkaTopics<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddOptions<KafkaTopicsOptions>().BindConfiguration(KafkaTopicsOptions.Section).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<KafkaTopicsOptions>, KafkaTopicsOptionsValidator>();
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<KafkaAdmin>();
        builder.Services.AddHostedService<KafkaTopicInitialiser>();
        builder.Services.AddHealthChecks().AddCheck<KafkaHealthCheck>("kafka");
        return builder;
    }
}
