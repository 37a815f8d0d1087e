namespace Adjoint.Training;

/// <summary>The measures of a training run.</summary>
/// <param name="Epochs">The measures of each epoch, from 0.</param>
/// <param name="WasCanceled">Whether the run was canceled before its last epoch.</param>
/// <param name="Score">The measure that chooses the best epoch.</param>
public sealed record TrainingResult(
    IReadOnlyList<EpochResult> Epochs, bool WasCanceled, MonitoredMetric Score)
{
    /// <summary>How the steps were computed: captured, or why not; null where they were to be eager.</summary>
    public CaptureReport? Capture { get; init; }

    /// <summary>The epoch with the best <see cref="Score"/>; the earlier of equal ones.</summary>
    public EpochResult Best => Score.Best(Epochs);

    /// <summary>The last epoch that was measured.</summary>
    public EpochResult Final => Epochs[^1];
}
