namespace Adjoint.Training;

/// <summary>
/// The coefficient of determination R² = 1 − Σ w·(target − prediction)² / Σ w·(target − mean)² (scikit-learn's
/// <c>r2_score</c>): 1 is perfect, 0 as good as the mean of the targets, below 0 worse. Where all targets are equal, 1
/// if the predictions are, too, else 0, as there. NaN for fewer than two samples.
/// </summary>
public sealed class R2 : RegressionMetric
{
    private double[] errors = [], means = [], spreads = [];
    private double total;
    private long samples;

    /// <inheritdoc/>
    public override string Name => "r2";

    private protected override void Begin(int size)
    {
        (errors, means, spreads) = (new double[size], new double[size], new double[size]);
        (total, samples) = (0, 0);
    }

    private protected override void Add(ReadOnlySpan<double> outputs, ReadOnlySpan<double> targets, double weight)
    {
        samples++;
        total += weight;
        for (var k = 0; k < errors.Length; k++)
        {
            errors[k] += weight * (targets[k] - outputs[k]) * (targets[k] - outputs[k]);
            // The mean and the squares about it, sample by sample: targets far from 0 lose no digits (West 1979).
            var distance = targets[k] - means[k];
            means[k] += distance * (weight / total);
            spreads[k] += weight * distance * (targets[k] - means[k]);
        }
    }

    private protected override double Of(int value) =>
        samples < 2 ? double.NaN
        : spreads[value] != 0 ? 1 - errors[value] / spreads[value]
        : errors[value] == 0 ? 1
        : double.IsNaN(errors[value]) ? double.NaN : 0;
}
