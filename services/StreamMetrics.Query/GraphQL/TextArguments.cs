using System.Globalization;
using Microsoft.Extensions.Primitives;
using StreamMetrics.Query.GraphQL.Types;
using StreamMetrics.Query.Input;

namespace StreamMetrics.Query.GraphQL;

/// <summary>
/// Arguments as the text parameters that REST has, so that the same rules hold, with the same messages. What is not given is left out.
/// </summary>
sealed class TextArguments
{
    readonly List<KeyValuePair<string, StringValues>> _parameters = [];

    public ParameterReader Reader => new(_parameters);

    public TextArguments Text(string name, string? value)
    {
        if (value is not null) _parameters.Add(new(name, value));
        return this;
    }

    public TextArguments Integer(string name, int? value) => Text(name, value?.ToString(CultureInfo.InvariantCulture));

    /// <exception cref="InvalidRequestException">A value has a comma, which separates values.</exception>
    public TextArguments List(string name, IReadOnlyList<string>? values)
    {
        if (values?.FirstOrDefault(v => v.Contains(',', StringComparison.Ordinal)) is { } wrong) throw new InvalidRequestException(name, wrong, "must list values without commas");
        return Text(name, values is null or [] ? null : string.Join(',', values));
    }

    public TextArguments Percentiles(IReadOnlyList<double>? values) => List("percentiles", values?.Select(v => v.ToString(CultureInfo.InvariantCulture)).ToList());

    public TextArguments Include(bool provisional, bool sketch)
    {
        string[] included = [.. provisional ? (string[])["provisional"] : [], .. sketch ? (string[])["sketch"] : []];
        return List("include", included);
    }

    /// <summary>A key that is given twice stays twice: the reader tells of it.</summary>
    public TextArguments Tags(IReadOnlyList<TagInput>? tags)
    {
        foreach (var group in (tags ?? []).GroupBy(t => t.Key, StringComparer.OrdinalIgnoreCase))
            _parameters.Add(new("tags." + group.Key, group.Select(t => t.Value).ToArray()));
        return this;
    }
}
