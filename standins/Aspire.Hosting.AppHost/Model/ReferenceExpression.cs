using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>
/// Text with holes that are known only when the resources run; in the manifest the holes are names (<c>{redis.bindings.tcp.port}</c>).
/// </summary>
public sealed class ReferenceExpression : IExpressionValue, IValueWithReferences
{
    public static readonly ReferenceExpression Empty = new("", [], []);

    ReferenceExpression(string format, IValueProvider[] providers, string[] expressions)
    {
        Format = format;
        ValueProviders = providers;
        ManifestExpressions = expressions;
    }

    /// <summary>Composite format string; item n stands for provider n.</summary>
    public string Format { get; }

    public IReadOnlyList<IValueProvider> ValueProviders { get; }

    public IReadOnlyList<string> ManifestExpressions { get; }

    public string ValueExpression => string.Format(CultureInfo.InvariantCulture, Format, [.. ManifestExpressions]);

    IEnumerable<object> IValueWithReferences.References => ValueProviders;

    public static ReferenceExpression Create(in ExpressionInterpolatedStringHandler handler) => handler.Build();

    public async ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default)
    {
        var values = new object?[ValueProviders.Count];
        for (var i = 0; i < values.Length; i++) values[i] = await ValueProviders[i].GetValueAsync(cancellationToken).ConfigureAwait(false);
        return string.Format(CultureInfo.InvariantCulture, Format, values);
    }

    internal static ReferenceExpression From(StringBuilder format, List<IValueProvider> providers, List<string> expressions) =>
        new(format.ToString(), [.. providers], [.. expressions]);

    [InterpolatedStringHandler]
    public readonly ref struct ExpressionInterpolatedStringHandler(int literalLength, int formattedCount)
    {
        readonly StringBuilder _format = new(literalLength);
        readonly List<IValueProvider> _providers = new(formattedCount);
        readonly List<string> _expressions = new(formattedCount);

        public void AppendLiteral(string value) => _format.Append(Escape(value));

        public void AppendFormatted(string? value) => _format.Append(Escape(value ?? ""));

        public void AppendFormatted<T>(T valueProvider)
            where T : IValueProvider, IManifestExpressionProvider
        {
            _format.Append(CultureInfo.InvariantCulture, $"{{{_providers.Count}}}");
            _providers.Add(valueProvider);
            _expressions.Add(valueProvider.ValueExpression);
        }

        public void AppendFormatted<T>(IResourceBuilder<T> valueProvider)
            where T : IResource, IValueProvider, IManifestExpressionProvider => AppendFormatted(valueProvider.Resource);

        internal ReferenceExpression Build() => From(_format, _providers, _expressions);

        static string Escape(string text) => text.Replace("{", "{{", StringComparison.Ordinal).Replace("}", "}}", StringComparison.Ordinal);
    }
}

public sealed class ReferenceExpressionBuilder
{
    readonly StringBuilder _format = new();
    readonly List<IValueProvider> _providers = [];
    readonly List<string> _expressions = [];

    public bool IsEmpty => _format.Length == 0;

    public void AppendLiteral(string value) =>
        _format.Append(value.Replace("{", "{{", StringComparison.Ordinal).Replace("}", "}}", StringComparison.Ordinal));

    public void AppendFormatted<T>(T valueProvider)
        where T : IValueProvider, IManifestExpressionProvider
    {
        _format.Append(CultureInfo.InvariantCulture, $"{{{_providers.Count}}}");
        _providers.Add(valueProvider);
        _expressions.Add(valueProvider.ValueExpression);
    }

    public ReferenceExpression Build() => ReferenceExpression.From(_format, _providers, _expressions);
}
