using StreamMetrics.Archiver.Tests.Support;
using StreamMetrics.TestSupport;
using Xunit;

namespace StreamMetrics.Archiver.Tests;

/// <summary>What a user can mend ends the start with one line and exit code 1.</summary>
public sealed class StartTests(EveryKafkaFixture kafkas, StoresFixture stores) : IClassFixture<EveryKafkaFixture>, IClassFixture<StoresFixture>
{
    [Theory]
    [InlineData("Archiver__MaxBatchRecords", "0", "error: Archiver:MaxBatchRecords: ")]
    [InlineData("Archiver__BatchDelay", "soon", "'Archiver:BatchDelay'")]
    [InlineData("Archiver__ConsumerGroup", "a b", "error: Archiver:ConsumerGroup: ")]
    [InlineData("ConnectionStrings__streammetrics", "", "ConnectionStrings:streammetrics")]
    [InlineData("ConnectionStrings__streammetrics", "Host=127.0.0.1;Nonsense=1", "error: ConnectionStrings:streammetrics: ")]
    [InlineData("ConnectionStrings__streammetrics", "Host=no-such-host.invalid;Username=u;Database=d", "host no-such-host.invalid")]
    [InlineData("ConnectionStrings__streammetrics", "POSTGRES;Database=nowhere", "\"nowhere\" does not exist")]
    [InlineData("ConnectionStrings__streammetrics", "Host=127.0.0.1;Port=1;Username=u;Database=d", "error: ConnectionStrings:streammetrics: Connection refused")]
    [InlineData("Archiver__Archive__Bucket", "UPPER", "error: Archiver:Archive:Bucket: ")]
    [InlineData("Archiver__Archive__Bucket", "cold", "error: Archiver:Archive:Bucket is 'cold'; it needs Archiver:Archive:Region or Archiver:Archive:Endpoint.")]
    [InlineData("Archiver__Archive__Endpoint", "host:9000", "error: Archiver:Archive:Endpoint is 'host:9000'; it must be an address")]
    [InlineData("Archiver__Archive__AccessKey", "k", "error: Archiver:Archive:AccessKey and Archiver:Archive:SecretKey must be set together")]
    [InlineData("Archiver__Archive__RetryInterval", "00:00:00", "error: Archiver:Archive:RetryInterval: ")]
    [InlineData("ConnectionStrings__redis", "", "ConnectionStrings:redis")]
    public async Task It_is_told_in_one_line(string key, string value, string expected)
    {
        var kafka = await kafkas.GetAsync(KafkaKind.Embedded);
        await kafka.CreateProductTopicsAsync();
        var setting = new ArchiverSetting(kafka, await stores.Postgres.CreateDatabaseAsync(), stores.Redis.ConnectionString);
        value = value.Replace("POSTGRES", stores.Postgres.ConnectionString("x"), StringComparison.Ordinal).Replace("Database=x;", "", StringComparison.Ordinal);
        await using var archiver = setting.StartArchiver(settings: [("Archiver__StartupTimeout", "00:00:01"), (key, value)]);
        var code = await archiver.WaitForExitAsync();
        Assert.True(code == 1, $"Exit code {code}.{archiver.Tail()}");
        var error = Assert.Single(archiver.Output, l => l.StartsWith("error: ", StringComparison.Ordinal));
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.DoesNotContain(archiver.Output, l => l.StartsWith("   at ", StringComparison.Ordinal) || l.Contains("Unhandled", StringComparison.Ordinal));
    }
}
