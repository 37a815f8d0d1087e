namespace Adjoint.Experiments;

/// <summary>An experiment with its trials, and what they say about its claims.</summary>
/// <param name="Experiment">What was set, varied and claimed.</param>
/// <param name="Runs">Its complete trials.</param>
/// <param name="Findings">A verdict for each claim, in order.</param>
public sealed record ExperimentOutcome(Experiment Experiment, CaseRuns Runs, IReadOnlyList<Finding> Findings)
{
    private const int MostPairs = 15;

    /// <summary>Judges the experiment's claims; without any, compares its cases two by two, at most 15 pairs.</summary>
    /// <param name="experiment">The experiment to judge.</param>
    /// <param name="runs">Its complete trials.</param>
    /// <returns>The experiment with its trials and verdicts.</returns>
    public static ExperimentOutcome Of(Experiment experiment, CaseRuns runs)
    {
        var claims = experiment.Claims.Count > 0 ? experiment.Claims : [.. Pairs(experiment, runs).Take(MostPairs)];
        return new(experiment, runs, Finding.Of(claims, runs));
    }

    private static IEnumerable<Claim> Pairs(Experiment experiment, CaseRuns runs)
    {
        var labels = runs.Cases.Select(one => one.Label).ToArray();
        return
            from i in Enumerable.Range(0, labels.Length)
            from j in Enumerable.Range(i + 1, labels.Length - i - 1)
            select new Claim($"{labels[i]} and {labels[j]} differ",
                new Differ(experiment.Measure, labels[i], labels[j]));
    }
}
