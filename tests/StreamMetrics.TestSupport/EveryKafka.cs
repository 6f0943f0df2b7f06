using System.Reflection;
using Xunit;
using Xunit.Sdk;

namespace StreamMetrics.TestSupport;

/// <summary>Which Kafka a test runs against.</summary>
public enum KafkaKind
{
    /// <summary>The embedded broker.</summary>
    Embedded,

    /// <summary>Three real brokers.</summary>
    Real,
}

/// <summary>
/// Gives a theory the row <see cref="KafkaKind.Embedded"/>. One test for both kinds: a theory with one parameter, this attribute and
/// <see cref="OnRealKafkaAttribute"/>, and <see cref="EveryKafkaFixture.GetAsync"/>.
/// </summary>
public sealed class OnEmbeddedKafkaAttribute : DataAttribute
{
    /// <inheritdoc/>
    public override IEnumerable<object[]> GetData(MethodInfo testMethod) => [[KafkaKind.Embedded]];
}

/// <summary>Gives a theory the row <see cref="KafkaKind.Real"/>; skipped, with the reason, where there is no real Kafka.</summary>
public sealed class OnRealKafkaAttribute : DataAttribute
{
    /// <summary>Creates the attribute.</summary>
    public OnRealKafkaAttribute() => Skip = RealKafka.Unavailable;

    /// <inheritdoc/>
    public override IEnumerable<object[]> GetData(MethodInfo testMethod) => [[KafkaKind.Real]];
}

/// <summary>Both kinds for a collection of test classes, each started when a test first asks for it.</summary>
public sealed class EveryKafkaFixture : IAsyncLifetime
{
    readonly SemaphoreSlim _starting = new(1);
    readonly Dictionary<KafkaKind, IKafkaUnderTest> _running = [];

    /// <summary>The Kafka of a kind.</summary>
    /// <param name="kind">The kind.</param>
    public async Task<IKafkaUnderTest> GetAsync(KafkaKind kind)
    {
        await _starting.WaitAsync();
        try
        {
            if (!_running.TryGetValue(kind, out var kafka))
                _running[kind] = kafka = kind == KafkaKind.Embedded ? await EmbeddedKafkaUnderTest.StartAsync() : await RealKafka.StartAsync();
            return kafka;
        }
        finally
        {
            _starting.Release();
        }
    }

    /// <inheritdoc/>
    public Task InitializeAsync() => Task.CompletedTask;

    /// <inheritdoc/>
    public async Task DisposeAsync()
    {
        foreach (var kafka in _running.Values) await kafka.DisposeAsync();
        _starting.Dispose();
    }
}
