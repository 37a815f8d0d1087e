using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

namespace Adjoint.SystemTests.Samples;

/// <summary>Notes each step of a trainer: its loss, and what it changes.</summary>
public sealed class WatchedSteps : Callback, IWatched
{
    private readonly Watch watch = Watch.Current!;
    private readonly int number;
    private Trainer? trainer;

    public WatchedSteps() => number = watch.Add(this);

    /// <summary>Whether trainers of the run in progress are to step eagerly.</summary>
    public static bool IsEager => !Watch.Current!.IsCaptured;

    public int Plans => trainer?.Capture?.Plans ?? 0;

    public string? Refusal => trainer?.Capture?.Refusal;

    public override void BeforeFit(Trainer trainer) => this.trainer = trainer;

    public override void AfterBatch(Trainer trainer, StepInfo step) =>
        watch.NoteCall(number, [Tensor.Scalar(step.Loss, DType.Float64)], new State(trainer));

    // What the watch looks into.
    private sealed class State(Trainer trainer)
    {
        public readonly Module Model = trainer.Model;
        public readonly Optimizer Optimizer = trainer.Optimizer;
    }
}
