using Adjoint.Data;

namespace Adjoint.Training;

/// <summary>
/// A callback that looks into each step, between its forward and its backward pass. A replay of a captured step runs no
/// code in between, so a trainer with such a callback computes its steps eagerly, with the same bits;
/// <see cref="TrainingResult.Capture"/> says so.
/// </summary>
public abstract class StepCallback : Callback
{
    /// <summary>Called before the loss of a batch is computed; the gradients are those of the step before.</summary>
    /// <param name="trainer">The trainer of the run.</param>
    /// <param name="batch">The samples of the step.</param>
    public virtual void BeforeForward(Trainer trainer, Batch batch) { }

    /// <summary>Called when the loss of a batch is computed.</summary>
    /// <param name="trainer">The trainer of the run.</param>
    /// <param name="batch">The samples of the step.</param>
    /// <param name="loss">The loss, a scalar (), with its graph.</param>
    public virtual void AfterForward(Trainer trainer, Batch batch, Tensor loss) { }

    /// <summary>Called before the gradients of a batch are computed; those of the step before are cleared.</summary>
    /// <param name="trainer">The trainer of the run.</param>
    /// <param name="loss">The loss, a scalar (), with its graph.</param>
    public virtual void BeforeBackward(Trainer trainer, Tensor loss) { }

    /// <summary>
    /// Called when the gradients of a batch are computed: those of this batch alone, not clipped, also where several
    /// are accumulated.
    /// </summary>
    /// <param name="trainer">The trainer of the run.</param>
    /// <param name="loss">The loss, a scalar (); its graph is consumed.</param>
    public virtual void AfterBackward(Trainer trainer, Tensor loss) { }
}
