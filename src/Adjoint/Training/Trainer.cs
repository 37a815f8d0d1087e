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
    /// <summary>How the steps were computed: captured, or why not; null where they were to be eager.</summary>
    public CaptureReport? Capture { get; init; }

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

    /// <summary>Adds what this callback remembers to a checkpoint.</summary>
    public virtual void Save(TrainingState state) { }

    /// <summary>Goes on where the state was saved; the trainer already has.</summary>
    public virtual void Load(Trainer trainer, TrainingState state) { }
}

/// <summary>Where a run is.</summary>
/// <param name="Epoch">The epoch, from 1.</param>
/// <param name="Step">The step in it, from 1.</param>
/// <param name="Steps">Steps per epoch.</param>
/// <param name="Loss">The batch's loss, mean per sample.</param>
/// <param name="Samples">Samples in the batch.</param>
public readonly record struct StepInfo(int Epoch, int Step, int Steps, double Loss, int Samples);

/// <summary>
/// Trains a classifier: the plain loop, with validation before the first epoch and after each, schedules and callbacks.
/// A model that was converted (<c>model.To(DType.BFloat16)</c>) gets its samples in its type.
/// </summary>
public sealed class Trainer(Layer model, Optimizer optimizer, DataLoader training, DataLoader validation)
{
    private readonly List<EpochResult> results = [];
    private CapturedFunction<Tensor>? captured;
    private double[] rates = [];
    private Position position;
    private bool isLoaded;
    private bool isRunning;

    /// <summary>The network.</summary>
    public Layer Model => model;

    /// <summary>The optimiser.</summary>
    public Optimizer Optimizer => optimizer;

    /// <summary>What the network learns from.</summary>
    public DataLoader Training => training;

    /// <summary>Whether the loss of a batch, whose gradient is followed, is the mean or the sum over its samples.</summary>
    public Reduction LossReduction { get; init; } = Reduction.Mean;

    /// <summary>See <see cref="Loss.CrossEntropy"/>.</summary>
    public double LabelSmoothing { get; init; }

    /// <summary>Factors of the learning rate by step; null leaves it alone.</summary>
    public Schedule? Schedule { get; init; }

    /// <summary>
    /// Runs every step eagerly. Otherwise they are captured, where they can be
    /// (<see cref="CapturedFunction{TResult}"/>); the bits are the same.
    /// </summary>
    public bool Eager { get; init; }

    /// <summary>An average of the model's weights, which is then what is validated and kept; null validates the weights themselves.</summary>
    public WeightAverage? Average { get; init; }

    /// <summary>Times the operations of the steps; null does not.</summary>
    public Profile? Profile { get; init; }

    /// <summary>The listeners.</summary>
    public IList<Callback> Callbacks { get; } = [];

    /// <summary>Set by a callback to end after the epoch.</summary>
    public bool ShouldStop { get; set; }

    /// <summary>When to keep the whole state, and where; null keeps none.</summary>
    public Checkpoints? Checkpoints { get; init; }

    /// <summary>How the steps of the run so far were computed; null where they are eager by choice.</summary>
    public CaptureReport? Capture => captured?.Report;

    /// <summary>The epochs measured so far.</summary>
    public IReadOnlyList<EpochResult> Results => results;

    /// <summary>
    /// Runs up to <paramref name="epochs"/> epochs, or goes on to them after <see cref="Load"/>. A cancellation finishes the step in progress, and keeps a checkpoint where
    /// there are any. Another call trains on from the weights as they are, with epochs and schedule from the start; a
    /// schedule leaves the optimiser at its base rates when a run ends.
    /// </summary>
    /// <exception cref="DivergedException">The loss is NaN or infinite; the parameters are as before that step.</exception>
    /// <exception cref="AdjointException">
    /// The number of epochs is negative, the training loader has no batch, or a callback of a run called it.
    /// </exception>
    public TrainingResult Run(int epochs, CancellationToken cancellation = default)
    {
        if (epochs < 0)
            throw new AdjointException(
                $"Trainer: the number of epochs must not be negative: found {epochs}; 0 only measures");
        if (isRunning)
            throw new AdjointException(
                "Trainer: a callback of its run called Run() again; set ShouldStop, and call it when the run has "
                + "ended");
        isRunning = true;
        try
        {
            return RunAlone(epochs, cancellation);
        }
        finally
        {
            isRunning = false;
        }
    }

    private TrainingResult RunAlone(int epochs, CancellationToken cancellation)
    {
        if (epochs > 0) training.RequireBatches("Trainer");
        if (!isLoaded)
        {
            (position, rates, ShouldStop) = (default, Rates(), false);
            results.Clear();
            Finish(0, null, Stopwatch.GetTimestamp());
        }
        isLoaded = false;
        try
        {
            return RunOn(epochs, cancellation);
        }
        finally
        {
            if (Schedule is not null) SetRates(1);
        }
    }

    private TrainingResult RunOn(int epochs, CancellationToken cancellation)
    {
        captured = Eager ? null : CapturedFunction.Create<Tensor>(Gradients, fallBackToEager: true);
        while (results.Count <= epochs && !ShouldStop)
        {
            var (epoch, started) = (results.Count, Stopwatch.GetTimestamp() - (long)(position.Seconds * Stopwatch.Frequency));
            model.Train();
            training.Start = position.Batch;
            foreach (var (x, y) in training)
            {
                if (Schedule is not null) SetRates(Schedule.Factor(position.Steps));
                var total = Step(x, y, epoch, position.Batch + 1);
                position = new(position.Batch + 1, position.Steps + 1, position.Samples + y.Length, position.LossSum + total, Stopwatch.GetElapsedTime(started).TotalSeconds);
                foreach (var callback in Callbacks) callback.OnStep(this, new(epoch, position.Batch, training.Count, total / y.Length, y.Length));
                if (cancellation.IsCancellationRequested)
                {
                    Checkpoints?.Write(Save);
                    return new([.. results], WasCancelled: true) { Capture = Capture };
                }
                if (position.Batch < training.Count) Checkpoints?.Consider(Save);
            }
            Finish(epoch, position.LossSum / position.Samples, started);
            Checkpoints?.Consider(Save);
        }
        return new([.. results], WasCancelled: false) { Capture = Capture };
    }

    /// <summary>
    /// Everything needed to go on from here, bit for bit: model, optimiser, average, place in the schedule and in the data, streams of random numbers, what was measured, and what
    /// callbacks remember. The tensors are the trainer's own: write them before the next step.
    /// </summary>
    public TrainingState Save()
    {
        var state = new TrainingState();
        // A callback that saves at the end of an epoch finds the average in the model.
        using var own = Average?.Suspend();
        state.Add("model", Own(model.StateDict()));
        state.Add("optimizer", optimizer.StateDict());
        if (Average is not null) state.Add("average", Own(Average.StateDict()));
        state.Set("batch", position.Batch);
        state.Set("steps", position.Steps);
        state.Set("samples", position.Samples);
        state.Set("loss-sum", position.LossSum);
        state.Set("seconds", position.Seconds);
        // While a pass is under way the loader counts it already.
        state.Set("pass", position.Batch > 0 ? training.Epoch - 1 : training.Epoch);
        state.Set("should-stop", ShouldStop ? 1 : 0);
        state.Set("base-rates", rates);
        state.Set("rates", Rates());
        foreach (var (name, generator) in Streams()) state.Set($"stream.{name}", $"{generator.Seed} {generator.Stream} {generator.Position}");
        state.Set("results", string.Join('\n', results.Select(epoch => TrainingState.Text([epoch.Epoch, epoch.TrainLoss ?? double.NaN, epoch.ValidationLoss, epoch.ValidationAccuracy, epoch.Seconds]))));
        foreach (var callback in Callbacks) callback.Save(state);
        return state;

        // What is exchanged again when this returns is copied.
        IReadOnlyDictionary<string, Tensor> Own(IReadOnlyDictionary<string, Tensor> tensors) =>
            own is null ? tensors : tensors.ToDictionary(entry => entry.Key, entry => entry.Value.Clone().Keep());
    }

    /// <summary>Takes over what <see cref="Save"/> of a trainer of the same settings returned; <see cref="Run"/> then goes on from there.</summary>
    /// <exception cref="AdjointException">The state does not fit this trainer.</exception>
    public void Load(TrainingState state)
    {
        model.LoadStateDict(state.Part("model"));
        optimizer.LoadStateDict(state.Part("optimizer"));
        Average?.LoadStateDict(state.Part("average"));
        position = new(
            state.Whole("batch", training.Count), state.Whole("steps"), state.Whole("samples"),
            state.Number("loss-sum"), state.Number("seconds"));
        training.Epoch = state.Whole("pass");
        ShouldStop = state.Number("should-stop") != 0;
        rates = state.Numbers("base-rates", optimizer.Groups.Count);
        foreach (var (group, rate) in optimizer.Groups.Zip(state.Numbers("rates", optimizer.Groups.Count))) group.LearningRate = rate;
        foreach (var (name, generator) in Streams())
        {
            var stream = state.Text($"stream.{name}").Split(' ');
            if (stream.Length != 3 || stream[0] != $"{generator.Seed}" || stream[1] != $"{generator.Stream}" || !ulong.TryParse(stream[2], out var at))
                throw new AdjointException($"Trainer.Load: random stream {name} is {generator.Seed} {generator.Stream} here: found '{string.Join(' ', stream)}'; build the trainer with the settings it was saved with");
            generator.Position = at;
        }
        results.Clear();
        foreach (var line in state.Text("results").Split('\n'))
        {
            var row = TrainingState.Numbers("results", line, 5);
            var number = TrainingState.Whole("results", row[0], results.Count);
            results.Add(new(number, double.IsNaN(row[1]) && row[0] == 0 ? null : row[1], row[2], row[3], row[4]));
        }
        foreach (var callback in Callbacks) callback.Load(this, state);
        isLoaded = true;
    }

    private double[] Rates() => [.. optimizer.Groups.Select(group => group.LearningRate)];

    private void SetRates(double factor)
    {
        for (var i = 0; i < rates.Length; i++) optimizer.Groups[i].LearningRate = rates[i] * factor;
    }

    private IEnumerable<(string Name, Generator Value)> Streams() => model.NamedGenerators().Append(("default", Generator.Default));

    private Tensor LossOf(Tensor x, Tensor y) => Loss.CrossEntropy(
        model.Forward(x.DType.IsFloating() ? x.To(model.DType) : x), y, LabelSmoothing, LossReduction);

    // Returns the sum of the losses of the batch.
    private double Step(Tensor x, Tensor y, int epoch, int step)
    {
        var value = 0.0;
        if (Profile is null) value = Loss();
        else Profile.Observe(() => value = Loss());
        if (!double.IsFinite(value)) throw new DivergedException(epoch, step, value, FindCause(x, y));
        if (Profile is null) optimizer.Step();
        else Profile.Observe(optimizer.Step);
        Average?.Update();
        return LossReduction == Reduction.Mean ? value * y.Length : value;

        double Loss() => (captured?.Run(x, y) ?? Gradients(x, y)).Item();
    }

    private Tensor Gradients(Tensor x, Tensor y)
    {
        optimizer.ZeroGrad();
        var loss = LossOf(x, y);
        loss.Backward();
        return loss;
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
        catch (AnomalyException error)
        {
            // The line of an op that the trainer itself called is that of Run, and tells nothing.
            return error.CalledAt == CallSite.Find().Outside ? error.Finding : error.Message;
        }
        catch (AdjointException error)
        {
            return error.Message;
        }
    }

    private void Finish(int epoch, double? trainLoss, long started)
    {
        using var _ = Average?.Swap();
        var measured = Evaluation.Run(model, validation);
        var result = new EpochResult(epoch, trainLoss, measured.Loss, measured.Accuracy, Stopwatch.GetElapsedTime(started).TotalSeconds);
        results.Add(result);
        position = new(0, position.Steps, 0, 0, 0);
        foreach (var callback in Callbacks) callback.OnEpoch(this, result);
    }

    // Where the run is: batches done in the epoch, steps in all, and what this epoch adds up.
    private readonly record struct Position(int Batch, int Steps, int Samples, double LossSum, double Seconds);
}
