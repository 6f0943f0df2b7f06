using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StreamMetrics.Client;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers <see cref="StreamMetricsClient"/>.</summary>
public static class StreamMetricsServiceCollectionExtensions
{
    /// <summary>
    /// Adds a <see cref="StreamMetricsClient"/> that starts with the host and sends what is left when the host stops. Options that break a
    /// rule stop the start of the host.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">Sets the options.</param>
    /// <returns>The services.</returns>
    public static IServiceCollection AddStreamMetrics(this IServiceCollection services, Action<StreamMetricsClientOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        services.AddOptions<StreamMetricsClientOptions>().Configure(configure).ValidateOnStart();
        services.AddSingleton<IValidateOptions<StreamMetricsClientOptions>, StreamMetricsClientOptionsValidator>();
        services.AddSingleton(provider => new StreamMetricsClient(
            provider.GetRequiredService<IOptions<StreamMetricsClientOptions>>().Value,
            provider.GetService<ILogger<StreamMetricsClient>>(),
            provider.GetService<TimeProvider>()));
        services.AddHostedService<Starter>();
        return services;
    }

    /// <summary>Creates the client when the host starts, so that it measures from the beginning. The container disposes it.</summary>
    sealed class Starter(StreamMetricsClient client) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken)
        {
            client.Flush();
            return Task.CompletedTask;
        }
    }
}
