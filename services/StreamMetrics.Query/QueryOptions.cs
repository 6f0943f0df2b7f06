using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace StreamMetrics.Query;

/// <summary>Limits and timings of the query service; configuration section <c>Query</c>.</summary>
sealed class QueryOptions
{
    public const string Section = "Query";

    /// <summary>The options as they stand in the configuration, for what has to be decided before there are services.</summary>
    public static QueryOptions Of(IConfiguration configuration) => configuration.GetSection(Section).Get<QueryOptions>() ?? new();

    /// <summary>Longest span between <c>from</c> and <c>to</c>.</summary>
    [Range(typeof(TimeSpan), "01:00:00", "3660.00:00:00")] public TimeSpan MaxSpan { get; init; } = TimeSpan.FromDays(1_100);

    /// <summary>Most points of one series.</summary>
    [Range(1, 1_000_000)] public int MaxPoints { get; init; } = 11_000;

    /// <summary>Most series of one answer.</summary>
    [Range(1, 100_000)] public int MaxSeries { get; init; } = 1_000;

    /// <summary>Most stored windows that are read, and merged, for one answer.</summary>
    [Range(1, 10_000_000)] public int MaxWindowsRead { get; init; } = 100_000;

    [Range(1, 1_000)] public int MaxPercentiles { get; init; } = 20;

    [Range(1, 32)] public int MaxGroupBy { get; init; } = 8;

    [Range(1, 100_000)] public int MaxTop { get; init; } = 500;

    /// <summary>Most subscriptions of one WebSocket connection.</summary>
    [Range(1, 10_000)] public int MaxSubscriptions { get; init; } = 100;

    /// <summary>How deep the fields of a GraphQL operation may lie, introspection not counted.</summary>
    [Range(4, 100)] public int MaxGraphQLDepth { get; init; } = 12;

    /// <summary>Most that resolving an operation's fields may cost: 10 for each question that it puts to the stores.</summary>
    [Range(100, 1_000_000)] public int MaxGraphQLFieldCost { get; init; } = 1_000;

    /// <summary>Most objects that a GraphQL operation may be estimated to return.</summary>
    [Range(100, 100_000_000)] public int MaxGraphQLTypeCost { get; init; } = 50_000;

    /// <summary>Keys of which each request of the API has to carry one in <c>X-Api-Key</c>; without any the API is open.</summary>
    public IReadOnlyList<string> ApiKeys { get; init; } = [];

    /// <summary>Origins (<c>https://example.com</c>) whose browser pages may use the API beside its own; a single <c>*</c>: all. By default none.</summary>
    public IReadOnlyList<string> AllowedOrigins { get; init; } = [];

    /// <summary>Most requests a second of one client (API key, else token's subject, else address) to the API; it may save up as many for a burst. 0: no limit.</summary>
    [Range(0, 1_000_000)] public int RequestsPerSecond { get; init; } = 2_000;

    /// <summary>How far back Redis is asked; the archiver keeps this much there.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "1.00:00:00")] public TimeSpan HotSpan { get; init; } = TimeSpan.FromHours(1);

    /// <summary>
    /// How long after its end a point that was merged from smaller windows counts as final: the engine's grace plus the time the archiver
    /// may need. Stored windows say it themselves.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")] public TimeSpan FinalAfter { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long the list of a service's series is kept before Redis is asked again.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:05:00")] public TimeSpan CatalogAge { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest wait for Redis before PostgreSQL is asked instead.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00")] public TimeSpan HotTimeout { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Longest wait for PostgreSQL.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:10:00")] public TimeSpan ColdTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a store that failed is left alone before it is asked again.</summary>
    [Range(typeof(TimeSpan), "00:00:00.500", "00:05:00")] public TimeSpan StoreBreak { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Whether a store that does not answer at start stops the start. It does by default, because then its connection string is most
    /// likely wrong; later outages are borne in any case.
    /// </summary>
    public bool RequireStoresAtStart { get; init; } = true;

    /// <summary>How long the start waits for each store.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")] public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How often the state of the pipeline is read from Redis and Kafka.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:01:00")] public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Over how long the pipeline's rates are averaged.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")] public TimeSpan RateSpan { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Whether the service sends its own request durations as metric events.</summary>
    public bool SendOwnMetrics { get; init; } = true;
}

/// <summary>Rules that attributes cannot express.</summary>
sealed class QueryOptionsRules : IValidateOptions<QueryOptions>
{
    const int MinKeyLength = 16;

    public ValidateOptionsResult Validate(string? name, QueryOptions options)
    {
        for (var i = 0; i < options.ApiKeys.Count; i++)
        {
            // the value is a secret and stays out of the message
            if (options.ApiKeys[i].Length < MinKeyLength || options.ApiKeys[i].Any(c => c is < '!' or > '~'))
                return ValidateOptionsResult.Fail($"{QueryOptions.Section}:{nameof(options.ApiKeys)}:{i} must have at least {MinKeyLength} characters, printable ASCII without spaces.");
        }

        return Security.CrossOrigin.WhyInvalid(options.AllowedOrigins) is { } reason ? ValidateOptionsResult.Fail(reason) : ValidateOptionsResult.Success;
    }
}

[OptionsValidator]
sealed partial class QueryOptionsValidator : IValidateOptions<QueryOptions>;
