namespace Adjoint.Training;

/// <summary>
/// The expected calibration error Σ_b |B_b|/n · |acc(B_b) − conf(B_b)| (Guo et al. 2017, eq. 3): confidences, the
/// largest probability of each element, are divided into bins (i/M, (i + 1)/M] of equal width, and in each bin the
/// share of right predictions is compared with the mean confidence. With <see cref="ClassificationMetric.MultiLabel"/>,
/// each label is a prediction between two. Between 0 and 1, the smaller the better; NaN over no element.
/// </summary>
/// <param name="bins">The number M of bins: 15 by default, as in the paper.</param>
public sealed class CalibrationError(int bins = 15) : ClassificationMetric
{
    private const int MostBins = 1 << 20;

    private double[] confidence = [], right = [];
    private double total;

    /// <inheritdoc/>
    public override string Name => "calibrationError";

    /// <inheritdoc/>
    public override bool IsHigherBetter => false;

    private protected override void Clear() => (confidence, right, total) = ([], [], 0);

    private protected override void Begin(int classes)
    {
        if (bins is < 1 or > MostBins)
            throw Error($"the number of bins must be in 1..{MostBins}: found {bins}; 15 is the usual one");
        (confidence, right) = (new double[bins], new double[bins]);
    }

    private protected override void AddClass(ReadOnlySpan<double> outputs, int label, double weight)
    {
        Span<double> p = outputs.Length <= 64 ? stackalloc double[outputs.Length] : new double[outputs.Length];
        outputs.CopyTo(p);
        if (FromLogits) Scores.Softmax(p);
        var decision = Scores.Largest(outputs);
        Add(p[decision], decision == label, weight);
    }

    private protected override void AddLabels(
        ReadOnlySpan<double> outputs, ReadOnlySpan<double> targets, double weight)
    {
        for (var k = 0; k < outputs.Length; k++)
        {
            if (targets[k] == Loss.IgnoredLabel) continue;
            var p = FromLogits ? Scores.Sigmoid(outputs[k]) : outputs[k];
            Add(Math.Max(p, 1 - p), p > 0.5 == targets[k] > 0.5, weight);
        }
    }

    private protected override double Value()
    {
        var error = 0.0;
        for (var bin = 0; bin < bins; bin++) error += Math.Abs(right[bin] - confidence[bin]);
        return error / total;
    }

    private void Add(double p, bool isRight, double weight)
    {
        if (double.IsNaN(p))
        {
            NoteNaN();
            return;
        }
        var bin = Math.Clamp((int)(p * bins), 0, bins - 1);
        // p·M rounds; the edges themselves are i/M.
        while (bin > 0 && p <= (double)bin / bins) bin--;
        while (bin < bins - 1 && p > (double)(bin + 1) / bins) bin++;
        confidence[bin] += weight * p;
        if (isRight) right[bin] += weight;
        total += weight;
    }
}
