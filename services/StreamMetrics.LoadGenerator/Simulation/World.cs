using System.Globalization;
using StreamMetrics.Contracts;

namespace StreamMetrics.LoadGenerator.Simulation;

/// <summary>The simulated services: every series with its weight. The same options give the same world.</summary>
sealed class World
{
    const double ServiceSkew = 0.5;
    const double SeriesSkew = 0.8;
    const double ClientErrorShare = 0.02;

    // How many of the events of a service each metric has.
    const double ApiShare = 0.70;
    const double DatabaseShare = 0.20;
    const double CounterShare = 0.07;
    const double GaugeShare = 0.03;

    static readonly string[] Regions = ["us-east-1", "eu-west-1", "ap-southeast-2"];
    static readonly string[] Operations = ["select", "insert", "update", "delete"];

    static readonly (string Method, string Path, double MedianMs)[] Endpoints =
    [
        ("GET", "", 18), ("POST", "", 85), ("GET", "/{id}", 9), ("GET", "/search", 42),
        ("PUT", "/{id}", 55), ("DELETE", "/{id}", 30), ("GET", "/{id}/status", 6), ("POST", "/batch", 210),
    ];

    readonly List<SimulatedSeries> _series = [];
    readonly LoadGeneratorOptions _options;
    readonly RandomSource _random;

    World(LoadGeneratorOptions options)
    {
        _options = options;
        _random = new(options.Seed);
        for (var i = 0; i < options.Services; i++)
        {
            var count = options.Series / options.Services + (i < options.Series % options.Services ? 1 : 0);
            AddService(i, count, Math.Pow(1 + i, -ServiceSkew));
        }

        foreach (var series in _series) series.Serialise();
        Choice = new([.. _series.Select(s => s.Weight)]);
    }

    public IReadOnlyList<SimulatedSeries> Series => _series;

    /// <summary>Chooses a series by weight.</summary>
    public WeightedChoice Choice { get; }

    public static World Create(LoadGeneratorOptions options) => new(options);

    void AddService(int index, int count, double weight)
    {
        var (service, resource) = ServiceNames.Get(index);
        var gauges = Math.Max(1, count / 25);
        var counters = Math.Max(1, count / 12);
        var database = Math.Max(2, count / 6);
        AddApi(service, resource, count - gauges - counters - database, weight * ApiShare);
        Add(service, "db.query.duration", MetricTypes.DbQuery, "milliseconds", database, weight * DatabaseShare, i => (
            new() { ["operation"] = Operations[i % Operations.Length], ["table"] = Numbered(resource, i / Operations.Length) },
            new LatencyModel(_random.Between(0.8, 12), _options)));
        Add(service, "messages.processed", MetricTypes.Counter, "messages", counters, weight * CounterShare, i => (
            new() { ["queue"] = Numbered($"{resource}-events", i) }, new IncrementModel()));
        Add(service, "connections.active", MetricTypes.Gauge, "connections", gauges, weight * GaugeShare, i => (
            new() { ["pool"] = Numbered("main", i) }, new WanderingModel(20 + _random.Next(180))));
    }

    /// <summary>Each (region, endpoint) in three series: answered, refused, failed; shares of 4xx and 5xx as the options say.</summary>
    void AddApi(string service, string resource, int count, double weight)
    {
        (string Status, double Share, double Slowness)[] outcomes =
            [("200", 1 - ClientErrorShare - _options.ErrorShare, 1), ("404", ClientErrorShare, 0.4), ("500", _options.ErrorShare, 3)];
        var medians = new Dictionary<int, double>();
        Add(service, "api.request.duration", MetricTypes.HttpRequest, "milliseconds", count, weight, i =>
        {
            var combination = i / outcomes.Length;
            var endpoint = Endpoints[combination / Regions.Length % Endpoints.Length];
            var version = 1 + combination / Regions.Length / Endpoints.Length;
            var (status, _, slowness) = outcomes[i % outcomes.Length];
            if (!medians.TryGetValue(combination, out var median)) medians[combination] = median = endpoint.MedianMs * _random.Between(0.7, 1.6);
            return (
                new()
                {
                    ["endpoint"] = $"/api/v{version.ToString(CultureInfo.InvariantCulture)}/{resource}{endpoint.Path}",
                    ["method"] = endpoint.Method,
                    ["statusCode"] = status,
                    ["region"] = Regions[combination % Regions.Length],
                },
                new LatencyModel(median * slowness, _options));
        }, i => Popularity(i / outcomes.Length) * outcomes[i % outcomes.Length].Share);
    }

    void Add(
        string service, string name, string type, string unit, int count, double weight,
        Func<int, (Dictionary<string, string> Tags, ValueModel Values)> make, Func<int, double>? share = null)
    {
        share ??= Popularity;
        var scale = weight / Enumerable.Range(0, count).Sum(share);
        for (var i = 0; i < count; i++)
        {
            var (tags, values) = make(i);
            _series.Add(new()
            {
                ServiceId = service, MetricName = name, MetricType = type, Unit = unit, Tags = tags, Values = values, Weight = share(i) * scale,
            });
        }
    }

    /// <summary>Zipf: few endpoints have most of the traffic.</summary>
    static double Popularity(int rank) => Math.Pow(1 + rank, -SeriesSkew);

    static string Numbered(string name, int index) => index == 0 ? name : $"{name}-{(index + 1).ToString(CultureInfo.InvariantCulture)}";
}
