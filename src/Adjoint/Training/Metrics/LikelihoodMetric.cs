namespace Adjoint.Training;

/// <summary>
/// A metric of the mean negative log-likelihood. From logits it is computed without overflow and not clipped;
/// probabilities are clipped to [ε, 1 − ε], with the ε of their type, as scikit-learn does.
/// </summary>
public abstract class LikelihoodMetric : ClassificationMetric
{
    private double sum, total;

    private protected LikelihoodMetric() { }

    /// <inheritdoc/>
    public sealed override bool IsHigherBetter => false;

    /// <summary>The mean over elements, and over labels; NaN over none.</summary>
    private protected double Mean => sum / total;

    private protected sealed override void Clear() => (sum, total) = (0, 0);

    private protected sealed override void Begin(int classes) { }

    private protected sealed override void AddClass(ReadOnlySpan<double> outputs, int label, double weight)
    {
        sum += weight * (FromLogits ? Scores.LogSumExp(outputs) - outputs[label] : OfProbability(outputs[label]));
        total += weight;
    }

    private protected sealed override void AddSoft(
        ReadOnlySpan<double> outputs, ReadOnlySpan<double> target, double weight)
    {
        var (loss, normalizer) = (0.0, FromLogits ? Scores.LogSumExp(outputs) : 0);
        for (var k = 0; k < outputs.Length; k++)
            if (target[k] > 0)
                loss += target[k] * (FromLogits ? normalizer - outputs[k] : OfProbability(outputs[k]));
        sum += weight * loss;
        total += weight;
    }

    private protected sealed override void AddLabels(
        ReadOnlySpan<double> outputs, ReadOnlySpan<double> targets, double weight)
    {
        for (var k = 0; k < outputs.Length; k++)
        {
            if (targets[k] == Loss.IgnoredLabel) continue;
            if (targets[k] > 0)
                sum += weight * targets[k]
                    * (FromLogits ? Scores.Softplus(-outputs[k]) : OfProbability(outputs[k]));
            if (targets[k] < 1)
                sum += weight * (1 - targets[k])
                    * (FromLogits ? Scores.Softplus(outputs[k]) : OfProbability(1 - outputs[k]));
            total += weight;
        }
    }

    private double OfProbability(double p) => -Math.Log(Math.Clamp(p, Epsilon, 1 - Epsilon));
}
