using Adjoint.Training;

namespace Adjoint.Tests.Training;

/// <summary>Cancels a run after so many of its batches.</summary>
internal sealed class StopAt(int step, CancellationTokenSource cancel) : Callback
{
    private int steps;

    public override void AfterBatch(Trainer trainer, StepInfo info)
    {
        if (++steps == step) cancel.Cancel();
    }
}
