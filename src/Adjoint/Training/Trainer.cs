using System.Diagnostics;
using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Optim;

namespace Adjoint.Training;

/// <summary>The measures of one epoch. Losses are means per sample; epoch 0 is the network before training.</summary>
/// <param name="Epoch">The number of the epoch.</param>
/// <param name="TrainLoss">The loss over the training samples, while the parameters changed; null for epoch 0.</param>
/// <param name="ValidationLoss">The loss over the validation samples, after the epoch.</param>
/// <param name="ValidationAccuracy">The fraction of validation samples whose largest logit is the label's.</param>
/// <param name="Seconds">The time of training and validation, in seconds.</param>
public sealed record EpochResult(int Epoch, double? TrainLoss, double ValidationLoss, double ValidationAccuracy,
    double Seconds);

/// <summary>The measures of a training run.</summary>
/// <param name="Epochs">The measures of each epoch, from 0.</param>
/// <param name="WasCanceled">Whether the run was canceled before its last epoch.</param>
public sealed record TrainingResult(IReadOnlyList<EpochResult> Epochs, bool WasCanceled)
{
    /// <summary>How the steps were computed: captured, or why not; null where they were to be eager.</summary>
    public CaptureReport? Capture { get; init; }

    /// <summary>The first epoch with the highest validation accuracy.</summary>
    public EpochResult Best => Epochs.MaxBy(epoch => epoch.ValidationAccuracy)!;

    /// <summary>The last epoch that was measured.</summary>
    public EpochResult Final => Epochs[^1];
}

/// <summary>The loss of a training step became NaN or infinite.</summary>
/// <param name="epoch">The epoch of the step, from 1.</param>
/// <param name="step">The step in it, from 1.</param>
/// <param name="loss">The loss of the step.</param>
/// <param name="cause">What was found to cause it, for the message.</param>
public sealed class DivergedException(int epoch, int step, double loss, string cause)
    : AdjointException(
        $"training: the loss became {loss} in epoch {epoch}, step {step}: {cause}; try a smaller learning rate")
{
    /// <summary>The epoch of the step, from 1.</summary>
    public int Epoch => epoch;

    /// <summary>The step in the epoch, from 1.</summary>
    public int Step => step;
}

/// <summary>Follows a training run; override the methods of interest.</summary>
public abstract class Callback
{
    /// <summary>Called after each step.</summary>
    /// <param name="trainer">The trainer of the run.</param>
    /// <param name="step">The number and the loss of the step.</param>
    public virtual void OnStep(Trainer trainer, StepInfo step) { }

    /// <summary>Called after each epoch, epoch 0 (before training) included.</summary>
    /// <param name="trainer">The trainer of the run.</param>
    /// <param name="epoch">The measures of the epoch.</param>
    public virtual void OnEpoch(Trainer trainer, EpochResult epoch) { }

    /// <summary>Adds the state of this callback to a checkpoint.</summary>
    /// <param name="state">The state to add to.</param>
    public virtual void Save(TrainingState state) { }

    /// <summary>Resumes from a saved state; the trainer already has.</summary>
    /// <param name="trainer">The trainer of the run.</param>
    /// <param name="state">The state to resume from.</param>
    public virtual void Load(Trainer trainer, TrainingState state) { }
}

/// <summary>A step of a training run, and its loss.</summary>
/// <param name="Epoch">The epoch, counted from 1.</param>
/// <param name="Step">The step in the epoch, counted from 1.</param>
/// <param name="Steps">The number of steps per epoch.</param>
/// <param name="Loss">The loss of the batch, mean per sample.</param>
/// <param name="Samples">The number of samples in the batch.</param>
public readonly record struct StepInfo(int Epoch, int Step, int Steps, double Loss, int Samples);

/// <summary>
/// Trains a classifier: the usual loop, with validation before the first epoch and after each, schedules and callbacks.
/// A model that was converted (<c>model.To(DType.BFloat16)</c>) gets its samples in its type.
/// </summary>
/// <param name="model">The network, with logits (n, classes).</param>
/// <param name="optimizer">The optimizer of the model's parameters.</param>
/// <param name="training">The samples to learn from, in batches.</param>
/// <param name="validation">The samples to validate on, in batches.</param>
public sealed class Trainer(Layer model, Optimizer optimizer, DataLoader training, DataLoader validation)
{
    private readonly List<EpochResult> results = [];
    private CapturedFunction<Tensor>? captured;
    private double[] rates = [];
    private Position position;
    private bool isLoaded;
    private bool isRunning;

    /// <summary>The network that is trained.</summary>
    public Layer Model => model;

    /// <summary>The optimizer of the model's parameters.</summary>
    public Optimizer Optimizer => optimizer;

    /// <summary>The batches that the network learns from.</summary>
    public DataLoader Training => training;

    /// <summary>
    /// Whether the loss of a batch, whose gradient is followed, is the mean or the sum over its samples; the mean by
    /// default.
    /// </summary>
    public Reduction LossReduction { get; init; } = Reduction.Mean;

    /// <summary>The label smoothing of <see cref="Loss.CrossEntropy"/>, in [0, 1); 0 by default.</summary>
    public double LabelSmoothing { get; init; }

    /// <summary>The factors of the learning rate by step; null: a constant rate.</summary>
    public Schedule? Schedule { get; init; }

    /// <summary>
    /// Whether every step runs eagerly. By default steps are captured where possible
    /// (<see cref="CapturedFunction{TResult}"/>), with the same bits.
    /// </summary>
    public bool Eager { get; init; }

    /// <summary>
    /// A moving average of the model's weights, which is then validated and kept; null: the weights themselves are.
    /// </summary>
    public WeightAverage? Average { get; init; }

    /// <summary>Times the operations of the steps; null: no timing.</summary>
    public Profile? Profile { get; init; }

    /// <summary>The callbacks, which are called in order.</summary>
    public IList<Callback> Callbacks { get; } = [];

    /// <summary>Whether to end the run after this epoch; set by callbacks.</summary>
    public bool ShouldStop { get; set; }

    /// <summary>Where and how often the state of the run is saved; null: never.</summary>
    public Checkpoints? Checkpoints { get; init; }

    /// <summary>How the steps of the run so far were computed; null where they are eager by choice.</summary>
    public CaptureReport? Capture => captured?.Report;

    /// <summary>The measures of the epochs so far.</summary>
    public IReadOnlyList<EpochResult> Results => results;

    /// <summary>
    /// Runs up to <paramref name="epochs"/> epochs, or continues up to them after <see cref="Load"/>. A cancellation
    /// finishes the step in progress, and saves a checkpoint if there are any. Another call trains the weights further,
    /// with epochs and schedule from the start; a schedule leaves the optimizer at its base rates when a run ends.
    /// </summary>
    /// <param name="epochs">The number of epochs, 0 or more; 0 only validates.</param>
    /// <param name="cancellation">Ends the run after the step in progress.</param>
    /// <returns>The measures of each epoch.</returns>
    /// <exception cref="DivergedException">
    /// The loss is NaN or infinite; the parameters are as before that step.
    /// </exception>
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
            var (epoch, started) =
                (results.Count, Stopwatch.GetTimestamp() - (long)(position.Seconds * Stopwatch.Frequency));
            model.Train();
            training.Start = position.Batch;
            foreach (var (x, y) in training)
            {
                if (Schedule is not null) SetRates(Schedule.Factor(position.Steps));
                var total = Step(x, y, epoch, position.Batch + 1);
                position = new(position.Batch + 1, position.Steps + 1, position.Samples + y.Length, position.LossSum
                    + total, Stopwatch.GetElapsedTime(started).TotalSeconds);
                foreach (var callback in Callbacks)
                    callback.OnStep(this, new(epoch, position.Batch, training.Count, total / y.Length, y.Length));
                if (cancellation.IsCancellationRequested)
                {
                    Checkpoints?.Write(Save);
                    return new([.. results], WasCanceled: true) { Capture = Capture };
                }
                if (position.Batch < training.Count) Checkpoints?.WriteIfDue(Save);
            }
            Finish(epoch, position.LossSum / position.Samples, started);
            Checkpoints?.WriteIfDue(Save);
        }
        return new([.. results], WasCanceled: false) { Capture = Capture };
    }

    /// <summary>
    /// Everything needed to resume from here, bit for bit: model, optimizer, average, position in the schedule and in
    /// the data, random streams, measures, and the state of callbacks. The tensors are the trainer's own: write them
    /// before the next step.
    /// </summary>
    /// <returns>The state, to write or to <see cref="Load"/>.</returns>
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
        foreach (var (name, generator) in Streams())
            state.Set($"stream.{name}", $"{generator.Seed} {generator.Stream} {generator.Position}");
        state.Set(
            "results",
            string.Join(
            '\n', results.Select(
            epoch =>
            TrainingState.Text(
            [epoch.Epoch, epoch.TrainLoss ?? double.NaN, epoch.ValidationLoss, epoch.ValidationAccuracy,
                epoch.Seconds]))));
        foreach (var callback in Callbacks) callback.Save(state);
        return state;

        // What is exchanged again when this returns is copied.
        IReadOnlyDictionary<string, Tensor> Own(IReadOnlyDictionary<string, Tensor> tensors) =>
            own is null ? tensors : tensors.ToDictionary(entry => entry.Key, entry => entry.Value.Clone().Keep());
    }

    /// <summary>
    /// Resumes from what <see cref="Save"/> of a trainer with the same settings returned; <see cref="Run"/> then
    /// continues from there.
    /// </summary>
    /// <param name="state">The state to resume from.</param>
    /// <exception cref="AdjointException">The state does not fit this trainer.</exception>
    public void Load(TrainingState state)
    {
        model.LoadStateDict(state.TensorsOf("model"));
        optimizer.LoadStateDict(state.TensorsOf("optimizer"));
        Average?.LoadStateDict(state.TensorsOf("average"));
        position = new(
            state.Integer("batch", training.Count), state.Integer("steps"), state.Integer("samples"),
            state.Number("loss-sum"), state.Number("seconds"));
        training.Epoch = state.Integer("pass");
        ShouldStop = state.Number("should-stop") != 0;
        rates = state.Numbers("base-rates", optimizer.Groups.Count);
        foreach (var (group, rate) in optimizer.Groups.Zip(state.Numbers("rates", optimizer.Groups.Count)))
            group.LearningRate = rate;
        foreach (var (name, generator) in Streams())
        {
            var stream = state.Text($"stream.{name}").Split(' ');
            if (stream.Length != 3 || stream[0] != $"{generator.Seed}" || stream[1] != $"{generator.Stream}"
                || !ulong.TryParse(stream[2], out var at))
                throw new AdjointException(
                    $"Trainer.Load: random stream {name} is {generator.Seed} {generator.Stream} here: found " +
                    $"'{string.Join(' ', stream)}'; build the trainer with the settings it was saved with");
            generator.Position = at;
        }
        results.Clear();
        foreach (var line in state.Text("results").Split('\n'))
        {
            var row = TrainingState.Numbers("results", line, 5);
            var number = TrainingState.Integer("results", row[0], results.Count);
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

    private IEnumerable<(string Name, Generator Value)> Streams() =>
        model.NamedGenerators().Append(("default", Generator.Default));

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
        var result = new EpochResult(epoch, trainLoss, measured.Loss, measured.Accuracy,
            Stopwatch.GetElapsedTime(started).TotalSeconds);
        results.Add(result);
        position = new(0, position.Steps, 0, 0, 0);
        foreach (var callback in Callbacks) callback.OnEpoch(this, result);
    }

    // Where the run is: batches done in the epoch, steps in all, and what this epoch adds up.
    private readonly record struct Position(int Batch, int Steps, int Samples, double LossSum, double Seconds);
}
