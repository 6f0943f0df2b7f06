namespace Aspire.Hosting.ApplicationModel;

public interface IValueProvider
{
    ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default);
}

public interface IManifestExpressionProvider
{
    string ValueExpression { get; }
}

public interface IExpressionValue : IValueProvider, IManifestExpressionProvider;

public interface IValueWithReferences
{
    IEnumerable<object> References { get; }
}

public abstract class ParameterDefault
{
    public abstract string GetDefaultValue();
}

/// <summary>A value made up at deployment; how, stands in the manifest.</summary>
public sealed class GenerateParameterDefault : ParameterDefault
{
    public int MinLength { get; set; }

    public bool Lower { get; set; } = true;

    public bool Upper { get; set; } = true;

    public bool Numeric { get; set; } = true;

    public bool Special { get; set; } = true;

    public override string GetDefaultValue() =>
        throw new NotSupportedException("Generating parameter values needs the real package Aspire.Hosting.AppHost.");
}

public class ParameterResource(string name, Func<ParameterDefault?, string> callback, bool secret = false) : Resource(name), IExpressionValue
{
    readonly Lazy<string> _value = new(() => callback(null));

    public bool Secret { get; } = secret;

    public ParameterDefault? Default { get; set; }

    public string ValueExpression => $"{{{Name}.value}}";

    public ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default) => new(Default is { } d ? d.GetDefaultValue() : _value.Value);
}
