namespace Adjoint.Training;

/// <summary>The measures of one epoch; epoch 0 is the network before training.</summary>
/// <param name="Epoch">The number of the epoch.</param>
/// <param name="TrainLoss">
/// The mean loss over the training samples, while the parameters changed; null for epoch 0.
/// </param>
/// <param name="ValidationLoss">
/// The mean loss over the validation samples, after the epoch; NaN where there are none.
/// </param>
/// <param name="Metrics">
/// The metrics of the task over the validation samples, by name, such as <c>accuracy</c>; empty where there are none.
/// </param>
/// <param name="Seconds">The time of training and validation, in seconds.</param>
public sealed record EpochResult(int Epoch, double? TrainLoss, double ValidationLoss,
    IReadOnlyDictionary<string, double> Metrics, double Seconds)
{
    /// <summary>The metric <c>accuracy</c>; NaN where the task has none.</summary>
    public double ValidationAccuracy => Metrics.GetValueOrDefault("accuracy", double.NaN);
}
