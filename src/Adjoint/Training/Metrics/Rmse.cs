namespace Adjoint.Training;

/// <summary>
/// The root-mean-square error √(Σ w·(prediction − target)² / Σ w), in the target's units (scikit-learn's
/// <c>root_mean_squared_error</c>: the mean of the roots where a sample has several values). NaN over no sample.
/// </summary>
public sealed class Rmse : RegressionMetric
{
    private double[] sums = [];
    private double total;

    /// <inheritdoc/>
    public override string Name => "rmse";

    /// <inheritdoc/>
    public override bool IsHigherBetter => false;

    private protected override void Begin(int size) => (sums, total) = (new double[size], 0);

    private protected override void Add(ReadOnlySpan<double> outputs, ReadOnlySpan<double> targets, double weight)
    {
        for (var k = 0; k < sums.Length; k++)
            sums[k] += weight * (outputs[k] - targets[k]) * (outputs[k] - targets[k]);
        total += weight;
    }

    private protected override double Of(int value) => Math.Sqrt(sums[value] / total);
}
