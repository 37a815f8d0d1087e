namespace Adjoint.Training;

/// <summary>
/// Perplexity exp(−Σ w·ln p(token) / Σ w): e to the power of the mean negative log-likelihood of the tokens (Jelinek et
/// al. 1977). The number of tokens for a uniform guess; 1 for a perfect one; NaN over no token. Classes lie along the
/// last axis, (n, t, classes), unless <see cref="ClassificationMetric.ClassAxis"/> says otherwise.
/// </summary>
public sealed class Perplexity : LikelihoodMetric
{
    /// <summary>Creates one for outputs (n, t, classes).</summary>
    public Perplexity() => ClassAxis = -1;

    /// <inheritdoc/>
    public override string Name => "perplexity";

    private protected override double Value() => Math.Exp(Mean);
}
