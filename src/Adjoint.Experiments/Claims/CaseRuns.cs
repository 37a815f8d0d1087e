using Adjoint.Training;

namespace Adjoint.Experiments;

/// <summary>The trials of an experiment that are complete, by case and seed: their epochs, and what the training doctor said.</summary>
public sealed class CaseRuns
{
    private readonly Dictionary<string, SortedDictionary<ulong, IReadOnlyList<EpochResult>>> runs = [];
    private readonly Dictionary<string, SortedDictionary<ulong, IReadOnlyList<string>>> advice = [];

    /// <summary>No trials of these cases yet.</summary>
    public CaseRuns(IReadOnlyList<Case> cases)
    {
        Cases = cases;
        foreach (var one in cases) (runs[one.Label], advice[one.Label]) = ([], []);
    }

    /// <summary>The cases, in order.</summary>
    public IReadOnlyList<Case> Cases { get; }

    /// <summary>Adds a trial.</summary>
    public void Add(string label, ulong seed, IReadOnlyList<EpochResult> epochs, params IReadOnlyList<string> found) =>
        (runs[label][seed], advice[label][seed]) = (epochs, found);

    /// <summary>What the training doctor found in a case's trials, in order of their seeds; those without a finding are left out.</summary>
    public IReadOnlyList<(ulong Seed, IReadOnlyList<string> Lines)> Advice(string label) => [.. advice[label].Where(one => one.Value.Count > 0).Select(one => (one.Key, one.Value))];

    /// <summary>The trials of a case, in order of their seeds.</summary>
    public IReadOnlyDictionary<ulong, IReadOnlyList<EpochResult>> Of(string label) => runs.TryGetValue(label, out var found)
        ? found
        : throw new AdjointException($"experiment: no case is called '{label}'{Suggestion.For(label, runs.Keys)}");

    /// <summary>A measure of a case's trials, in order of their seeds.</summary>
    public double[] Values(string label, Measure measure) => [.. Of(label).Values.Select(measure.Of)];

    /// <summary>A measure of two cases, for the seeds that both have.</summary>
    public (double[] A, double[] B) Pairs(string a, string b, Measure measure)
    {
        var seeds = Of(a).Keys.Intersect(Of(b).Keys).ToArray();
        return ([.. seeds.Select(seed => measure.Of(Of(a)[seed]))], [.. seeds.Select(seed => measure.Of(Of(b)[seed]))]);
    }
}
