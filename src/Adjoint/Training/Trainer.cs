using System.Diagnostics;
using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Optim;

namespace Adjoint.Training;

/// <summary>What one epoch measured. Losses are means per sample; epoch 0 is the network before training.</summary>
/// <param name="Epoch">Its number.</param>
/// <param name="TrainLoss">Over the training samples, as the parameters changed; null for epoch 0.</param>
/// <param name="ValidationLoss">Over the validation samples, afterwards.</param>
/// <param name="ValidationAccuracy">The share of validation samples whose largest logit is the label's.</param>
/// <param name="Seconds">The time of training and validation.</param>
public sealed record EpochResult(int Epoch, double? TrainLoss, double ValidationLoss, double ValidationAccuracy, double Seconds);

/// <summary>What a run measured.</summary>
/// <param name="Epochs">Each epoch, from 0.</param>
/// <param name="WasCancelled">Whether it ended before its last epoch because it was asked to.</param>
public sealed record TrainingResult(IReadOnlyList<EpochResult> Epochs, bool WasCancelled)
{
    /// <summary>The first epoch with the highest validation accuracy.</summary>
    public EpochResult Best => Epochs.MaxBy(epoch => epoch.ValidationAccuracy)!;

    /// <summary>The last epoch.</summary>
    public EpochResult Final => Epochs[^1];
}

/// <summary>The loss became NaN or infinite.</summary>
public sealed class DivergedException(int epoch, int step, double loss, string cause)
    : AdjointException($"training: the loss became {loss} in epoch {epoch}, step {step}: {cause}; try a smaller learning rate")
{
    /// <summary>In which epoch.</summary>
    public int Epoch => epoch;

    /// <summary>At which step of it.</summary>
    public int Step => step;
}

/// <summary>Listens to a training run; override what is of interest.</summary>
public abstract class Callback
{
    /// <summary>After each step.</summary>
    public virtual void OnStep(Trainer trainer, StepInfo step) { }

    /// <summary>After each epoch, epoch 0 (before training) included.</summary>
    public virtual void OnEpoch(Trainer trainer, EpochResult epoch) { }
}

/// <summary>Where a run is.</summary>
/// <param name="Epoch">The epoch, from 1.</param>
/// <param name="Step">The step in it, from 1.</param>
/// <param name="Steps">Steps per epoch.</param>
/// <param name="Loss">The batch's loss, mean per sample.</param>
/// <param name="Samples">Samples in the batch.</param>
public readonly record struct StepInfo(int Epoch, int Step, int Steps, double Loss, int Samples);

/// <summary>Trains a classifier: the plain loop, with validation before the first epoch and after each, schedules and callbacks.</summary>
public sealed class Trainer(Module model, Optimizer optimizer, DataLoader training, DataLoader validation)
{
    /// <summary>The network.</summary>
    public Module Model => model;

    /// <summary>The optimiser.</summary>
    public Optimizer Optimizer => optimizer;

    /// <summary>Whether the loss of a batch, whose gradient is followed, is the mean or the sum over its samples.</summary>
    public Reduction LossReduction { get; init; } = Reduction.Mean;

    /// <summary>See <see cref="Loss.CrossEntropy"/>.</summary>
    public double LabelSmoothing { get; init; }

    /// <summary>Factors of the learning rate by step; null leaves it alone.</summary>
    public Schedule? Schedule { get; init; }

    /// <summary>Runs every step eagerly. Otherwise steps are captured anew in each epoch, where they can be (<see cref="CapturedStep"/>); the bits are the same.</summary>
    public bool Eager { get; init; }

    /// <summary>Times the operations of eager steps; null does not.</summary>
    public Profile? Profile { get; init; }

    /// <summary>The listeners.</summary>
    public IList<Callback> Callbacks { get; } = [];

    /// <summary>Set by a callback to end after the epoch.</summary>
    public bool ShouldStop { get; set; }

    /// <summary>Runs up to <paramref name="epochs"/> epochs. A cancellation finishes the step in progress.</summary>
    /// <exception cref="DivergedException">The loss is NaN or infinite; the parameters are as before that step.</exception>
    public TrainingResult Run(int epochs, CancellationToken cancellation = default)
    {
        var results = new List<EpochResult>();
        var rates = optimizer.Groups.Select(group => group.LearningRate).ToArray();
        Finish(0, null, Stopwatch.GetTimestamp(), results);
        var steps = 0;
        for (var epoch = 1; epoch <= epochs && !ShouldStop; epoch++)
        {
            var started = Stopwatch.GetTimestamp();
            var (sum, samples, step) = (0.0, 0, 0);
            model.Train();
            var captured = Eager || Profile is not null ? null : CapturedStep.Create(LossOf, model.Parameters(), fallBackToEager: true);
            foreach (var (x, y) in training)
            {
                if (Schedule is not null)
                    for (var i = 0; i < rates.Length; i++) optimizer.Groups[i].LearningRate = rates[i] * Schedule.Factor(steps);
                var total = Step(captured, x, y, epoch, ++step);
                (sum, samples, steps) = (sum + total, samples + y.Length, steps + 1);
                foreach (var callback in Callbacks) callback.OnStep(this, new(epoch, step, training.Count, total / y.Length, y.Length));
                if (cancellation.IsCancellationRequested) return new(results, WasCancelled: true);
            }
            Finish(epoch, sum / samples, started, results);
        }
        return new(results, WasCancelled: false);
    }

    private Tensor LossOf(Tensor x, Tensor y) => Loss.CrossEntropy(model.Forward(x), y, LabelSmoothing, LossReduction);

    // Returns the sum of the losses of the batch.
    private double Step(CapturedStep? captured, Tensor x, Tensor y, int epoch, int step)
    {
        var value = 0.0;
        if (captured is not null) value = captured.Run(x, y).Item();
        else if (Profile is null) value = EagerGradients(x, y);
        else Profile.Observe(() => value = EagerGradients(x, y));
        if (!double.IsFinite(value)) throw new DivergedException(epoch, step, value, FindCause(x, y));
        if (Profile is null) optimizer.Step();
        else Profile.Measure("optimizer step", model.Parameters().Sum(parameter => 3.0 * parameter.Storage.ByteLength), optimizer.Step);
        return LossReduction == Reduction.Mean ? value * y.Length : value;
    }

    private double EagerGradients(Tensor x, Tensor y)
    {
        optimizer.ZeroGrad();
        var loss = LossOf(x, y);
        loss.Backward();
        return loss.Item();
    }

    private string FindCause(Tensor x, Tensor y)
    {
        foreach (var (name, parameter) in model.NamedParameters())
            if (!double.IsFinite(parameter.Detach().Sum().Item()))
                return $"parameter {name} holds NaN or infinity since an earlier step";
        try
        {
            using (new AnomalyMode()) LossOf(x, y);
            return "no single op made it";
        }
        catch (AdjointException error)
        {
            return error.Message;
        }
    }

    private void Finish(int epoch, double? trainLoss, long started, List<EpochResult> results)
    {
        var measured = Evaluation.Run(model, validation);
        var result = new EpochResult(epoch, trainLoss, measured.Loss, measured.Accuracy, Stopwatch.GetElapsedTime(started).TotalSeconds);
        results.Add(result);
        foreach (var callback in Callbacks) callback.OnEpoch(this, result);
    }
}
