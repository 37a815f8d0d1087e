using Adjoint.Training;

namespace Adjoint.Experiments;

/// <summary>
/// The complete trials of an experiment, by case and seed: their epochs, and what the training doctor found.
/// </summary>
public sealed class CaseRuns
{
    private readonly Dictionary<string, SortedDictionary<ulong, IReadOnlyList<EpochResult>>> runs = [];
    private readonly Dictionary<string, SortedDictionary<ulong, IReadOnlyList<string>>> advice = [];

    /// <summary>Creates a collection that holds no trials yet.</summary>
    /// <param name="cases">The cases whose trials it will hold.</param>
    public CaseRuns(IReadOnlyList<Case> cases)
    {
        Cases = cases;
        foreach (var one in cases) (runs[one.Label], advice[one.Label]) = ([], []);
    }

    /// <summary>The cases, in order.</summary>
    public IReadOnlyList<Case> Cases { get; }

    /// <summary>Adds a trial, or replaces the one with the same case and seed.</summary>
    /// <param name="label">The label of its case.</param>
    /// <param name="seed">The seed of the trial.</param>
    /// <param name="epochs">Its epochs, the one before training first.</param>
    /// <param name="found">What the training doctor found, a line each.</param>
    public void Add(string label, ulong seed, IReadOnlyList<EpochResult> epochs, params IReadOnlyList<string> found) =>
        (runs[label][seed], advice[label][seed]) = (epochs, found);

    /// <summary>What the training doctor found in a case's trials.</summary>
    /// <param name="label">The label of the case.</param>
    /// <returns>
    /// Seed and findings of each trial, in order of the seeds; trials without a finding are left out.
    /// </returns>
    public IReadOnlyList<(ulong Seed, IReadOnlyList<string> Lines)> Advice(string label) =>
        [.. advice[label].Where(one => one.Value.Count > 0).Select(one => (one.Key, one.Value))];

    /// <summary>The epochs of a case's trials.</summary>
    /// <param name="label">The label of the case.</param>
    /// <returns>The epochs of each trial by its seed, in order of the seeds.</returns>
    public IReadOnlyDictionary<ulong, IReadOnlyList<EpochResult>> Of(string label) =>
        runs.TryGetValue(label, out var found)
        ? found
        : throw new AdjointException($"experiment: no case is called '{label}'{Suggestion.For(label, runs.Keys)}");

    /// <summary>A measure of a case's trials.</summary>
    /// <param name="label">The label of the case.</param>
    /// <param name="measure">The number to take of each trial.</param>
    /// <returns>A number for each trial, in order of their seeds.</returns>
    public double[] Values(string label, Measure measure) => [.. Of(label).Values.Select(measure.Of)];

    /// <summary>A measure of two cases, for the seeds that both have.</summary>
    /// <param name="a">The label of one case.</param>
    /// <param name="b">The label of the other.</param>
    /// <param name="measure">The number to take of each trial.</param>
    /// <returns>The numbers of either case, in the same order of seeds.</returns>
    public (double[] A, double[] B) Pairs(string a, string b, Measure measure)
    {
        var seeds = Of(a).Keys.Intersect(Of(b).Keys).ToArray();
        return ([.. seeds.Select(seed => measure.Of(Of(a)[seed]))], [.. seeds.Select(seed => measure.Of(Of(b)[seed]))]);
    }
}
