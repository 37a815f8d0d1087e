using Adjoint.Data;
using Adjoint.Optim;

namespace Adjoint.Training;

/// <summary>
/// How a run gets from batches to gradients and measures, and what it decides by the clock: alone, or together with
/// other ranks. The trainer does the rest, the same way on each rank.
/// </summary>
internal abstract class TrainingStrategy(Trainer trainer)
{
    protected Trainer Trainer { get; } = trainer;

    /// <summary>How the steps of the run so far were computed; null where they are eager by choice.</summary>
    internal abstract CaptureReport? Report { get; }

    /// <summary>Which shards of a batch are loaded here.</summary>
    internal abstract ShardRange Shards { get; }

    /// <summary>Whether states can be written, here or on the rank that does.</summary>
    internal abstract bool HasCheckpoints { get; }

    /// <summary>Whether it is time to write a state.</summary>
    internal abstract bool IsCheckpointDue { get; }

    /// <summary>Whether the run is to end after the batch that was learned last.</summary>
    internal abstract bool IsCanceled { get; }

    /// <summary>Called when <see cref="Trainer.Fit"/> begins; a new run begins without gradients.</summary>
    internal abstract void Begin(bool isNewRun, int epochs, CancellationToken cancellation);

    /// <summary>Called before the first step of a call, when all callbacks know of it.</summary>
    internal abstract void BeginSteps();

    /// <summary>Called when <see cref="Trainer.Fit"/> has ended well.</summary>
    internal abstract void End();

    /// <summary>Called when it ends by an exception.</summary>
    internal abstract void Fail(Exception error);

    /// <summary>The samples of a batch that callbacks see.</summary>
    internal abstract Batch Shown(ShardedBatch batch);

    /// <summary>
    /// Computes the gradients of a batch. Where it ends a step of the optimizer, they are in place, with those of the
    /// other batches of the step; otherwise they are kept.
    /// </summary>
    /// <returns>The sum of the losses of the whole batch, and what its mean is over.</returns>
    /// <exception cref="DivergedException">The loss is not finite.</exception>
    internal abstract (double Total, double Weight) Learn(ShardedBatch batch, StepPlace place);

    /// <summary>Clips the gradients before a step, where that is asked for.</summary>
    /// <exception cref="AdjointException">Their norm is not finite.</exception>
    internal virtual void ClipGradients() => Trainer.ClipGradients();

    /// <summary>Steps the optimizer.</summary>
    internal virtual void StepOptimizer()
    {
        if (Trainer.Profile is not { } profile) Trainer.Optimizer.Step();
        else profile.Observe(Trainer.Optimizer.Step);
    }

    /// <summary>Measures the model.</summary>
    internal abstract Evaluation Evaluate(DataLoader batches);

    /// <summary>Called when an epoch was measured, before callbacks hear of it.</summary>
    internal abstract void EndEpoch(int epoch, double seconds);

    /// <summary>Called between epochs: what callbacks and clocks decided holds from here on.</summary>
    internal abstract void Agree();

    /// <summary>The state of the optimizer to save.</summary>
    internal abstract IReadOnlyDictionary<string, Tensor> OptimizerState();

    /// <summary>Resumes the optimizer from what <see cref="OptimizerState"/> returned.</summary>
    internal abstract void LoadOptimizer(IReadOnlyDictionary<string, Tensor> state);

    /// <summary>Where a random stream is, for a state.</summary>
    internal abstract ulong PositionOf(Generator stream);

    /// <summary>Adds to a state what is needed to go on in the middle of a step.</summary>
    internal abstract void SaveGradients(TrainingState state);

    /// <summary>Goes on where <see cref="SaveGradients"/> was.</summary>
    internal abstract void LoadGradients(TrainingState state);

    /// <summary>Writes a state to where states are kept.</summary>
    internal abstract void WriteCheckpoint();

    /// <summary>The state to resume from, of one that is given here.</summary>
    internal abstract TrainingState Share(TrainingState state);

    private protected double TotalOf(double loss, double weight) =>
        Trainer.Task.Reduction == Reduction.Mean ? loss * weight : loss;
}

/// <summary>Where in a run a batch is.</summary>
/// <param name="Epoch">The epoch, from 1.</param>
/// <param name="Batch">The batch in it, from 1.</param>
/// <param name="Batches">The number of batches of the run so far, this one excluded.</param>
/// <param name="EndsStep">Whether the optimizer steps after it.</param>
internal readonly record struct StepPlace(int Epoch, int Batch, int Batches, bool EndsStep);
