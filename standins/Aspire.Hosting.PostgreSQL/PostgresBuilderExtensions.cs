using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting
{
    public static class PostgresBuilderExtensions
    {
        const string Image = "library/postgres";
        const string Tag = "17.6";

        public static IResourceBuilder<PostgresServerResource> AddPostgres(
            this IDistributedApplicationBuilder builder,
            string name,
            IResourceBuilder<ParameterResource>? userName = null,
            IResourceBuilder<ParameterResource>? password = null,
            int? port = null)
        {
            if (userName is not null) throw new NotSupportedException("Another user name needs the real package Aspire.Hosting.PostgreSQL.");
            var secret = password?.Resource ?? ParameterResourceBuilderExtensions.CreateDefaultPasswordParameter(builder, $"{name}-password");
            return builder.AddResource(new PostgresServerResource(name, secret))
                .WithEndpoint(port, targetPort: 5432, name: PostgresServerResource.EndpointName)
                .WithImage(Image, Tag)
                .WithImageRegistry("docker.io")
                .WithEnvironment("POSTGRES_HOST_AUTH_METHOD", "scram-sha-256")
                .WithEnvironment("POSTGRES_INITDB_ARGS", "--auth-host=scram-sha-256 --auth-local=scram-sha-256")
                .WithEnvironment("POSTGRES_USER", PostgresServerResource.UserName)
                .WithEnvironment(context => context.EnvironmentVariables["POSTGRES_PASSWORD"] = secret);
        }

        public static IResourceBuilder<PostgresDatabaseResource> AddDatabase(
            this IResourceBuilder<PostgresServerResource> builder, string name, string? databaseName = null) =>
            builder.ApplicationBuilder.AddResource(new PostgresDatabaseResource(name, databaseName ?? name, builder.Resource));

        public static IResourceBuilder<PostgresServerResource> WithDataVolume(
            this IResourceBuilder<PostgresServerResource> builder, string? name = null, bool isReadOnly = false)
        {
            if (name is null || isReadOnly) throw new NotSupportedException("A volume without a name, or read-only, needs the real package Aspire.Hosting.PostgreSQL.");
            return builder.WithVolume(name, "/var/lib/postgresql/data");
        }
    }
}

namespace Aspire.Hosting.ApplicationModel
{
    public class PostgresServerResource(string name, ParameterResource password) : ContainerResource(name), IResourceWithConnectionString
    {
        internal const string EndpointName = "tcp";
        internal const string UserName = "postgres";

        public EndpointReference PrimaryEndpoint => this.GetEndpoint(EndpointName);

        public ParameterResource PasswordParameter { get; } = password;

        public ReferenceExpression ConnectionStringExpression => ReferenceExpression.Create(
            $"Host={PrimaryEndpoint.Property(EndpointProperty.Host)};Port={PrimaryEndpoint.Property(EndpointProperty.Port)};Username={UserName};Password={PasswordParameter}");
    }

    public class PostgresDatabaseResource(string name, string databaseName, PostgresServerResource postgresParentResource)
        : Resource(name), IResourceWithParent<PostgresServerResource>, IResourceWithConnectionString
    {
        public PostgresServerResource Parent { get; } = postgresParentResource;

        public string DatabaseName { get; } = databaseName;

        public ReferenceExpression ConnectionStringExpression => ReferenceExpression.Create($"{Parent};Database={DatabaseName}");
    }
}
