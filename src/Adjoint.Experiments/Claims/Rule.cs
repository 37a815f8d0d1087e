using System.Globalization;

namespace Adjoint.Experiments;

/// <summary>When a claim holds: data, written beside every verdict.</summary>
public abstract record Rule
{
    /// <summary>The rule in words.</summary>
    public abstract string Text { get; }

    /// <summary>Makes the comparisons that the rule rests on.</summary>
    /// <param name="runs">The complete trials.</param>
    /// <returns>The comparisons; none while there are no trials.</returns>
    public abstract IReadOnlyList<Evidence> Weigh(CaseRuns runs);

    /// <summary>What was seen, in as few lines as say it.</summary>
    /// <param name="runs">The complete trials.</param>
    /// <param name="evidence">What <see cref="Weigh"/> gave for them.</param>
    /// <returns>A line for each comparison, or fewer.</returns>
    public virtual IReadOnlyList<Observation> Found(CaseRuns runs, IReadOnlyList<Evidence> evidence) =>
        [.. evidence.Select(one => one.Compared)];

    /// <summary>Decides whether the claim holds.</summary>
    /// <param name="evidence">What <see cref="Weigh"/> gave, with adjusted p; at least one comparison.</param>
    /// <returns>The verdict by this rule alone.</returns>
    public abstract Verdict Decide(IReadOnlyList<Evidence> evidence);

    // A positive estimate, as it should be.
    private protected static Verdict ByOne(Evidence evidence) => !(evidence.AdjustedP <= Finding.Level)
        ? Verdict.Undecided
        : evidence.Estimate > 0 ? Verdict.Holds : Verdict.DoesNotHold;

    /// <summary>
    /// The difference of two cases, paired by seed (same order of samples, and where shapes agree the same initial
    /// weights), with Welch's test reported beside it.
    /// </summary>
    private protected static IEnumerable<Evidence> Difference(
        CaseRuns runs, Measure measure, string high, string low, double sign = 1)
    {
        var (a, b) = runs.Pairs(high, low, measure);
        if (a.Length == 0) yield break;
        var differences = Sample.Of([.. a.Zip(b, (x, y) => sign * (x - y))]);
        var (paired, welch) = (TTest.One(differences), TTest.Welch(Sample.Of(a), Sample.Of(b)));
        var (bottom, top) = measure.PossibleDifference(paired.Interval());
        var effect = EffectSize.OfOne(differences);
        var found = $"{Named(high, a.Average(), measure)} against {Named(low, b.Average(), measure)}";
        yield return new(new(measure.Title, found), differences.Mean, bottom, top, measure.Unit,
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

    private protected static Observation Means(CaseRuns runs, Measure measure)
    {
        var known = runs.Cases.Select(one => (one.Label, Values: runs.Values(one.Label, measure)))
            .Where(one => one.Values.Length > 0);
        return new(measure.Title,
            string.Join(", ", known.Select(one => Named(one.Label, one.Values.Average(), measure))));
    }

    // Labels may be numbers themselves: brackets keep them apart.
    private static string Named(string label, double value, Measure measure) =>
        $"{label} ({Quantity(value, measure.Unit)})";

    // The space does not break: a number stays with its unit.
    private protected static string Quantity(double value, string unit) => $"{Number(value)}\u00A0{unit}";

    private protected static string T(TTest test)
    {
        var freedom = test.DegreesOfFreedom;
        return $"t({(double.IsInteger(freedom) ? Given(freedom) : Number(freedom))}) = {Number(test.T)}";
    }

    /// <summary>
    /// A number for a reader: about three digits, two of small ones, powers of ten below a thousandth.
    /// </summary>
    internal static string Number(double value)
    {
        if (!double.IsFinite(value)) return "–";
        var size = Math.Abs(value);
        if (size is > 0 and < 0.001)
        {
            var parts = value.ToString("0.0E+0", CultureInfo.InvariantCulture).Split('E');
            return $"{Minus(parts[0])}·10{string.Concat(parts[1].Select(Superscript))}";
        }
        var format = size switch { 0 or >= 100 => "0", >= 10 => "0.0", >= 0.01 => "0.00", _ => "0.0000" };
        return Minus(value.ToString(format, CultureInfo.InvariantCulture));

        static string Minus(string text) => text.Replace("-", "−", StringComparison.Ordinal);
        static char Superscript(char one) => one == '-' ? '⁻' : "⁰¹²³⁴⁵⁶⁷⁸⁹"[one - '0'];
    }

    /// <summary>A number that somebody wrote, with the digits that it has.</summary>
    private protected static string Given(double value) =>
        value.ToString("0.####", CultureInfo.InvariantCulture).Replace("-", "−", StringComparison.Ordinal);
}
