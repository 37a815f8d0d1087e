namespace Adjoint.Training;

/// <summary>
/// A ratio of true positives TP, false positives FP and false negatives FN, counted by class or label and weighted by
/// sample. A ratio 0/0 is 0, as is scikit-learn's default. Of several classes, those that occur neither among targets
/// nor among predictions do not take part; of labels, all do.
/// </summary>
public abstract class CountMetric : DecisionMetric
{
    private double[] truePositives = [], falsePositives = [], falseNegatives = [];
    private double total;

    private protected CountMetric() { }

    /// <summary>How the values of the classes become one; <see cref="Averaging.Automatic"/> by default.</summary>
    public Averaging Average { get; init; }

    /// <inheritdoc/>
    public sealed override string Name =>
        Average == Averaging.Automatic ? ShortName : $"{ShortName}{Average}";

    /// <summary>The value of each class or label over all samples so far, in their order.</summary>
    /// <returns>The values; NaN for a class that does not occur. Empty before the first batch.</returns>
    public IReadOnlyList<double> PerClass() =>
        [.. Enumerable.Range(0, truePositives.Length).Select(k => TakesPart(k) ? Of(k) : double.NaN)];

    /// <summary>The name of the average that is the default.</summary>
    private protected abstract string ShortName { get; }

    /// <summary>What <see cref="Averaging.Automatic"/> means for so many classes.</summary>
    private protected virtual Averaging Usual(bool isBinary) => isBinary ? Averaging.Binary : Averaging.Macro;

    /// <summary>Numerator and denominator, from counts by weight.</summary>
    private protected abstract (double Over, double Under) Ratio(
        double truePositives, double falsePositives, double falseNegatives);

    private protected sealed override void Clear()
    {
        (truePositives, falsePositives, falseNegatives) = ([], [], []);
        total = 0;
    }

    private protected sealed override void Begin(int classes)
    {
        base.Begin(classes);
        if (Average == Averaging.Binary && !IsBinary(classes))
            throw Error($"a binary average is of two classes or one label: found {classes}; use Averaging.Macro");
        (truePositives, falsePositives, falseNegatives) =
            (new double[classes], new double[classes], new double[classes]);
    }

    private protected sealed override void AddClass(ReadOnlySpan<double> outputs, int label, double weight)
    {
        total += weight;
        var decision = Decide(outputs);
        if (decision == label)
        {
            truePositives[label] += weight;
            return;
        }
        falsePositives[decision] += weight;
        falseNegatives[label] += weight;
    }

    private protected sealed override void AddLabels(
        ReadOnlySpan<double> outputs, ReadOnlySpan<double> targets, double weight)
    {
        for (var k = 0; k < outputs.Length; k++)
        {
            if (targets[k] == Loss.IgnoredLabel) continue;
            total += weight;
            var (isPredicted, isTrue) = (IsAbove(outputs[k]), targets[k] > 0.5);
            if (isPredicted && isTrue) truePositives[k] += weight;
            else if (isPredicted) falsePositives[k] += weight;
            else if (isTrue) falseNegatives[k] += weight;
        }
    }

    private protected sealed override double Value()
    {
        if (total == 0) return double.NaN;
        var classes = Enumerable.Range(0, truePositives.Length).Where(TakesPart).ToArray();
        var average = Average == Averaging.Automatic ? Usual(IsBinary(Classes)) : Average;
        return average switch
        {
            Averaging.Binary => Of(Classes - 1),
            Averaging.Macro => classes.Average(Of),
            Averaging.Micro => Quotient(Ratio(truePositives.Sum(), falsePositives.Sum(), falseNegatives.Sum())),
            Averaging.Weighted => Quotient((classes.Sum(k => Support(k) * Of(k)), classes.Sum(Support))),
            _ => throw Error($"no average has the number {(int)average}; use a member of Averaging"),
        };
    }

    private bool IsBinary(int classes) => classes == (MultiLabel ? 1 : 2);

    private bool TakesPart(int k) => MultiLabel || truePositives[k] + falsePositives[k] + falseNegatives[k] > 0;

    private double Support(int k) => truePositives[k] + falseNegatives[k];

    private double Of(int k) => Quotient(Ratio(truePositives[k], falsePositives[k], falseNegatives[k]));

    private static double Quotient((double Over, double Under) ratio) =>
        ratio.Under == 0 ? 0 : ratio.Over / ratio.Under;
}
