using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting
{
    public static class RedisBuilderExtensions
    {
        const string Image = "library/redis";
        const string Tag = "8.6";

        public static IResourceBuilder<RedisResource> AddRedis(
            this IDistributedApplicationBuilder builder, string name, int? port = null, IResourceBuilder<ParameterResource>? password = null)
        {
            // A comma ends a value in a StackExchange.Redis connection string, so no special characters.
            var secret = password?.Resource
                ?? ParameterResourceBuilderExtensions.CreateDefaultPasswordParameter(builder, $"{name}-password", special: false);
            return builder.AddResource(new RedisResource(name, secret))
                .WithEndpoint(port, targetPort: 6379, scheme: "redis", name: RedisResource.EndpointName)
                .WithImage(Image, Tag)
                .WithImageRegistry("docker.io")
                .WithEntrypoint("/bin/sh")
                .WithEnvironment(context => context.EnvironmentVariables["REDIS_PASSWORD"] = secret)
                .WithArgs("-c", "redis-server --requirepass $REDIS_PASSWORD");
        }

        public static IResourceBuilder<RedisResource> WithDataVolume(this IResourceBuilder<RedisResource> builder, string? name = null, bool isReadOnly = false)
        {
            if (name is null || isReadOnly) throw new NotSupportedException("A volume without a name, or read-only, needs the real package Aspire.Hosting.Redis.");
            return builder.WithVolume(name, "/data");
        }
    }
}

namespace Aspire.Hosting.ApplicationModel
{
    public class RedisResource(string name, ParameterResource password) : ContainerResource(name), IResourceWithConnectionString
    {
        internal const string EndpointName = "tcp";

        public EndpointReference PrimaryEndpoint => this.GetEndpoint(EndpointName);

        public ParameterResource? PasswordParameter { get; } = password;

        public ReferenceExpression ConnectionStringExpression =>
            ReferenceExpression.Create($"{PrimaryEndpoint.Property(EndpointProperty.HostAndPort)},password={PasswordParameter!}");
    }
}
