using System.Globalization;

namespace StreamMetrics.LoadGenerator.Simulation;

/// <summary>The services of a shop and what their resources are called.</summary>
static class ServiceNames
{
    static readonly (string Service, string Resource)[] Known =
    [
        ("payment", "payments"), ("order", "orders"), ("cart", "carts"), ("catalog", "products"), ("user", "users"),
        ("auth", "tokens"), ("inventory", "stock"), ("search", "queries"), ("recommendation", "recommendations"), ("shipping", "shipments"),
        ("notification", "notifications"), ("pricing", "prices"), ("review", "reviews"), ("billing", "invoices"), ("checkout", "checkouts"),
        ("session", "sessions"), ("media", "images"), ("report", "reports"), ("fraud", "assessments"), ("loyalty", "points"),
        ("gateway", "routes"), ("coupon", "coupons"), ("return", "returns"), ("address", "addresses"), ("tax", "rates"),
        ("supplier", "suppliers"), ("warehouse", "bins"), ("email", "messages"), ("audit", "entries"), ("feature", "flags"),
    ];

    /// <summary>The name of a service and of its resource: <c>payment-service</c>, <c>payments</c>; beyond the known ones with a number.</summary>
    public static (string ServiceId, string Resource) Get(int index)
    {
        var (service, resource) = Known[index % Known.Length];
        var round = index / Known.Length;
        return round == 0 ? ($"{service}-service", resource) : ($"{service}-service-{(round + 1).ToString(CultureInfo.InvariantCulture)}", resource);
    }
}
