namespace Adjoint.Training;

/// <summary>
/// Multiplies all learning rates by a factor when a measure has not become better for a number of epochs (PyTorch's
/// <c>ReduceLROnPlateau</c> with a relative threshold), on top of the trainer's schedules. Each run starts anew, with
/// the optimizer's own rates.
/// </summary>
/// <param name="factor">The factor of a reduction, between 0 and 1.</param>
/// <param name="patience">The number of epochs without improvement that are tolerated, 0 or more.</param>
/// <param name="threshold">
/// The improvement that counts as one, relative to the best value: 10⁻⁴ is a hundredth of a percent.
/// </param>
/// <param name="metric">
/// The measure: <c>loss</c>, the validation loss; <c>trainLoss</c>; or the name of one of the task's metrics.
/// </param>
/// <param name="minimum">The smallest product of all reductions.</param>
public sealed class PlateauSchedule(
    double factor = 0.1, int patience = 10, double threshold = 1e-4, string metric = MonitoredMetric.Loss,
    double minimum = 0) : Callback
{
    private readonly double factor = factor is > 0 and < 1
        ? factor
        : throw new AdjointException($"PlateauSchedule: the factor must be between 0 and 1: found {factor}");
    private readonly int patience = patience >= 0
        ? patience
        : throw new AdjointException($"PlateauSchedule: patience must not be negative: found {patience}");
    private double best = double.NaN;
    private int stale;
    private double reduced = 1;

    /// <inheritdoc/>
    public override void AfterEpoch(Trainer trainer, EpochResult epoch)
    {
        if (epoch.Epoch == 0) (best, stale, reduced) = (double.NaN, 0, 1);
        var monitored = trainer.Monitor(metric);
        // The training loss is not known before training.
        if (epoch.Epoch == 0 && monitored.Name == MonitoredMetric.TrainLoss) return;
        var value = monitored.Of(epoch);
        if (monitored.IsBetter(value, best, threshold * Math.Abs(best))) (best, stale) = (value, 0);
        else if (++stale > patience)
        {
            stale = 0;
            trainer.RateFactor = reduced = Math.Max(minimum, reduced * factor);
        }
    }

    /// <inheritdoc/>
    public override void Save(TrainingState state) => state.Set("plateau", [best, stale, reduced]);

    /// <inheritdoc/>
    public override void Load(Trainer trainer, TrainingState state)
    {
        var numbers = state.Numbers("plateau", 3);
        best = numbers[0];
        stale = TrainingState.Integer("plateau", numbers[1], int.MaxValue);
        trainer.RateFactor = reduced = numbers[2] is >= 0 and <= 1
            ? numbers[2]
            : throw new AdjointException(
                $"TrainingState: entry 'plateau' must have a factor from 0 to 1: found {numbers[2]}");
    }
}
