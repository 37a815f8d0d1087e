namespace Adjoint.Training;

/// <summary>
/// The mean absolute error Σ w·|prediction − target| / Σ w, in the target's units (scikit-learn's
/// <c>mean_absolute_error</c>). NaN over no sample.
/// </summary>
public sealed class Mae : RegressionMetric
{
    private double[] sums = [];
    private double total;

    /// <inheritdoc/>
    public override string Name => "mae";

    /// <inheritdoc/>
    public override bool IsHigherBetter => false;

    private protected override void Begin(int size) => (sums, total) = (new double[size], 0);

    private protected override void Add(ReadOnlySpan<double> outputs, ReadOnlySpan<double> targets, double weight)
    {
        for (var k = 0; k < sums.Length; k++) sums[k] += weight * Math.Abs(outputs[k] - targets[k]);
        total += weight;
    }

    private protected override double Of(int value) => sums[value] / total;
}
