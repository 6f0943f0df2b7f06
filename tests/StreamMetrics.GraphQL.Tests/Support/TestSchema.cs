using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using HotChocolate;
using HotChocolate.CostAnalysis.Types;
using HotChocolate.Types;

namespace StreamMetrics.GraphQL.Tests.Support;

public enum Color
{
    Red,
    DarkBlue,
    [GraphQLDeprecated("It hurts.")] Yellow,
}

[GraphQLDescription("Where something is.")]
public sealed record Point(int X, int Y = 7, Color? Color = null);

public sealed record Shape(string Name, IReadOnlyList<Point> Corners, Point? Center = null);

/// <summary>An object with a field of each kind.</summary>
[SuppressMessage("Performance", "CA1822", Justification = "The fields of the schema are instance members.")]
public sealed class Thing(string name)
{
    public string Name => name;

    public int? Nothing => null;

    public long Large => long.MaxValue;

    public double NotANumber => double.NaN;

    public string MustNotBeNull => null!;

    public string Throws => throw new InvalidOperationException("a secret");

    public Color Color => Color.DarkBlue;

    [ListSize(AssumedSize = 10)]
    public IReadOnlyList<string?> Words => ["a", null, "c"];

    public IReadOnlyList<string> WordsWithoutNull => ["a", null!, "c"];

    [Cost(5)]
    public Thing Self => this;

    public Thing? Other => new(name + "'");

    [ListSize(AssumedSize = 3)]
    public IReadOnlyList<Thing> Things => [new("1"), new("2"), new("3")];

    [GraphQLDeprecated("Use name.")]
    public string? OldName => name;
}

/// <summary>A service that resolvers get.</summary>
public sealed class Journal
{
    readonly List<string> _entries = [];

    public IReadOnlyList<string> Entries => _entries;

    public void Add(string entry)
    {
        lock (_entries) _entries.Add(entry);
    }
}

[SuppressMessage("Performance", "CA1822", Justification = "The fields of the schema are instance members.")]
public sealed class Query
{
    public string Hello => "world";

    public Thing Thing => new("thing");

    public Thing? MaybeThing(bool isThere = false) => isThere ? new("maybe") : null;

    public async Task<Thing?> GetLaterAsync(TimeProvider time, CancellationToken token, int milliseconds = 0)
    {
        if (milliseconds > 0) await Task.Delay(TimeSpan.FromMilliseconds(milliseconds), time, token);
        return new("later");
    }

    public string Text(string value, string? more = null) => value + more;

    public string Numbers(int i = 1, long l = 2, double d = 3, bool b = true) => FormattableString.Invariant($"{i} {l} {d} {b}");

    public string OfColor(Color color = Color.Red) => color.ToString();

    public string OfPoint(Point point) => point.ToString();

    public string OfShape(Shape? shape) => shape is null ? "none" : $"{shape.Name} {string.Join(';', shape.Corners)} {shape.Center}";

    public string OfList(IReadOnlyList<int?>? list) => list is null ? "none" : string.Join(',', list.Select(i => i?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "null"));

    public string OfLists(IReadOnlyList<IReadOnlyList<int>> lists) => string.Join('|', lists.Select(l => string.Join(',', l)));

    public string Refuses() => throw new GraphQLException(ErrorBuilder.New().SetMessage("no").SetCode("NO").SetExtension("why", "because").Build());
}

[SuppressMessage("Performance", "CA1822", Justification = "The fields of the schema are instance members.")]
public sealed class Mutation
{
    public async Task<int> AddAsync(int number, Journal journal, TimeProvider time)
    {
        journal.Add($"begin {number}");
        await Task.Delay(TimeSpan.FromMilliseconds(10 - number), time);
        journal.Add($"end {number}");
        return number;
    }
}

[SuppressMessage("Performance", "CA1822", Justification = "The fields of the schema are instance members.")]
public sealed class Subscription
{
    [Subscribe(With = nameof(CountAsync))]
    public Thing? Counted([EventMessage] int number) => number == 13 ? throw new InvalidOperationException("unlucky") : new($"{number}");

    public async IAsyncEnumerable<int> CountAsync(int from, int to, Journal journal, [EnumeratorCancellation] CancellationToken token, bool fails = false)
    {
        try
        {
            for (var i = from; i < to; i++)
            {
                yield return i;
                await Task.Yield();
                token.ThrowIfCancellationRequested();
            }

            if (fails) throw new GraphQLException("The source is dry.");
        }
        finally
        {
            journal.Add("the source is closed");
        }
    }

    [Subscribe(With = nameof(RefuseAsync))]
    public string Refused([EventMessage] string text) => text;

    public Task<IAsyncEnumerable<string>> RefuseAsync() => throw new GraphQLException("There is nothing to hear.");

    [Subscribe(With = nameof(WaitAsync))]
    public string Silence([EventMessage] string text) => text;

    public async IAsyncEnumerable<string> WaitAsync(Journal journal, TimeProvider time, [EnumeratorCancellation] CancellationToken token)
    {
        journal.Add("listening");
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, time, token);
        }
        finally
        {
            journal.Add("gone");
        }

        yield break;
    }
}
