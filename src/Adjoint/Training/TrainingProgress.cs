namespace Adjoint.Training;

/// <summary>Where a run is, for a bar or a log: reported after each batch and after each epoch.</summary>
/// <param name="Epochs">The number of epochs of the run.</param>
/// <param name="Step">The step that was taken; null after an epoch.</param>
/// <param name="Epoch">The measures of the epoch that has ended; null after a batch.</param>
public sealed record TrainingProgress(int Epochs, StepInfo? Step, EpochResult? Epoch)
{
    /// <summary>The fraction of the run that is done, from 0 to 1.</summary>
    public double Fraction => Epochs == 0 ? 1
        : Step is { } step ? (step.Epoch - 1 + (double)step.Step / step.Steps) / Epochs
        : (double)(Epoch?.Epoch ?? 0) / Epochs;
}
