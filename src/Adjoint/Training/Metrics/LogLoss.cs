namespace Adjoint.Training;

/// <summary>
/// The mean negative log-likelihood −Σ w·Σₖ tₖ ln pₖ / Σ w of targets t, in nats (scikit-learn's <c>log_loss</c>); with
/// <see cref="ClassificationMetric.MultiLabel"/>, −t ln p − (1 − t) ln(1 − p), averaged over labels, too. NaN over no
/// element.
/// </summary>
public sealed class LogLoss : LikelihoodMetric
{
    /// <inheritdoc/>
    public override string Name => "logLoss";

    private protected override double Value() => Mean;
}
