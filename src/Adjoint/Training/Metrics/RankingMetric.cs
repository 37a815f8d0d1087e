namespace Adjoint.Training;

/// <summary>
/// A metric of how well scores put positives before negatives; each class or label against the rest. It keeps all
/// scores: 8 bytes for each element and class. Logits of several classes are compared as log-odds ln(p / (1 − p)) of
/// their softmax, which has the order of the probabilities and never rounds to equal ones near 1. Soft targets stand
/// for the class of the largest probability, and truth values between 0 and 1 for "true" above ½.
/// </summary>
public abstract class RankingMetric : ClassificationMetric
{
    private readonly List<double> scores = [], weights = [];

    // One for each element, or for each of its labels.
    private readonly List<int> targets = [];

    private protected RankingMetric() { }

    /// <summary>How the values of the classes become one; <see cref="Averaging.Automatic"/> by default.</summary>
    public Averaging Average { get; init; }

    /// <inheritdoc/>
    public sealed override string Name =>
        Average == Averaging.Automatic ? ShortName : $"{ShortName}{Average}";

    /// <summary>The value of each class or label over all samples so far, in their order.</summary>
    /// <returns>The values. Empty before the first batch.</returns>
    public IReadOnlyList<double> PerClass() => [.. Enumerable.Range(0, Classes).Select(k => Area([.. Of(k)]))];

    /// <summary>The name of the average that is the default.</summary>
    private protected abstract string ShortName { get; }

    /// <summary>The area under the curve.</summary>
    /// <param name="steps">
    /// For each score from the highest down, the weights of the positives and negatives that have it.
    /// </param>
    /// <param name="positives">The weight of all positives.</param>
    /// <param name="negatives">The weight of all negatives.</param>
    private protected abstract double Area(
        IEnumerable<(double Positives, double Negatives)> steps, double positives, double negatives);

    private protected sealed override void Clear()
    {
        scores.Clear();
        weights.Clear();
        targets.Clear();
    }

    private protected sealed override void Begin(int classes)
    {
        if (Average == Averaging.Binary && !IsBinary(classes))
            throw Error($"a binary average is of two classes or one label: found {classes}; use Averaging.Macro");
    }

    private protected sealed override void AddClass(ReadOnlySpan<double> outputs, int label, double weight)
    {
        targets.Add(label);
        weights.Add(weight);
        if (!FromLogits)
        {
            foreach (var probability in outputs) AddScore(probability);
            return;
        }
        Span<double> odds = outputs.Length <= 64 ? stackalloc double[outputs.Length] : new double[outputs.Length];
        Scores.LogOdds(outputs, odds);
        foreach (var score in odds) AddScore(score);
    }

    private protected sealed override void AddLabels(
        ReadOnlySpan<double> outputs, ReadOnlySpan<double> targets, double weight)
    {
        weights.Add(weight);
        for (var k = 0; k < outputs.Length; k++)
        {
            this.targets.Add(targets[k] == Loss.IgnoredLabel ? Loss.IgnoredLabel : targets[k] > 0.5 ? 1 : 0);
            AddScore(outputs[k]);
        }
    }

    private protected sealed override double Value()
    {
        if (weights.Count == 0) return double.NaN;
        var average = Average != Averaging.Automatic ? Average
            : IsBinary(Classes) ? Averaging.Binary : Averaging.Macro;
        return average switch
        {
            Averaging.Binary => Area([.. Of(Classes - 1)]),
            Averaging.Macro => PerClass().Average(),
            Averaging.Micro => Area([.. Enumerable.Range(0, Classes).SelectMany(Of)]),
            Averaging.Weighted => Weighted(),
            _ => throw Error($"no average has the number {(int)average}; use a member of Averaging"),
        };
    }

    // A class without targets has no part in it, whatever its value.
    private double Weighted()
    {
        var (sum, total) = (0.0, 0.0);
        for (var k = 0; k < Classes; k++)
        {
            var entries = Of(k).ToArray();
            var support = entries.Sum(entry => entry.IsTrue ? entry.Weight : 0);
            if (support == 0) continue;
            sum += support * Area(entries);
            total += support;
        }
        return sum / total;
    }

    private bool IsBinary(int classes) => classes == (MultiLabel ? 1 : 2);

    private void AddScore(double score)
    {
        if (double.IsNaN(score)) NoteNaN();
        scores.Add(score);
    }

    // Each element's score for a class, whether it is of that class, and its weight.
    private IEnumerable<(double Score, bool IsTrue, double Weight)> Of(int k)
    {
        for (var i = 0; i < weights.Count; i++)
        {
            var target = MultiLabel ? targets[i * Classes + k] : targets[i] == k ? 1 : 0;
            if (target != Loss.IgnoredLabel) yield return (scores[i * Classes + k], target == 1, weights[i]);
        }
    }

    private double Area((double Score, bool IsTrue, double Weight)[] entries)
    {
        var order = Enumerable.Range(0, entries.Length).ToArray();
        Array.Sort(Array.ConvertAll(entries, entry => -entry.Score), order);
        var (positives, negatives) = (0.0, 0.0);
        foreach (var entry in entries)
            if (entry.IsTrue) positives += entry.Weight;
            else negatives += entry.Weight;
        return Area(Steps(entries, order), positives, negatives);
    }

    private static IEnumerable<(double Positives, double Negatives)> Steps(
        (double Score, bool IsTrue, double Weight)[] entries, int[] order)
    {
        var (positives, negatives) = (0.0, 0.0);
        for (var i = 0; i < order.Length; i++)
        {
            var entry = entries[order[i]];
            if (entry.IsTrue) positives += entry.Weight;
            else negatives += entry.Weight;
            if (i + 1 < order.Length && entries[order[i + 1]].Score == entry.Score) continue;
            yield return (positives, negatives);
            (positives, negatives) = (0, 0);
        }
    }
}
