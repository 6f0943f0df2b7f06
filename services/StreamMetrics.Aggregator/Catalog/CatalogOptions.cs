namespace StreamMetrics.Aggregator.Catalog;

/// <summary>The service catalog.</summary>
sealed class CatalogOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Aggregator:Catalog";

    /// <summary>JSON file with what is known of each service (docs/service-catalog.md); empty: nothing is.</summary>
    public string File { get; set; } = "";
}
