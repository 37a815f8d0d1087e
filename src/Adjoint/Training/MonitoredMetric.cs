namespace Adjoint.Training;

/// <summary>A measure of an epoch by its name, and which of two values of it is better.</summary>
/// <param name="Name">
/// <see cref="Loss"/>, <see cref="TrainLoss"/>, or the name of one of the task's metrics.
/// </param>
/// <param name="IsHigherBetter">Whether a larger value is a better one.</param>
public sealed record MonitoredMetric(string Name, bool IsHigherBetter)
{
    /// <summary>The name of the validation loss: <c>loss</c>.</summary>
    public const string Loss = "loss";

    /// <summary>The name of the loss over the training samples: <c>trainLoss</c>.</summary>
    public const string TrainLoss = "trainLoss";

    /// <summary>The value of an epoch.</summary>
    /// <param name="epoch">The measures of the epoch.</param>
    /// <returns>The value; NaN where the epoch has none.</returns>
    public double Of(EpochResult epoch) => Name switch
    {
        Loss => epoch.ValidationLoss,
        TrainLoss => epoch.TrainLoss ?? double.NaN,
        _ => epoch.Metrics.GetValueOrDefault(Name, double.NaN),
    };

    /// <summary>Whether a value is better than another by more than a margin. NaN is better than nothing.</summary>
    /// <param name="value">The value to judge.</param>
    /// <param name="best">The value to compare with; NaN: any number is better.</param>
    /// <param name="margin">How much better it must be, 0 or more.</param>
    /// <returns>Whether it is better.</returns>
    public bool IsBetter(double value, double best, double margin = 0) =>
        !double.IsNaN(value)
            && (double.IsNaN(best) || (IsHigherBetter ? value > best + margin : value < best - margin));

    /// <summary>
    /// The epoch with the best value; the earlier of equal ones, and the first where none has a value.
    /// </summary>
    /// <param name="epochs">The epochs of a run, at least one.</param>
    /// <returns>One of the epochs.</returns>
    public EpochResult Best(IReadOnlyList<EpochResult> epochs)
    {
        var best = epochs[0];
        foreach (var epoch in epochs)
            if (IsBetter(Of(epoch), Of(best))) best = epoch;
        return best;
    }
}
