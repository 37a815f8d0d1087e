using System.Diagnostics;
using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Optim;

namespace Adjoint.Training;

/// <summary>
/// Trains any model for any task: the usual loop, with validation before the first epoch and after each, schedules and
/// callbacks. A model that was converted (<c>model.To(DType.BFloat16)</c>) gets its inputs in its type.
/// </summary>
public sealed partial class Trainer
{
    private readonly List<EpochResult> results = [];
    private readonly IReadOnlyList<Metric> metrics;
    private double[] rates = [];
    private Position position;
    private bool isLoaded;
    private bool isRunning;
    private bool isScaled;

    /// <summary>Creates a trainer.</summary>
    /// <param name="model">The network to train.</param>
    /// <param name="optimizer">The optimizer of the model's parameters.</param>
    /// <param name="task">What the model is for: its loss and its metrics.</param>
    /// <param name="training">The samples to learn from, in batches.</param>
    /// <param name="validation">The samples to validate on, in batches; null: there are none.</param>
    /// <exception cref="AdjointException">
    /// Two metrics of the task have one name, a name is no word, or its score is none of them.
    /// </exception>
    public Trainer(
        Module model, Optimizer optimizer, LearningTask task, DataLoader training, DataLoader? validation = null)
    {
        (Model, Optimizer, Task, Training, Validation) = (model, optimizer, task, training, validation);
        Strategy = new LocalTraining(this);
        metrics = task.CreateMetrics();
        foreach (var metric in metrics) RequireName(metric.Name);
        Score = validation is null ? new(MonitoredMetric.TrainLoss, false) : Monitor(task.Score);
    }

    /// <summary>The network that is trained.</summary>
    public Module Model { get; }

    /// <summary>The optimizer of the model's parameters.</summary>
    public Optimizer Optimizer { get; }

    /// <summary>What the model is trained for.</summary>
    public LearningTask Task { get; }

    /// <summary>The batches that the network learns from.</summary>
    public DataLoader Training { get; }

    /// <summary>The batches that the network is validated on; null: there are none.</summary>
    public DataLoader? Validation { get; }

    /// <summary>
    /// The measure that chooses the best epoch: that of the task, or the training loss where nothing is validated.
    /// </summary>
    public MonitoredMetric Score { get; }

    /// <summary>
    /// The factors of the learning rate, by the number of batches so far; null: a constant rate.
    /// </summary>
    public Schedule? Schedule { get; init; }

    /// <summary>
    /// Schedules of single groups of parameters, by the number of the group, in place of <see cref="Schedule"/>.
    /// </summary>
    /// <exception cref="AdjointException">There is no group of that number.</exception>
    public IReadOnlyDictionary<int, Schedule> GroupSchedules
    {
        get;
        init
        {
            foreach (var group in value.Keys)
                if ((uint)group >= (uint)Optimizer.Groups.Count)
                    throw new AdjointException(
                        $"Trainer: there is no group {group} of parameters to schedule; the optimizer's are "
                        + $"0..{Optimizer.Groups.Count - 1}");
            field = value;
        }
    } = new Dictionary<int, Schedule>();

    /// <summary>
    /// A factor of all learning rates beside the schedule's, 1 when a run begins; callbacks set it.
    /// </summary>
    public double RateFactor
    {
        get;
        set
        {
            field = value;
            isScaled |= value != 1;
        }
    } = 1;

    /// <summary>
    /// The number of batches whose gradients make one step of the optimizer, as if they were one batch; 1 by default.
    /// At the end of an epoch the batches that remain make one.
    /// </summary>
    /// <exception cref="AdjointException">The number is not positive.</exception>
    public int BatchesPerStep
    {
        get;
        init => field = value > 0
            ? value
            : throw new AdjointException($"Trainer: BatchesPerStep must be positive: found {value}");
    } = 1;

    /// <summary>
    /// The largest 2-norm of all gradients together; larger ones are scaled down
    /// (<see cref="Optim.ClipGradients.ByNorm"/>), and a norm that is NaN or infinite ends the run. By default they are
    /// not.
    /// </summary>
    /// <exception cref="AdjointException">The value is not positive.</exception>
    public double MaxGradientNorm
    {
        get;
        init => field = RequireLimit(value);
    } = double.PositiveInfinity;

    /// <summary>
    /// The largest magnitude of an element of a gradient; larger ones are clamped
    /// (<see cref="Optim.ClipGradients.ByValue"/>), before the norm is taken. By default they are not.
    /// </summary>
    /// <exception cref="AdjointException">The value is not positive.</exception>
    public double MaxGradientValue
    {
        get;
        init => field = RequireLimit(value);
    } = double.PositiveInfinity;

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

    /// <summary>Is told where the run is, after each batch and each epoch; null: nobody.</summary>
    public IProgress<TrainingProgress>? Progress { get; init; }

    /// <summary>The callbacks, which are called in order.</summary>
    public IList<Callback> Callbacks { get; } = [];

    /// <summary>Whether to end the run after this epoch; set by callbacks.</summary>
    public bool ShouldStop { get; set; }

    /// <summary>Where and how often the state of the run is saved; null: never.</summary>
    public Checkpoints? Checkpoints { get; init; }

    /// <summary>How the steps of the run so far were computed; null where they are eager by choice.</summary>
    public CaptureReport? Capture => Strategy.Report;

    /// <summary>How gradients and measures are computed: alone, or together with other ranks.</summary>
    internal TrainingStrategy Strategy { get; set; }

    /// <summary>The measures of the epochs so far.</summary>
    public IReadOnlyList<EpochResult> Results => results;

    /// <summary>
    /// Trains up to <paramref name="epochs"/> epochs, or continues up to them after <see cref="Load"/>. A cancellation
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
    /// The number of epochs is negative, the training loader has no batch, the samples do not fit the task, a callback
    /// of a run called it, or there is a <see cref="MaxGradientNorm"/> and the gradients' norm is NaN or infinite.
    /// </exception>
    public TrainingResult Fit(int epochs, CancellationToken cancellation = default)
    {
        if (epochs < 0)
            throw new AdjointException(
                $"Trainer: the number of epochs must not be negative: found {epochs}; 0 only measures");
        if (isRunning)
            throw new AdjointException(
                "Trainer: a callback of its run called Fit() again; set ShouldStop, and call it when the run has "
                + "ended");
        isRunning = true;
        try
        {
            Strategy.Begin(isNewRun: !isLoaded, epochs, cancellation);
            var result = FitRun(epochs);
            foreach (var callback in Callbacks) callback.AfterFit(this, result);
            Strategy.End();
            return result;
        }
        catch (Exception error)
        {
            Strategy.Fail(error);
            foreach (var callback in Callbacks) callback.OnException(this, error);
            throw;
        }
        finally
        {
            isRunning = false;
        }
    }

    /// <summary><see cref="Fit"/> on another thread, with the same bits.</summary>
    /// <inheritdoc cref="Fit"/>
    public Task<TrainingResult> FitAsync(int epochs, CancellationToken cancellation = default) =>
        System.Threading.Tasks.Task.Run(() => Fit(epochs, cancellation), CancellationToken.None);

    /// <summary>
    /// Measures the model, or its <see cref="Average"/> if there is one, in evaluation mode; nothing changes.
    /// </summary>
    /// <param name="batches">The samples to measure on.</param>
    /// <param name="views">The views of each sample to average over; null: the sample itself.</param>
    /// <returns>Loss and metrics.</returns>
    /// <exception cref="AdjointException">The samples do not fit the task, or not the model.</exception>
    public Evaluation Evaluate(DataLoader batches, TestTimeAugmentation? views = null)
    {
        using var _ = Average?.Swap();
        return Evaluation.Run(Model, Task, batches, views);
    }

    /// <summary>
    /// Predicts by the model, or its <see cref="Average"/> if there is one, in evaluation mode; nothing changes.
    /// </summary>
    /// <param name="batches">The samples, without targets if need be.</param>
    /// <param name="views">The views of each sample to average over; null: the sample itself.</param>
    /// <returns>
    /// What <see cref="LearningTask.Predict"/> makes of the outputs, one row per sample, in the loader's order.
    /// </returns>
    /// <exception cref="AdjointException">There are no samples, or they do not fit the model.</exception>
    public Tensor Predict(DataLoader batches, TestTimeAugmentation? views = null)
    {
        batches.RequireBatches("Trainer.Predict");
        using var _ = Average?.Swap();
        using var recording = new NoGrad();
        using var use = Model.EvalScope();
        return Tensor.Concat([.. batches.Select(batch =>
            Task.Predict((views ?? TestTimeAugmentation.None).Predict(Task, Model, batch)))]);
    }

    /// <summary>A measure of this run's epochs by its name, for a callback.</summary>
    /// <param name="name">
    /// <c>loss</c>, the validation loss, or the training loss where nothing is validated; <c>trainLoss</c>; or the name
    /// of one of the task's metrics.
    /// </param>
    /// <returns>The measure, and which of two values is better.</returns>
    /// <exception cref="AdjointException">There is no measure of that name, or nothing is validated.</exception>
    public MonitoredMetric Monitor(string name)
    {
        if (name is MonitoredMetric.Loss && Validation is null) name = MonitoredMetric.TrainLoss;
        if (name is MonitoredMetric.Loss or MonitoredMetric.TrainLoss) return new(name, IsHigherBetter: false);
        var metric = metrics.FirstOrDefault(metric => metric.Name == name)
            ?? throw new AdjointException(
                $"Trainer: the task {Task.Name} has no metric '{name}'; it has "
                + string.Join(", ", metrics.Select(own => own.Name).Prepend(MonitoredMetric.TrainLoss)
                    .Prepend(MonitoredMetric.Loss)) + "; add it to Metrics of the task");
        return Validation is not null
            ? new(name, metric.IsHigherBetter)
            : throw new AdjointException(
                $"Trainer: the metric '{name}' is one of validation samples, and there are none; give the trainer "
                + "some, or use trainLoss");
    }

    private TrainingResult FitRun(int epochs)
    {
        if (epochs > 0) Training.RequireBatches("Trainer");
        if (!isLoaded)
        {
            (position, rates, ShouldStop, RateFactor, isScaled) = (default, Rates(), false, 1, false);
            results.Clear();
        }
        foreach (var callback in Callbacks) callback.BeforeFit(this);
        if (!isLoaded) Finish(0, null, Stopwatch.GetTimestamp(), epochs);
        isLoaded = false;
        try
        {
            return FitOn(epochs);
        }
        finally
        {
            if (HasRates)
                foreach (var (group, rate) in Optimizer.Groups.Zip(rates)) group.LearningRate = rate;
        }
    }

    private TrainingResult FitOn(int epochs)
    {
        Strategy.BeginSteps();
        Strategy.Agree();
        while (results.Count <= epochs && !ShouldStop)
        {
            var (epoch, started) =
                (results.Count, Stopwatch.GetTimestamp() - (long)(position.Seconds * Stopwatch.Frequency));
            Model.Train();
            foreach (var callback in Callbacks) callback.BeforeEpoch(this, epoch);
            Training.Start = position.Batch;
            foreach (var batch in Training.InShards(Strategy.Shards))
            {
                var (total, weight) = Learn(batch, epoch);
                position = new(position.Batch + 1, position.Steps + 1, position.Weight + weight,
                    position.LossSum + total, Stopwatch.GetElapsedTime(started).TotalSeconds);
                var info = new StepInfo(epoch, position.Batch, Training.Count, total / weight, batch.Count);
                foreach (var callback in Callbacks) callback.AfterBatch(this, info);
                Progress?.Report(new(epochs, info, null));
                if (Strategy.IsCanceled)
                {
                    if (Strategy.HasCheckpoints) WriteCheckpoint();
                    return Result(wasCanceled: true);
                }
                if (position.Batch < Training.Count && Strategy.IsCheckpointDue) WriteCheckpoint();
            }
            Finish(epoch, position.LossSum / position.Weight, started, epochs);
            Strategy.Agree();
            if (Strategy.IsCheckpointDue) WriteCheckpoint();
        }
        return Result(wasCanceled: false);
    }

    // Returns the sum of the losses of the batch, and what its mean is over.
    private (double Total, double Weight) Learn(ShardedBatch batch, int epoch)
    {
        var shown = Strategy.Shown(batch);
        foreach (var callback in Callbacks) callback.BeforeBatch(this, shown);
        if (HasRates) SetRates();
        var done = position.Batch + 1;
        var endsStep = done % BatchesPerStep == 0 || done == Training.Count;
        var measured = Strategy.Learn(batch, new(epoch, done, position.Steps, endsStep));
        if (endsStep) StepOptimizer();
        return measured;
    }

    /// <summary>Refuses a trainer that is in a run.</summary>
    internal void RequireIdle(string who)
    {
        if (isRunning)
            throw new AdjointException($"{who}: the trainer is in a run; make it before Fit() is called");
    }

    /// <summary>Sets <see cref="RateFactor"/> between the rates of a batch and its step.</summary>
    internal void ChangeRateFactor(double factor)
    {
        RateFactor = factor;
        SetRates();
    }

    /// <summary>Clips the gradients, where that is asked for.</summary>
    internal void ClipGradients()
    {
        if (MaxGradientValue < double.PositiveInfinity)
            Optim.ClipGradients.ByValue(Model.Parameters(), MaxGradientValue);
        if (MaxGradientNorm < double.PositiveInfinity)
            Optim.ClipGradients.ByNorm(Model.Parameters(), MaxGradientNorm, errorIfNonFinite: true);
    }

    private void StepOptimizer()
    {
        Strategy.ClipGradients();
        foreach (var callback in Callbacks) callback.BeforeOptimizerStep(this);
        Strategy.StepOptimizer();
        Average?.Update();
        foreach (var callback in Callbacks) callback.AfterOptimizerStep(this);
    }

    private void Finish(int epoch, double? trainLoss, long started, int epochs)
    {
        using var _ = Average?.Swap();
        var measured = new Evaluation(double.NaN, new MetricValues([]));
        if (Validation is not null)
        {
            foreach (var callback in Callbacks) callback.BeforeValidation(this);
            measured = Strategy.Evaluate(Validation);
            foreach (var callback in Callbacks) callback.AfterValidation(this, measured);
        }
        var result = new EpochResult(epoch, trainLoss, measured.Loss, measured.Metrics,
            Stopwatch.GetElapsedTime(started).TotalSeconds);
        results.Add(result);
        position = new(0, position.Steps, 0, 0, 0);
        Strategy.EndEpoch(epoch, result.Seconds);
        foreach (var callback in Callbacks) callback.AfterEpoch(this, result);
        Progress?.Report(new(epochs, null, result));
    }

    private TrainingResult Result(bool wasCanceled) => new([.. results], wasCanceled, Score) { Capture = Capture };

    private double[] Rates() => [.. Optimizer.Groups.Select(group => group.LearningRate)];

    // Whether rates are the trainer's to set: otherwise they are as whoever set them left them.
    private bool HasRates => Schedule is not null || GroupSchedules.Count > 0 || isScaled;

    private void SetRates()
    {
        for (var i = 0; i < rates.Length; i++)
        {
            var schedule = GroupSchedules.TryGetValue(i, out var own) ? own : Schedule;
            Optimizer.Groups[i].LearningRate = rates[i] * (schedule?.Factor(position.Steps) ?? 1) * RateFactor;
        }
    }

    private void RequireName(string name)
    {
        if (name is MonitoredMetric.Loss or MonitoredMetric.TrainLoss || name.Length == 0
            || name.Any(letter => char.IsWhiteSpace(letter) || letter == '='))
            throw new AdjointException(
                $"Trainer: the name of a metric must be a word other than loss and trainLoss: found '{name}'");
        if (metrics.Count(metric => metric.Name == name) > 1)
            throw new AdjointException(
                $"Trainer: the task {Task.Name} has two metrics of the name '{name}'; each must have its own");
    }

    private static double RequireLimit(double limit) => limit > 0
        ? limit
        : throw new AdjointException($"Trainer: a limit of gradients must be positive: found {limit}");

    // Where the run is: batches done in the epoch, batches in all, and what this epoch adds up.
    private readonly record struct Position(int Batch, int Steps, double Weight, double LossSum, double Seconds);
}
