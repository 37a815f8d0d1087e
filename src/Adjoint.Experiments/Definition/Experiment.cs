using System.Globalization;

namespace Adjoint.Experiments;

/// <summary>One value of a factor: what it is called, and the settings that it stands for.</summary>
/// <param name="Label">The label of the value, such as <c>relu</c>.</param>
/// <param name="Settings">The settings that it stands for, by name.</param>
public sealed record Level(string Label, IReadOnlyDictionary<string, string> Settings);

/// <summary>What is varied.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Levels">Its values, in order; empty where <paramref name="Range"/> is given.</param>
/// <param name="Range">For random search: numbers of this range.</param>
public sealed record Factor(string Name, IReadOnlyList<Level> Levels, ValueRange? Range = null);

/// <summary>Numbers from which random search draws.</summary>
/// <param name="From">The smallest number drawn.</param>
/// <param name="To">The largest number drawn.</param>
/// <param name="IsLogarithmic">Whether orders of magnitude are equally likely, instead of values.</param>
public sealed record ValueRange(double From, double To, bool IsLogarithmic)
{
    /// <summary>The value at a share from 0 to 1 of the range, rounded to four digits, to be read and typed.</summary>
    /// <param name="share">The share of the range, from 0 to 1.</param>
    /// <returns>The value, rounded to four digits.</returns>
    public double At(double share)
    {
        var value = IsLogarithmic ? From * Math.Pow(To / From, share) : From + (To - From) * share;
        return double.Parse(value.ToString("G4", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
    }
}

/// <summary>One combination of levels.</summary>
/// <param name="Label">Its levels' labels, such as <c>relu, 0.1</c>.</param>
/// <param name="Settings">All settings that are not left at their defaults; without the seed.</param>
/// <param name="X">For an axis of numbers: the value of the only factor, where it is a number, else null.</param>
public sealed record Case(string Label, IReadOnlyDictionary<string, string> Settings, double? X);

/// <summary>Something to draw: a number of each epoch.</summary>
/// <param name="Number">As in a caption: Figure 1.</param>
/// <param name="Quantity">What is drawn over the epochs.</param>
/// <param name="Title">The title above the figure.</param>
public sealed record Plot(string Number, Quantity Quantity, string Title);

/// <summary>
/// One way to read what a source leaves open. Experiments that read the same source make the same claims in the same
/// order, and the report sets their verdicts side by side.
/// </summary>
/// <param name="Of">What is read: the same for all its readings.</param>
/// <param name="Label">This reading, in a few words.</param>
public sealed record Reading(string Of, string Label);

/// <summary>
/// An experiment as data: what is set, what is varied, how often it is repeated, what is measured, and what is claimed
/// about it.
/// </summary>
/// <param name="Name">Short; names files.</param>
/// <param name="Title">What it is about.</param>
/// <param name="Base">Settings of all trials.</param>
/// <param name="Factors">What is varied; none for a single case.</param>
/// <param name="Measure">The number by which cases are compared.</param>
public sealed record Experiment(string Name, string Title, IReadOnlyDictionary<string, string> Base,
    IReadOnlyList<Factor> Factors, Measure Measure)
{
    /// <summary>The seeds; each case runs with every one of them.</summary>
    public IReadOnlyList<ulong> Seeds { get; init; } = [1, 2, 3];

    /// <summary>How many combinations random search draws; null takes all of them.</summary>
    public int? Draws { get; init; }

    /// <summary>The seed of random search.</summary>
    public ulong DrawSeed { get; init; } = 1;

    /// <summary>What is said about it, to be judged. Without any, the cases are compared two by two.</summary>
    public IReadOnlyList<Claim> Claims { get; init; } = [];

    /// <summary>What is drawn.</summary>
    public IReadOnlyList<Plot> Plots { get; init; } = [];

    /// <summary>What was left open and had to be chosen, each with its reason.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];

    /// <summary>Which of several ways to read a source this is; null where there is one.</summary>
    public Reading? Reading { get; init; }

    /// <summary>The combinations, in order of the factors, the last one fastest; or as many as are drawn.</summary>
    /// <returns>Every combination once; fewer than drawn where there are too few.</returns>
    public IReadOnlyList<Case> Cases()
    {
        if (Draws is not { } draws)
        {
            IEnumerable<Level[]> all = [[]];
            foreach (var factor in Factors)
                all = all.SelectMany(_ => factor.Levels, (before, level) => (Level[])[.. before, level]);
            return [.. all.Select(CaseOf)];
        }
        var random = new Generator(DrawSeed, 0xD2A3);
        var (cases, labels) = (new List<Case>(), new HashSet<string>());
        // Equal combinations are drawn again; where there are too few, fewer cases come out.
        for (var attempt = 0; attempt < 100 * draws && cases.Count < draws; attempt++)
        {
            var shares = Tensor.Rand([Math.Max(1, Factors.Count)], random).ToArray<float>();
            var drawn = CaseOf([.. Factors.Zip(shares, Draw)]);
            if (labels.Add(drawn.Label)) cases.Add(drawn);
        }
        return cases;
    }

    private static Level Draw(Factor factor, float share)
    {
        var count = factor.Levels.Count;
        if (factor.Range is not { } range) return factor.Levels[Math.Min((int)(share * count), count - 1)];
        var value = range.At(share).ToString("R", CultureInfo.InvariantCulture);
        return new(value, new Dictionary<string, string> { [factor.Name] = value });
    }

    private Case CaseOf(Level[] levels)
    {
        var settings = Base.ToDictionary();
        foreach (var (name, value) in levels.SelectMany(level => level.Settings)) settings[name] = value;
        string[] labels = [.. levels.Select(level => level.Label)];
        double? x = labels is [var only]
            && double.TryParse(only, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;
        return new(labels.Length == 0 ? Title : string.Join(", ", labels), settings, x);
    }
}
