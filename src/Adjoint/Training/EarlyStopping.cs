namespace Adjoint.Training;

/// <summary>
/// Ends training when a measure has not become better for a number of epochs (Prechelt 1998). Each run starts anew.
/// </summary>
/// <param name="patience">The number of epochs without improvement that are tolerated.</param>
/// <param name="minimumDelta">The smallest improvement that counts as one, in the measure's unit.</param>
/// <param name="metric">
/// The measure: <c>loss</c>, the validation loss; <c>trainLoss</c>; or the name of one of the task's metrics.
/// </param>
public sealed class EarlyStopping(
    int patience = 5, double minimumDelta = 0, string metric = MonitoredMetric.Loss) : Callback
{
    private double best = double.NaN;
    private int stale;

    /// <inheritdoc/>
    public override void AfterEpoch(Trainer trainer, EpochResult epoch)
    {
        if (epoch.Epoch == 0) (best, stale) = (double.NaN, 0);
        var monitored = trainer.Monitor(metric);
        // The training loss is not known before training.
        if (epoch.Epoch == 0 && monitored.Name == MonitoredMetric.TrainLoss) return;
        var value = monitored.Of(epoch);
        if (monitored.IsBetter(value, best, minimumDelta)) (best, stale) = (value, 0);
        else if (++stale >= patience) trainer.ShouldStop = true;
    }

    /// <inheritdoc/>
    public override void Save(TrainingState state) => state.Set("early-stopping", [best, stale]);

    /// <inheritdoc/>
    public override void Load(Trainer trainer, TrainingState state)
    {
        var numbers = state.Numbers("early-stopping", 2);
        // Before the first value, states of version 0.2 hold infinity.
        best = double.IsInfinity(numbers[0]) ? double.NaN : numbers[0];
        stale = TrainingState.Integer("early-stopping", numbers[1], int.MaxValue);
    }
}
