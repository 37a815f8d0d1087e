using System.Globalization;

namespace Adjoint.Experiments;

/// <summary>When a claim holds: data, written beside every verdict.</summary>
public abstract record Rule
{
    /// <summary>The rule in words.</summary>
    public abstract string Text { get; }

    /// <summary>The comparisons that it rests on; none while there are no trials.</summary>
    public abstract IReadOnlyList<Evidence> Weigh(CaseRuns runs);

    /// <summary>What was seen, in as few lines as say it, from trials and the comparisons of them.</summary>
    public virtual IReadOnlyList<Observation> Found(CaseRuns runs, IReadOnlyList<Evidence> evidence) => [.. evidence.Select(one => one.Compared)];

    /// <summary>The verdict, from comparisons whose p is adjusted.</summary>
    public abstract Verdict Decide(IReadOnlyList<Evidence> evidence);

    // A positive estimate, as it should be.
    private protected static Verdict ByOne(Evidence evidence) => !(evidence.AdjustedP <= Finding.Level)
        ? Verdict.Undecided
        : evidence.Estimate > 0 ? Verdict.Holds : Verdict.DoesNotHold;

    /// <summary>The difference of two cases, paired by seed (same order of samples, and where shapes agree the same first weights), with Welch's test told beside it.</summary>
    private protected static IEnumerable<Evidence> Difference(CaseRuns runs, Measure measure, string high, string low, double sign = 1)
    {
        var (a, b) = runs.Pairs(high, low, measure);
        if (a.Length == 0) yield break;
        var differences = Sample.Of([.. a.Zip(b, (x, y) => sign * (x - y))]);
        var (paired, welch) = (TTest.One(differences), TTest.Welch(Sample.Of(a), Sample.Of(b)));
        var (bottom, top) = measure.PossibleDifference(paired.Interval());
        var effect = EffectSize.OfOne(differences);
        yield return new(new(measure.Title, $"{Named(high, a.Average(), measure)} against {Named(low, b.Average(), measure)}"), differences.Mean, bottom, top, measure.Unit,
            $"paired {T(paired)}; Welch's {T(welch)}, p = {Number(welch.P)}", paired.P)
        {
            Effect = $"g = {Number(effect)}",
            SeedsNeeded = Power.SeedsOfPairs(Math.Abs(effect)),
            Seeds = a.Length,
        };
    }

    private protected static IEnumerable<Evidence> AgainstBound(
        string what, double[] values, double bound, string unit, double sign = 1, Measure? of = null)
    {
        if (values.Length == 0 || values.Any(double.IsNaN)) yield break;
        var sample = Sample.Of([.. values.Select(value => sign * (value - bound))]);
        var test = TTest.One(sample);
        var (low, high) = of?.PossibleDistance(test.Interval(), bound, sign) ?? test.Interval();
        var effect = EffectSize.OfOne(sample);
        yield return new(new(what, Quantity(values.Average(), unit)), sample.Mean, low, high, unit, T(test), test.P)
        {
            Effect = $"g = {Number(effect)}",
            SeedsNeeded = Power.SeedsOfPairs(Math.Abs(effect)),
            Seeds = values.Length,
        };
    }

    private protected static Observation Means(CaseRuns runs, Measure measure) =>
        new(measure.Title, string.Join(", ", runs.Cases.Select(one => (one.Label, Values: runs.Values(one.Label, measure))).Where(one => one.Values.Length > 0).Select(one => Named(one.Label, one.Values.Average(), measure))));

    // Labels may be numbers themselves: brackets keep them apart.
    private static string Named(string label, double value, Measure measure) => $"{label} ({Quantity(value, measure.Unit)})";

    // The space does not break: a number stays with its unit.
    private protected static string Quantity(double value, string unit) => $"{Number(value)}\u00A0{unit}";

    private protected static string T(TTest test) => $"t({(double.IsInteger(test.DegreesOfFreedom) ? Given(test.DegreesOfFreedom) : Number(test.DegreesOfFreedom))}) = {Number(test.T)}";

    /// <summary>A number for a reader: about three digits, two of small ones, powers of ten below a thousandth.</summary>
    internal static string Number(double value)
    {
        if (!double.IsFinite(value)) return "–";
        var size = Math.Abs(value);
        if (size is > 0 and < 0.001)
        {
            var parts = value.ToString("0.0E+0", CultureInfo.InvariantCulture).Split('E');
            return $"{Minus(parts[0])}·10{string.Concat(parts[1].Select(Superscript))}";
        }
        return Minus(value.ToString(size is >= 100 or 0 ? "0" : size >= 10 ? "0.0" : size >= 0.01 ? "0.00" : "0.0000", CultureInfo.InvariantCulture));

        static string Minus(string text) => text.Replace("-", "−", StringComparison.Ordinal);
        static char Superscript(char one) => one == '-' ? '⁻' : "⁰¹²³⁴⁵⁶⁷⁸⁹"[one - '0'];
    }

    /// <summary>A number that somebody wrote, with the digits that it has.</summary>
    private protected static string Given(double value) => value.ToString("0.####", CultureInfo.InvariantCulture).Replace("-", "−", StringComparison.Ordinal);
}

/// <summary>One case measures more than another.</summary>
public sealed record Higher(Measure Measure, string Case, string Than) : Rule
{
    /// <inheritdoc/>
    public override string Text => $"holds when {Measure.Title} of {Case} is above that of {Than} in a two-sided paired t-test by seed (adjusted p ≤ {Finding.Level}), does not hold when it is below, else undecided";

    /// <inheritdoc/>
    public override IReadOnlyList<Evidence> Weigh(CaseRuns runs) => [.. Difference(runs, Measure, Case, Than)];

    /// <inheritdoc/>
    public override Verdict Decide(IReadOnlyList<Evidence> evidence) => ByOne(evidence[0]);
}

/// <summary>One case measures less than another: it converges sooner, or loses less.</summary>
public sealed record Lower(Measure Measure, string Case, string Than) : Rule
{
    /// <inheritdoc/>
    public override string Text => $"holds when {Measure.Title} of {Case} is below that of {Than} in a two-sided paired t-test by seed (adjusted p ≤ {Finding.Level}), does not hold when it is above, else undecided";

    /// <inheritdoc/>
    public override IReadOnlyList<Evidence> Weigh(CaseRuns runs) => [.. Difference(runs, Measure, Case, Than, -1)];

    /// <inheritdoc/>
    public override Verdict Decide(IReadOnlyList<Evidence> evidence) => ByOne(evidence[0]);
}

/// <summary>Two cases differ, in either direction.</summary>
public sealed record Differ(Measure Measure, string Case, string Other) : Rule
{
    /// <inheritdoc/>
    public override string Text => $"holds when {Measure.Title} differs in a two-sided paired t-test by seed (adjusted p ≤ {Finding.Level}), else undecided: no difference found is no proof of none";

    /// <inheritdoc/>
    public override IReadOnlyList<Evidence> Weigh(CaseRuns runs) => [.. Difference(runs, Measure, Case, Other)];

    /// <inheritdoc/>
    public override Verdict Decide(IReadOnlyList<Evidence> evidence) => evidence[0].AdjustedP <= Finding.Level ? Verdict.Holds : Verdict.Undecided;
}

/// <summary>A number that was reported is met again.</summary>
public sealed record Near(Measure Measure, string Case, double Reported, double Margin) : Rule
{
    /// <inheritdoc/>
    public override string Text => $"holds when {Given(Reported)} {Measure.Unit} lies within {Given(Margin)} of the mean; does not hold when it lies further off, and outside of where one more run would fall 95 times in 100 (mean ± t·s·√(1 + 1/n)); else undecided, as it is below two seeds";

    /// <inheritdoc/>
    public override IReadOnlyList<Evidence> Weigh(CaseRuns runs)
    {
        var values = runs.Values(Case, Measure);
        if (values.Length == 0) return [];
        var sample = Sample.Of(values);
        var (low, high) = Measure.Possible(sample.NextInterval());
        return [new(new($"{Measure.Title} of {Case}", $"{Quantity(sample.Mean, Measure.Unit)}, reported {Given(Reported)}"), sample.Mean, low, high, Measure.Unit, "95 % prediction interval of one more run", double.NaN) { Seeds = values.Length }];
    }

    /// <inheritdoc/>
    public override Verdict Decide(IReadOnlyList<Evidence> evidence) => double.IsNaN(evidence[0].Low)
        ? Verdict.Undecided
        : Math.Abs(Reported - evidence[0].Estimate) <= Margin ? Verdict.Holds : Reported < evidence[0].Low || Reported > evidence[0].High ? Verdict.DoesNotHold : Verdict.Undecided;
}

/// <summary>A measure of one case lies above a bound, or below.</summary>
public sealed record Beyond(Measure Measure, string Case, double Bound, bool Above = true) : Rule
{
    /// <inheritdoc/>
    public override string Text => $"holds when {Measure.Title} of {Case} is {(Above ? "above" : "below")} {Given(Bound)} {Measure.Unit} in a two-sided one-sample t-test over seeds (adjusted p ≤ {Finding.Level}), does not hold when it is on the other side, else undecided";

    /// <inheritdoc/>
    public override IReadOnlyList<Evidence> Weigh(CaseRuns runs) =>
    [
        .. AgainstBound(
            $"{Measure.Title} of {Case}", runs.Values(Case, Measure), Bound, Measure.Unit, Above ? 1 : -1, Measure),
    ];

    /// <inheritdoc/>
    public override Verdict Decide(IReadOnlyList<Evidence> evidence) => ByOne(evidence[0]);
}

/// <summary>The measure falls as the factor, a number, doubles.</summary>
public sealed record Falling(Measure Measure, string Factor) : Rule
{
    /// <inheritdoc/>
    public override string Text => $"holds when the slope of {Measure.Title} over log₂ of {Factor}, a line fitted for each seed, is below 0 in a two-sided one-sample t-test over seeds (adjusted p ≤ {Finding.Level}), does not hold when it is above, else undecided";

    /// <inheritdoc/>
    public override IReadOnlyList<Evidence> Weigh(CaseRuns runs)
    {
        var cases = runs.Cases.Where(one => one.X > 0).ToArray();
        if (cases.Length < 2) return [];
        var seeds = cases.Select(one => runs.Of(one.Label).Keys).Aggregate((a, b) => [.. a.Intersect(b)]);
        var slopes = seeds.Select(seed => Trend.Slope([.. cases.Select(one => Math.Log2(one.X!.Value))], [.. cases.Select(one => Measure.Of(runs.Of(one.Label)[seed]))])).ToArray();
        return [.. AgainstBound($"slope of {Measure.Title} for each doubling of {Factor}", slopes, 0, Measure.Unit, -1)];
    }

    /// <inheritdoc/>
    public override Verdict Decide(IReadOnlyList<Evidence> evidence) => ByOne(evidence[0]);
}

/// <summary>One case measures more than every other.</summary>
public sealed record Top(Measure Measure, string Case) : Rule
{
    /// <inheritdoc/>
    public override string Text => $"holds when {Measure.Title} of {Case} is above that of every other case, each in a paired t-test by seed (adjusted p ≤ {Finding.Level}); does not hold when any other is above it so; else undecided";

    /// <inheritdoc/>
    public override IReadOnlyList<Evidence> Weigh(CaseRuns runs) => [.. runs.Cases.Where(other => other.Label != Case).SelectMany(other => Difference(runs, Measure, Case, other.Label))];

    /// <inheritdoc/>
    public override IReadOnlyList<Observation> Found(CaseRuns runs, IReadOnlyList<Evidence> evidence) => [Means(runs, Measure)];

    /// <inheritdoc/>
    public override Verdict Decide(IReadOnlyList<Evidence> evidence)
    {
        var verdicts = evidence.Select(ByOne).ToArray();
        return verdicts.Contains(Verdict.DoesNotHold) ? Verdict.DoesNotHold : verdicts.All(one => one == Verdict.Holds) ? Verdict.Holds : Verdict.Undecided;
    }
}

/// <summary>All cases measure as good as the same.</summary>
public sealed record Alike(Measure Measure, double Margin) : Rule
{
    /// <inheritdoc/>
    public override string Text => $"does not hold when a one-way analysis of variance finds a difference (adjusted p ≤ {Finding.Level}); holds when it finds none and any two cases are within {Given(Margin)} {Measure.Unit} of each other by two one-sided tests (p ≤ {Finding.Level}; all must pass, so no correction); else undecided: no difference found is no proof of none";

    /// <inheritdoc/>
    public override IReadOnlyList<Evidence> Weigh(CaseRuns runs)
    {
        var groups = runs.Cases.Select(one => runs.Values(one.Label, Measure)).ToArray();
        if (groups.Length < 2 || groups.Any(group => group.Length == 0)) return [];
        var anova = Anova.Of(groups);
        var means = groups.Select(group => group.Average()).ToArray();
        var worst = (from i in Enumerable.Range(0, groups.Length) from j in Enumerable.Range(0, i) let pairs = runs.Pairs(runs.Cases[i].Label, runs.Cases[j].Label, Measure) where pairs.A.Length > 0 select Equivalence.P(TTest.Paired(pairs.A, pairs.B), Margin)).DefaultIfEmpty(double.NaN).Max(p => double.IsNaN(p) ? 1 : p);
        return
        [
            new(Means(runs, Measure), means.Max() - means.Min(), double.NaN, double.NaN, Measure.Unit,
                $"F({anova.Groups - 1}, {anova.Count - anova.Groups}) = {Number(anova.F)}; largest p of equivalence {Number(worst)}", anova.P)
            {
                Effect = $"ω² = {Number(anova.OmegaSquared)}",
                Seeds = groups.Min(group => group.Length),
                EquivalenceP = worst,
            },
        ];
    }

    /// <inheritdoc/>
    public override Verdict Decide(IReadOnlyList<Evidence> evidence) => double.IsNaN(evidence[0].AdjustedP)
        ? Verdict.Undecided
        : evidence[0].AdjustedP <= Finding.Level ? Verdict.DoesNotHold : evidence[0].EquivalenceP <= Finding.Level ? Verdict.Holds : Verdict.Undecided;
}
