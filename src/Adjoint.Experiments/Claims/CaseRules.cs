namespace Adjoint.Experiments;

/// <summary>One case measures more than another.</summary>
/// <param name="Measure">The number that is compared.</param>
/// <param name="Case">The label of the case that measures more.</param>
/// <param name="Than">The label of the case that measures less.</param>
public sealed record Higher(Measure Measure, string Case, string Than) : Rule
{
    /// <inheritdoc/>
    public override string Text =>
        $"holds when {Measure.Title} of {Case} is above that of {Than} in a two-sided paired "
        + $"t-test by seed (adjusted p ≤ {Finding.Level}), does not hold when it is below, else undecided";

    /// <inheritdoc/>
    public override IReadOnlyList<Evidence> Weigh(CaseRuns runs) => [.. Difference(runs, Measure, Case, Than)];

    /// <inheritdoc/>
    public override Verdict Decide(IReadOnlyList<Evidence> evidence) => ByOne(evidence[0]);
}

/// <summary>One case measures less than another: it converges sooner, or loses less.</summary>
/// <param name="Measure">The number that is compared.</param>
/// <param name="Case">The label of the case that measures less.</param>
/// <param name="Than">The label of the case that measures more.</param>
public sealed record Lower(Measure Measure, string Case, string Than) : Rule
{
    /// <inheritdoc/>
    public override string Text =>
        $"holds when {Measure.Title} of {Case} is below that of {Than} in a two-sided paired "
        + $"t-test by seed (adjusted p ≤ {Finding.Level}), does not hold when it is above, else undecided";

    /// <inheritdoc/>
    public override IReadOnlyList<Evidence> Weigh(CaseRuns runs) => [.. Difference(runs, Measure, Case, Than, -1)];

    /// <inheritdoc/>
    public override Verdict Decide(IReadOnlyList<Evidence> evidence) => ByOne(evidence[0]);
}

/// <summary>Two cases differ, in either direction.</summary>
/// <param name="Measure">The number that is compared.</param>
/// <param name="Case">The label of one case.</param>
/// <param name="Other">The label of the other.</param>
public sealed record Differ(Measure Measure, string Case, string Other) : Rule
{
    /// <inheritdoc/>
    public override string Text => $"holds when {Measure.Title} differs in a two-sided paired t-test by seed (adjusted "
        + $"p ≤ {Finding.Level}), else undecided: finding no difference does not prove that there is none";

    /// <inheritdoc/>
    public override IReadOnlyList<Evidence> Weigh(CaseRuns runs) => [.. Difference(runs, Measure, Case, Other)];

    /// <inheritdoc/>
    public override Verdict Decide(IReadOnlyList<Evidence> evidence) =>
        evidence[0].AdjustedP <= Finding.Level ? Verdict.Holds : Verdict.Undecided;
}

/// <summary>One case measures more than every other.</summary>
/// <param name="Measure">The number that is compared.</param>
/// <param name="Case">The label of the case.</param>
public sealed record Top(Measure Measure, string Case) : Rule
{
    /// <inheritdoc/>
    public override string Text => $"holds when {Measure.Title} of {Case} is above that of every other case, each in a "
        + $"paired t-test by seed (adjusted p ≤ {Finding.Level}); does not hold when any other is above it by such a "
        + "test; else undecided";

    /// <inheritdoc/>
    public override IReadOnlyList<Evidence> Weigh(CaseRuns runs) =>
    [
        .. runs.Cases.Where(other => other.Label != Case)
            .SelectMany(other => Difference(runs, Measure, Case, other.Label)),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<Observation> Found(CaseRuns runs, IReadOnlyList<Evidence> evidence) =>
        [Means(runs, Measure)];

    /// <inheritdoc/>
    public override Verdict Decide(IReadOnlyList<Evidence> evidence) => Finding.All([.. evidence.Select(ByOne)]);
}

/// <summary>All cases measure the same within a margin.</summary>
/// <param name="Measure">The number that is compared.</param>
/// <param name="Margin">How far two cases may lie apart, in the measure's unit.</param>
public sealed record Alike(Measure Measure, double Margin) : Rule
{
    /// <inheritdoc/>
    public override string Text => "does not hold when a one-way analysis of variance finds a difference (adjusted p ≤ "
        + $"{Finding.Level}); holds when it finds none and any two cases are within {Given(Margin)} {Measure.Unit} of "
        + $"each other by two one-sided tests (p ≤ {Finding.Level}; all must pass, so no correction); else undecided: "
        + "finding no difference does not prove that there is none";

    /// <inheritdoc/>
    public override IReadOnlyList<Evidence> Weigh(CaseRuns runs)
    {
        var groups = runs.Cases.Select(one => runs.Values(one.Label, Measure)).ToArray();
        if (groups.Length < 2 || groups.Any(group => group.Length == 0)) return [];
        var anova = Anova.Of(groups);
        var means = groups.Select(group => group.Average()).ToArray();
        var equivalence =
            from i in Enumerable.Range(0, groups.Length)
            from j in Enumerable.Range(0, i)
            let pairs = runs.Pairs(runs.Cases[i].Label, runs.Cases[j].Label, Measure)
            where pairs.A.Length > 0
            select Equivalence.P(TTest.Paired(pairs.A, pairs.B), Margin);
        var worst = equivalence.DefaultIfEmpty(double.NaN).Max(p => double.IsNaN(p) ? 1 : p);
        var test = $"F({anova.Groups - 1}, {anova.Count - anova.Groups}) = {Number(anova.F)}";
        return
        [
            new(Means(runs, Measure), means.Max() - means.Min(), double.NaN, double.NaN, Measure.Unit,
                $"{test}; largest p of equivalence {Number(worst)}", anova.P)
            {
                Effect = $"ω² = {Number(anova.OmegaSquared)}",
                Seeds = groups.Min(group => group.Length),
                EquivalenceP = worst,
            },
        ];
    }

    /// <inheritdoc/>
    public override Verdict Decide(IReadOnlyList<Evidence> evidence) => evidence[0] switch
    {
        { AdjustedP: double.NaN } => Verdict.Undecided,
        { AdjustedP: <= Finding.Level } => Verdict.DoesNotHold,
        { EquivalenceP: <= Finding.Level } => Verdict.Holds,
        _ => Verdict.Undecided,
    };
}
