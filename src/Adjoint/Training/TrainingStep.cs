using Adjoint.Data;
using Adjoint.Memory;
using Adjoint.Nn;
using Adjoint.Optim;

namespace Adjoint.Training;

/// <summary>
/// The gradients of a batch, captured where possible, and the loss. What decides how a step is computed is asked once,
/// when the run begins.
/// </summary>
internal sealed class TrainingStep
{
    private readonly Trainer trainer;
    private readonly StepCallback[] observers;
    private readonly CapturedFunction<Tensor>? captured;
    private readonly string? refusal;
    private IReadOnlyList<string>? names;
    private long eager;

    internal TrainingStep(Trainer trainer, bool isObserved = true)
    {
        this.trainer = trainer;
        observers = isObserved ? [.. trainer.Callbacks.OfType<StepCallback>()] : [];
        if (trainer.Eager) return;
        if (observers.Length > 0)
            refusal = $"the callback {observers[0].GetType().Name} looks into each step, which a replay does not show";
        else captured = CapturedFunction.Create<Tensor>(Gradients, fallBackToEager: true);
    }

    /// <summary>How the steps so far were computed; null where they are eager by choice.</summary>
    internal CaptureReport? Report =>
        captured?.Report ?? (refusal is null ? null : new(0, 0, eager, 0, 0, 0, refusal));

    /// <summary>Computes the gradients of a batch in place of those before.</summary>
    /// <param name="batch">The samples.</param>
    /// <param name="factor">What the loss is multiplied by for the gradients; null: they are those of the loss.</param>
    /// <returns>The loss of the batch, which may not be finite.</returns>
    internal double Run(Batch batch, double? factor)
    {
        trainer.Task.Check(batch);
        names ??= batch.Names;
        if (!names.SequenceEqual(batch.Names))
            throw new AdjointException(
                $"Trainer: the batches of a run must have the same tensors in the same order: found "
                + $"{string.Join(", ", batch.Names)} after {string.Join(", ", names)}; let every transform give them");
        Tensor[] given = factor is { } own ? [.. batch.Tensors, Tensor.Scalar(own, DType.Float64)] : [.. batch.Tensors];
        if (trainer.Profile is not { } profile) return Compute().Item();
        var loss = 0.0;
        profile.Observe(() => loss = Compute().Item());
        return loss;

        Tensor Compute()
        {
            if (captured is not null) return captured.Run(given);
            eager++;
            return Gradients(given);
        }
    }

    private Tensor Gradients(Tensor[] given)
    {
        var batch = new Batch(names!.Zip(given));
        foreach (var observer in observers) observer.BeforeForward(trainer, batch);
        trainer.Optimizer.ZeroGrad();
        var loss = trainer.Task.RequireScalar(trainer.Task.Loss(trainer.Model, batch));
        foreach (var observer in observers) observer.AfterForward(trainer, batch, loss);
        foreach (var observer in observers) observer.BeforeBackward(trainer, loss);
        (given.Length > names!.Count ? loss * given[^1].To(loss.DType) : loss).Backward();
        foreach (var observer in observers) observer.AfterBackward(trainer, loss);
        return loss;
    }

    /// <summary>What <see cref="FindOp"/> finds where it finds none.</summary>
    internal const string NoOp = "no single op made it";

    /// <summary>What made the loss of a batch infinite or NaN; it is computed again, where that has to be.</summary>
    internal string FindCause(Batch batch) => FindGiven(batch) ?? FindOp(batch) ?? NoOp;

    /// <summary>The value of the samples or of the parameters that is infinite or NaN; null: none is.</summary>
    internal string? FindGiven(Batch batch)
    {
        foreach (var (name, tensor) in batch.Names.Zip(batch.Tensors))
            if (tensor.DType.IsFloating() && BatchRules.FirstNotFinite(batch, tensor) is { } found)
                return $"a value of {name} of {found}; look at where the data come from";
        foreach (var (name, parameter) in trainer.Model.NamedParameters())
            if (!double.IsFinite(parameter.Detach().Sum().Item()))
                return $"parameter {name} holds NaN or infinity since an earlier step";
        return null;
    }

    /// <summary>The op that made a loss so, which is computed again; null: no single one.</summary>
    internal string? FindOp(Batch batch)
    {
        try
        {
            using (new AnomalyMode()) trainer.Task.Loss(trainer.Model, batch);
            return null;
        }
        catch (AnomalyException error)
        {
            // The line of an op that the trainer itself called is that of Fit, and tells nothing.
            return error.CalledAt == CallSite.Find().Outside ? error.Finding : error.Message;
        }
        catch (AdjointException error)
        {
            return error.Message;
        }
    }
}
