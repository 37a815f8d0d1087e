namespace Adjoint.Bench;

/// <summary>
/// A workload on so many threads with the cores lying so: each side's samples, its ratio to ours, and how many samples
/// on as many threads were dropped as unclear.
/// </summary>
internal sealed record Row(Workload Work, int Threads, Cores Cores, IReadOnlyDictionary<string, Summary> Sides,
    IReadOnlyDictionary<string, double> Ratios, int Dropped)
{
    /// <summary>The rows of one workload, first one thread, then two together, then two apart.</summary>
    internal static IReadOnlyList<Row> Of(Workload work, IReadOnlyCollection<Sample> samples)
    {
        var summaries = samples.Where(sample => sample.Cores != Cores.Unclear)
            .GroupBy(sample => (sample.Threads, sample.Cores))
            .OrderBy(group => group.Key).ToDictionary(group => group.Key, group => Summaries(work, group));
        var alone = summaries.GetValueOrDefault((1, Cores.One), []);
        int Dropped(int threads) => samples.Count(sample => sample.Threads == threads && sample.Cores == Cores.Unclear);
        return [.. summaries.Select(entry => new Row(work, entry.Key.Threads, entry.Key.Cores, entry.Value,
            Compare(entry.Value, alone), Dropped(entry.Key.Threads)))];
    }

    private static Dictionary<string, Summary> Summaries(Workload work, IEnumerable<Sample> samples) =>
        samples.GroupBy(sample => sample.Side).ToDictionary(side => side.Key, side => Summary.Of(work, [.. side]));

    // Another library that is faster on one thread may use one. Of ours from before, the same number is asked.
    private static Dictionary<string, double> Compare(
        Dictionary<string, Summary> sides, Dictionary<string, Summary> alone)
    {
        if (!sides.TryGetValue(Side.Ours, out var ours)) return [];
        double Alone(string side) =>
            side != Side.Before && alone.TryGetValue(side, out var found) ? found.Ms.Median : double.MaxValue;
        return sides.Where(side => side.Key != Side.Ours)
            .ToDictionary(side => side.Key, side => Math.Min(side.Value.Ms.Median, Alone(side.Key)) / ours.Ms.Median);
    }
}
