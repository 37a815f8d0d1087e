using Adjoint.Training;

namespace Adjoint.Experiments;

/// <summary>The epochs of the trials of an experiment that are complete, by case and seed.</summary>
public sealed class CaseRuns
{
    private readonly Dictionary<string, SortedDictionary<ulong, IReadOnlyList<EpochResult>>> runs = [];

    /// <summary>No trials of these cases yet.</summary>
    public CaseRuns(IReadOnlyList<Case> cases)
    {
        Cases = cases;
        foreach (var one in cases) runs[one.Label] = [];
    }

    /// <summary>The cases, in order.</summary>
    public IReadOnlyList<Case> Cases { get; }

    /// <summary>Adds a trial.</summary>
    public void Add(string label, ulong seed, IReadOnlyList<EpochResult> epochs) => runs[label][seed] = epochs;

    /// <summary>The trials of a case, in order of their seeds.</summary>
    public IReadOnlyDictionary<ulong, IReadOnlyList<EpochResult>> Of(string label) => runs.TryGetValue(label, out var found)
        ? found
        : throw new AdjointException($"experiment: no case is called '{label}'{Spelling.Hint(label, runs.Keys)}");

    /// <summary>A measure of a case's trials, in order of their seeds.</summary>
    public double[] Values(string label, Measure measure) => [.. Of(label).Values.Select(measure.Of)];

    /// <summary>A measure of two cases, for the seeds that both have.</summary>
    public (double[] A, double[] B) Pairs(string a, string b, Measure measure)
    {
        var seeds = Of(a).Keys.Intersect(Of(b).Keys).ToArray();
        return ([.. seeds.Select(seed => measure.Of(Of(a)[seed]))], [.. seeds.Select(seed => measure.Of(Of(b)[seed]))]);
    }
}
