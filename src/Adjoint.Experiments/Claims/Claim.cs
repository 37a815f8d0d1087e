namespace Adjoint.Experiments;

/// <summary>What the trials say about a claim.</summary>
public enum Verdict
{
    /// <summary>It is borne out.</summary>
    Holds,

    /// <summary>The opposite is.</summary>
    DoesNotHold,

    /// <summary>These trials do not tell.</summary>
    Undecided,
}

/// <summary>Something said about an experiment.</summary>
/// <param name="Text">In words.</param>
/// <param name="Rules">What must be so for it to hold, all of them.</param>
public sealed record Claim(string Text, params IReadOnlyList<Rule> Rules);

/// <summary>Something seen, in words.</summary>
/// <param name="Of">Of what: a measure.</param>
/// <param name="Found">The numbers.</param>
public sealed record Observation(string Of, string Found)
{
    /// <summary>Both in a line.</summary>
    public override string ToString() => $"{Of}: {Found}";
}

/// <summary>One comparison, with its numbers.</summary>
/// <param name="Compared">What is compared, and the numbers.</param>
/// <param name="Estimate">What was found.</param>
/// <param name="Low">The low end of its 95 % interval.</param>
/// <param name="High">The high end.</param>
/// <param name="Unit">Of these numbers.</param>
/// <param name="Test">The test with its statistic.</param>
/// <param name="P">The test's p; NaN where there is none.</param>
public sealed record Evidence(Observation Compared, double Estimate, double Low, double High, string Unit, string Test, double P)
{
    /// <summary>The p after Holm's correction for all tests of the experiment.</summary>
    public double AdjustedP { get; init; } = double.NaN;

    /// <summary>The size of the effect in deviations (Hedges' g), or ω² of an analysis of variance.</summary>
    public string Effect { get; init; } = "";

    /// <summary>With how many seeds a test would find an effect of the size seen four times in five; null where it would take too many, or does not apply.</summary>
    public int? SeedsNeeded { get; init; }

    /// <summary>For a claim that cases are alike: the largest p of the tests that two of them are; else NaN.</summary>
    public double EquivalenceP { get; init; } = double.NaN;

    /// <summary>How many seeds it rests on.</summary>
    public int Seeds { get; init; }
}

/// <summary>A claim judged.</summary>
/// <param name="Claim">What was said.</param>
/// <param name="Verdict">What the trials say about it.</param>
/// <param name="Found">What was seen, a line for each rule, or for each of its comparisons; none without trials.</param>
/// <param name="Evidence">The comparisons that the verdict rests on.</param>
public sealed record Finding(Claim Claim, Verdict Verdict, IReadOnlyList<Observation> Found, IReadOnlyList<Evidence> Evidence)
{
    /// <summary>Below this, adjusted, chance is ruled out.</summary>
    public const double Level = 0.05;

    /// <summary>Judges all claims of an experiment together, since Holm's correction counts all their tests.</summary>
    public static IReadOnlyList<Finding> Of(IReadOnlyList<Claim> claims, CaseRuns runs)
    {
        var weighed = claims.Select(claim => claim.Rules.Select(rule => (Rule: rule, Evidence: rule.Weigh(runs))).ToArray()).ToArray();
        var adjusted = new Queue<double>(Holm.Adjust([.. weighed.SelectMany(rules => rules.SelectMany(rule => rule.Evidence.Select(one => one.P)))]));
        return [.. claims.Zip(weighed, (claim, rules) =>
        {
            var judged = rules.Select(rule => (rule.Rule, Evidence: rule.Evidence.Select(one => one with { AdjustedP = adjusted.Dequeue() }).ToArray())).ToArray();
            var verdicts = judged.Select(rule => rule.Evidence.Length == 0 ? Verdict.Undecided : rule.Rule.Decide(rule.Evidence)).ToArray();
            var verdict = verdicts.Contains(Verdict.DoesNotHold) ? Verdict.DoesNotHold : verdicts.All(one => one == Verdict.Holds) ? Verdict.Holds : Verdict.Undecided;
            return new Finding(claim, verdict, [.. judged.SelectMany(rule => rule.Rule.Found(runs, rule.Evidence))], [.. judged.SelectMany(rule => rule.Evidence)]);
        })];
    }
}
