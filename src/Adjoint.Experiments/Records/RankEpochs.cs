using System.Text.Json;
using Adjoint.Data;

namespace Adjoint.Experiments;

/// <summary>
/// What the ranks of a run did, epoch by epoch, as its <c>ranks.jsonl</c> has it. It is no part of the result: what is
/// damaged is left out, with all that comes after.
/// </summary>
public sealed class RankEpochs
{
    /// <summary>The name of the file in the folder of a run.</summary>
    internal const string FileName = "ranks.jsonl";

    private const int MaxBytes = 1 << 26;

    private readonly SortedDictionary<int, IReadOnlyList<RankMeasures>> epochs = [];

    private RankEpochs() { }

    /// <summary>The last epoch that was measured; 0 where none was.</summary>
    public int LastEpoch => epochs.Count == 0 ? 0 : epochs.Keys.Last();

    /// <summary>The ranks in the last epoch; none where there is no such file.</summary>
    public IReadOnlyList<RankMeasures> Last => epochs.Count == 0 ? [] : epochs[LastEpoch];

    /// <summary>
    /// The ranks over all epochs, by number: means of the samples per second, sums of everything else. The machine is
    /// that of the last epoch.
    /// </summary>
    public IReadOnlyList<RankMeasures> Overall =>
    [
        .. from one in epochs.Values.SelectMany(ranks => ranks)
           group one by one.Rank into of
           orderby of.Key
           select new RankMeasures(
               of.Key, of.Last().Host, of.Average(one => one.SamplesPerSecond), of.Sum(one => one.ComputeSeconds),
               of.Sum(one => one.WaitSeconds), of.Sum(one => one.HiddenSeconds), of.Sum(one => one.Bytes)),
    ];

    /// <summary>
    /// How uneven the work of ranks is: the time that the slowest computes over the mean, minus 1. The others wait for
    /// it: 0 is even, 0.25 means that the mean rank could do a quarter more.
    /// </summary>
    /// <param name="ranks">The ranks of one epoch, or over all.</param>
    /// <returns>The skew, 0 or more; NaN where nothing was computed.</returns>
    public static double Skew(IReadOnlyList<RankMeasures> ranks) =>
        ranks.Sum(one => one.ComputeSeconds) is > 0 and var all
            ? ranks.Max(one => one.ComputeSeconds) * ranks.Count / all - 1
            : double.NaN;

    /// <summary>Reads the ranks of a run, also while it writes them.</summary>
    /// <param name="folder">The path of the run's folder.</param>
    /// <returns>The ranks; none where there is no file, or it cannot be read.</returns>
    public static RankEpochs Load(string folder)
    {
        var found = new RankEpochs();
        try
        {
            JsonLines.Read(Path.Combine(folder, FileName), MaxBytes, "the ranks in an epoch", found.Add);
        }
        catch (Exception damage) when (damage is DataFormatException or IOException or UnauthorizedAccessException)
        {
            // What was read before it is as good as ever.
        }
        return found;
    }

    private void Add(JsonElement line)
    {
        var epoch = line.GetProperty("epoch").GetInt32();
        if (epoch < 1) throw new FormatException($"epoch {epoch} is not positive");
        RankMeasures[] ranks = [.. line.GetProperty("ranks").EnumerateArray().Select(one => new RankMeasures(
            one.GetProperty("rank").GetInt32(), one.GetProperty("host").GetString() ?? "",
            Amount(one, "samplesPerSecond"), Amount(one, "computeSeconds"), Amount(one, "waitSeconds"),
            Amount(one, "hiddenSeconds"), one.GetProperty("bytes").GetInt64()))];
        // A run that went on from an earlier state did later epochs again.
        foreach (var later in epochs.Keys.Where(known => known >= epoch).ToArray()) epochs.Remove(later);
        if (ranks.Length > 0) epochs[epoch] = ranks;
    }

    private static double Amount(JsonElement rank, string name)
    {
        var value = rank.GetProperty(name);
        // What is not finite is written so.
        if (value.ValueKind == JsonValueKind.Null) return 0;
        return value.GetDouble() is >= 0 and < double.PositiveInfinity and var amount
            ? amount
            : throw new FormatException($"{name} is {value}");
    }
}
