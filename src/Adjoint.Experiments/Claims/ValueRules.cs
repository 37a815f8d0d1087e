namespace Adjoint.Experiments;

/// <summary>A number that was reported is met again.</summary>
/// <param name="Measure">The number that is compared.</param>
/// <param name="Case">The label of the case.</param>
/// <param name="Reported">The number in the source, in the measure's unit.</param>
/// <param name="Margin">How far from it the mean may lie.</param>
public sealed record Near(Measure Measure, string Case, double Reported, double Margin) : Rule
{
    /// <inheritdoc/>
    public override string Text =>
        $"holds when {Given(Reported)} {Measure.Unit} lies within {Given(Margin)} of the mean; "
        + "does not hold when it lies farther away and outside the 95 % prediction interval of one more run "
        + "(mean ± t·s·√(1 + 1/n)); else undecided, as it is below two seeds";

    /// <inheritdoc/>
    public override IReadOnlyList<Evidence> Weigh(CaseRuns runs)
    {
        var values = runs.Values(Case, Measure);
        if (values.Length == 0) return [];
        var sample = Sample.Of(values);
        var (low, high) = Measure.Possible(sample.NextInterval());
        var found = $"{Quantity(sample.Mean, Measure.Unit)}, reported {Given(Reported)}";
        return
        [
            new(new($"{Measure.Title} of {Case}", found), sample.Mean, low, high, Measure.Unit,
                "95 % prediction interval of one more run", double.NaN)
            {
                Seeds = values.Length,
            },
        ];
    }

    /// <inheritdoc/>
    public override Verdict Decide(IReadOnlyList<Evidence> evidence)
    {
        var (mean, low, high) = (evidence[0].Estimate, evidence[0].Low, evidence[0].High);
        if (double.IsNaN(low)) return Verdict.Undecided;
        if (Math.Abs(Reported - mean) <= Margin) return Verdict.Holds;
        return Reported < low || Reported > high ? Verdict.DoesNotHold : Verdict.Undecided;
    }
}

/// <summary>A measure of one case lies above a bound, or below.</summary>
/// <param name="Measure">The number that is compared.</param>
/// <param name="Case">The label of the case.</param>
/// <param name="Bound">In the measure's unit.</param>
/// <param name="Above">Whether it lies above the bound, else below.</param>
public sealed record Beyond(Measure Measure, string Case, double Bound, bool Above = true) : Rule
{
    /// <inheritdoc/>
    public override string Text => $"holds when {Measure.Title} of {Case} is {(Above ? "above" : "below")} "
        + $"{Given(Bound)} {Measure.Unit} in a two-sided one-sample t-test over seeds (adjusted p ≤ {Finding.Level}), "
        + "does not hold when it is on the other side, else undecided";

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
/// <param name="Measure">The number that falls.</param>
/// <param name="Factor">The factor's name.</param>
public sealed record Falling(Measure Measure, string Factor) : Rule
{
    /// <inheritdoc/>
    public override string Text => $"holds when the slope of {Measure.Title} over log₂ of {Factor}, a line fitted for "
        + $"each seed, is below 0 in a two-sided one-sample t-test over seeds (adjusted p ≤ {Finding.Level}), does not "
        + "hold when it is above, else undecided";

    /// <inheritdoc/>
    public override IReadOnlyList<Evidence> Weigh(CaseRuns runs)
    {
        var cases = runs.Cases.Where(one => one.X > 0).ToArray();
        if (cases.Length < 2) return [];
        double[] x = [.. cases.Select(one => Math.Log2(one.X!.Value))];
        var seeds = cases.Select(one => runs.Of(one.Label).Keys).Aggregate((a, b) => [.. a.Intersect(b)]);
        double[] slopes = [.. seeds.Select(seed =>
            Trend.Slope(x, [.. cases.Select(one => Measure.Of(runs.Of(one.Label)[seed]))]))];
        return [.. AgainstBound($"slope of {Measure.Title} for each doubling of {Factor}", slopes, 0, Measure.Unit,
            -1)];
    }

    /// <inheritdoc/>
    public override Verdict Decide(IReadOnlyList<Evidence> evidence) => ByOne(evidence[0]);
}
