using Adjoint.Data;

namespace Adjoint.Training;

/// <summary>
/// Follows a training run; override the methods of interest. What happens within a step, which is captured, a
/// <see cref="StepCallback"/> sees.
/// </summary>
public abstract class Callback
{
    /// <summary>Called when a run begins or goes on, before the first epoch of this call.</summary>
    /// <param name="trainer">The trainer of the run.</param>
    public virtual void BeforeFit(Trainer trainer) { }

    /// <summary>Called when a run has ended, also where it was canceled, but not where it threw.</summary>
    /// <param name="trainer">The trainer of the run.</param>
    /// <param name="result">The measures of its epochs.</param>
    public virtual void AfterFit(Trainer trainer, TrainingResult result) { }

    /// <summary>
    /// Called before the first step of an epoch that is trained; again for one that is resumed in the middle.
    /// </summary>
    /// <param name="trainer">The trainer of the run.</param>
    /// <param name="epoch">The number of the epoch, from 1.</param>
    public virtual void BeforeEpoch(Trainer trainer, int epoch) { }

    /// <summary>Called after each epoch was validated, epoch 0 (before training) included.</summary>
    /// <param name="trainer">The trainer of the run.</param>
    /// <param name="epoch">The measures of the epoch.</param>
    public virtual void AfterEpoch(Trainer trainer, EpochResult epoch) { }

    /// <summary>Called before a batch is computed with.</summary>
    /// <param name="trainer">The trainer of the run.</param>
    /// <param name="batch">The samples of the step.</param>
    public virtual void BeforeBatch(Trainer trainer, Batch batch) { }

    /// <summary>Called after each batch, with its step where it ended in one.</summary>
    /// <param name="trainer">The trainer of the run.</param>
    /// <param name="step">The number and the loss of the step.</param>
    public virtual void AfterBatch(Trainer trainer, StepInfo step) { }

    /// <summary>
    /// Called before the optimizer steps, with the gradients of all parameters in place, clipped where that is asked
    /// for.
    /// </summary>
    /// <param name="trainer">The trainer of the run.</param>
    public virtual void BeforeOptimizerStep(Trainer trainer) { }

    /// <summary>Called after the optimizer has stepped.</summary>
    /// <param name="trainer">The trainer of the run.</param>
    public virtual void AfterOptimizerStep(Trainer trainer) { }

    /// <summary>Called before the validation samples are measured; not called where there are none.</summary>
    /// <param name="trainer">The trainer of the run.</param>
    public virtual void BeforeValidation(Trainer trainer) { }

    /// <summary>Called after the validation samples were measured; not called where there are none.</summary>
    /// <param name="trainer">The trainer of the run.</param>
    /// <param name="evaluation">Their loss and metrics.</param>
    public virtual void AfterValidation(Trainer trainer, Evaluation evaluation) { }

    /// <summary>Called before a checkpoint is written.</summary>
    /// <param name="trainer">The trainer of the run.</param>
    public virtual void BeforeSave(Trainer trainer) { }

    /// <summary>Called after a checkpoint was written.</summary>
    /// <param name="trainer">The trainer of the run.</param>
    public virtual void AfterSave(Trainer trainer) { }

    /// <summary>Called before a state is loaded, of which nothing is in place yet.</summary>
    /// <param name="trainer">The trainer of the run.</param>
    /// <param name="state">The state to resume from.</param>
    public virtual void BeforeLoad(Trainer trainer, TrainingState state) { }

    /// <summary>Called after a state was loaded, by the trainer and by all callbacks.</summary>
    /// <param name="trainer">The trainer of the run.</param>
    public virtual void AfterLoad(Trainer trainer) { }

    /// <summary>Called when a run ends by an exception, which is thrown on afterwards.</summary>
    /// <param name="trainer">The trainer of the run.</param>
    /// <param name="error">The exception that ended it, such as a <see cref="DivergedException"/>.</param>
    public virtual void OnException(Trainer trainer, Exception error) { }

    /// <summary>Adds the state of this callback to a checkpoint.</summary>
    /// <param name="state">The state to add to.</param>
    public virtual void Save(TrainingState state) { }

    /// <summary>Resumes from a saved state; the trainer already has.</summary>
    /// <param name="trainer">The trainer of the run.</param>
    /// <param name="state">The state to resume from.</param>
    public virtual void Load(Trainer trainer, TrainingState state) { }
}
