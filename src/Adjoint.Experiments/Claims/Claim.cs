namespace Adjoint.Experiments;

/// <summary>What the trials say about a claim.</summary>
public enum Verdict
{
    /// <summary>The trials bear the claim out.</summary>
    Holds,

    /// <summary>The trials bear out the opposite of the claim.</summary>
    DoesNotHold,

    /// <summary>The trials do not tell whether the claim holds.</summary>
    Undecided,
}

/// <summary>Something said about an experiment, to be judged by its trials.</summary>
/// <param name="Text">The claim in words.</param>
/// <param name="Rules">What must be so for it to hold, all of them.</param>
public sealed record Claim(string Text, params IReadOnlyList<Rule> Rules);

/// <summary>Something seen, in words.</summary>
/// <param name="Of">The measure that was seen, such as "best validation accuracy of relu".</param>
/// <param name="Found">The numbers that were found.</param>
public sealed record Observation(string Of, string Found)
{
    /// <summary>Measure and numbers in a line.</summary>
    /// <returns>Measure and numbers, separated by a colon.</returns>
    public override string ToString() => $"{Of}: {Found}";
}

/// <summary>One comparison, with its numbers.</summary>
/// <param name="Compared">What is compared, and the numbers.</param>
/// <param name="Estimate">The estimated mean, or difference of means.</param>
/// <param name="Low">The low end of the estimate's 95 % interval.</param>
/// <param name="High">The high end of the estimate's 95 % interval.</param>
/// <param name="Unit">The unit of estimate and interval.</param>
/// <param name="Test">The test with its statistic.</param>
/// <param name="P">The test's p; NaN where there is none.</param>
public sealed record Evidence(
    Observation Compared, double Estimate, double Low, double High, string Unit, string Test, double P)
{
    /// <summary>The p after Holm's correction for all tests of the experiment.</summary>
    public double AdjustedP { get; init; } = double.NaN;

    /// <summary>
    /// The size of the effect in standard deviations (Hedges' g), or ω² of an analysis of variance.
    /// </summary>
    public string Effect { get; init; } = "";

    /// <summary>
    /// With how many seeds a test has a power of 80 % for an effect of the size seen; null where it would take too
    /// many, or does not apply.
    /// </summary>
    public int? SeedsNeeded { get; init; }

    /// <summary>
    /// For a claim that cases are alike: the largest p of the tests that two of them are; else NaN.
    /// </summary>
    public double EquivalenceP { get; init; } = double.NaN;

    /// <summary>The number of seeds that the comparison rests on.</summary>
    public int Seeds { get; init; }
}

/// <summary>A claim with its verdict.</summary>
/// <param name="Claim">The claim that was judged.</param>
/// <param name="Verdict">What the trials say about it.</param>
/// <param name="Found">
/// What was seen, a line for each rule, or for each of its comparisons; none without trials.
/// </param>
/// <param name="Evidence">The comparisons that the verdict rests on.</param>
public sealed record Finding(
    Claim Claim, Verdict Verdict, IReadOnlyList<Observation> Found, IReadOnlyList<Evidence> Evidence)
{
    /// <summary>The level of significance, 0.05: an adjusted p of at most this rules chance out.</summary>
    public const double Level = 0.05;

    /// <summary>Judges all claims of an experiment together, since Holm's correction counts all their tests.</summary>
    /// <param name="claims">The claims to judge.</param>
    /// <param name="runs">The complete trials.</param>
    /// <returns>A finding for each claim, in order.</returns>
    public static IReadOnlyList<Finding> Of(IReadOnlyList<Claim> claims, CaseRuns runs)
    {
        var weighed = claims
            .Select(claim => claim.Rules.Select(rule => (Rule: rule, Evidence: rule.Weigh(runs))).ToArray()).ToArray();
        var p = weighed.SelectMany(rules => rules.SelectMany(rule => rule.Evidence.Select(one => one.P)));
        var adjusted = new Queue<double>(Holm.Adjust([.. p]));
        return [.. claims.Zip(weighed, (claim, rules) =>
        {
            (Rule Rule, Evidence[] Evidence)[] judged =
            [
                .. rules.Select(rule => (rule.Rule,
                    rule.Evidence.Select(one => one with { AdjustedP = adjusted.Dequeue() }).ToArray())),
            ];
            var verdicts = judged.Select(rule =>
                rule.Evidence.Length == 0 ? Verdict.Undecided : rule.Rule.Decide(rule.Evidence)).ToArray();
            return new Finding(claim, All(verdicts),
                [.. judged.SelectMany(rule => rule.Rule.Found(runs, rule.Evidence))],
                [.. judged.SelectMany(rule => rule.Evidence)]);
        })];
    }

    // A claim holds when all its rules hold, and does not when one of them does not.
    internal static Verdict All(IReadOnlyCollection<Verdict> verdicts)
    {
        if (verdicts.Contains(Verdict.DoesNotHold)) return Verdict.DoesNotHold;
        return verdicts.All(one => one == Verdict.Holds) ? Verdict.Holds : Verdict.Undecided;
    }
}
