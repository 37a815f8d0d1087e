using System.Diagnostics;
using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

namespace Adjoint.Explorer;

/// <summary>A measurement at a step.</summary>
internal readonly record struct CurvePoint(int Step, double Loss, double Accuracy);

/// <summary>A network that learns while it is looked at. Belongs to one thread.</summary>
internal sealed class LiveTraining
{
    /// <summary>The share of time that validation may take.</summary>
    private const double ValidationShare = 0.1;

    private readonly LiveTask task;
    private readonly DataLoader validation;
    private readonly IReadOnlyDictionary<string, Tensor>? start;
    private IEnumerator<Batch> batches = null!;
    private long nextStep, nextValidation;
    private int stopAt = int.MaxValue;
    private int changes;

    internal LiveTraining(LiveTask task, IReadOnlyDictionary<string, Tensor>? start = null)
    {
        (this.task, this.start) = (task, start);
        var isFlat = task.Data.Validation.SampleShape.Rank == 1;
        var count = Math.Min(task.Data.Validation.Count, isFlat ? 2000 : 256);
        var few = task.Data.Validation.Slice("validation", 0, count);
        validation = new(few, 250, new() { Prefetch = 0 });
        Probe = few.Load([.. Enumerable.Range(0, Math.Min(few.Count, isFlat ? 256 : 32))]);
        Begin(task.Seed);
    }

    internal LiveTask Task => task;
    internal Layer Model { get; private set; } = null!;
    internal Optimizer Optimizer { get; private set; } = null!;
    internal string OptimizerName { get; private set; } = "";
    internal ulong Seed { get; private set; }

    /// <summary>Steps taken since the last reset.</summary>
    internal int Step { get; private set; }

    /// <summary>How often it began anew.</summary>
    internal int Resets { get; private set; }

    /// <summary>Names the state that a snapshot shows.</summary>
    internal string Version => $"{Resets}.{changes}.{Step}";

    internal int StepsPerEpoch { get; private set; }
    internal bool IsPlaying { get; private set; }

    /// <summary>Steps a second at the most; 0 is as fast as possible.</summary>
    internal double Speed { get; set; }

    /// <summary>Why training stopped by itself, or null.</summary>
    internal string? Problem { get; private set; }

    internal List<CurvePoint> Training { get; } = [];
    internal List<CurvePoint> Validation { get; } = [];

    /// <summary>What the next step will learn from.</summary>
    internal Batch Batch { get; private set; } = null!;

    /// <summary>Validation samples at which layers are looked at.</summary>
    internal Batch Probe { get; }

    /// <summary>The same batch and parameters as the next step's, with everything that happens in it.</summary>
    internal ComputationGraph Snapshot() => LayerWatch.LeavingNoTrace(Model, () =>
    {
        Model.Train();
        using var tracing = new Tracing();
        // From the pixels on, not from the first parameter.
        using var whole = new RecordGraph();
        var loss = Loss.CrossEntropy(Model.Forward(Batch.Inputs), Batch.Targets);
        return ComputationGraph.Of(loss,
            new Dictionary<Tensor, string> { [Batch.Inputs] = "x", [Batch.Targets] = "labels" });
    });

    internal void Play() => (IsPlaying, Problem, nextStep, stopAt) = (true, null, 0, int.MaxValue);

    internal void Pause()
    {
        IsPlaying = false;
        Validate();
    }

    internal void TakeStep()
    {
        Pause();
        Learn();
        Validate();
    }

    /// <summary>Plays to the end of the epoch.</summary>
    internal void TakeEpoch()
    {
        Play();
        stopAt = (Step / StepsPerEpoch + 1) * StepsPerEpoch;
    }

    /// <summary>Begins anew with other random numbers.</summary>
    internal void Reset(ulong seed)
    {
        IsPlaying = false;
        Resets++;
        Begin(seed);
    }

    /// <exception cref="AdjointException">The rate is negative or not finite.</exception>
    internal void SetLearningRate(double rate) =>
        Optimizer.LearningRate = rate >= 0 && double.IsFinite(rate)
            ? rate
            : throw new AdjointException($"learning rate: {rate} is out of range; use 0 or more");

    /// <summary>
    /// Continues with another optimizer, at a learning rate of its own: one that suits SGD makes Adam diverge.
    /// </summary>
    /// <exception cref="AdjointException">No such optimizer.</exception>
    internal void SetOptimizer(string name)
    {
        if (!task.Optimizers.Contains(name))
            throw new AdjointException($"optimizer: '{name}' is none of {string.Join(", ", task.Optimizers)}");
        Optimizer = task.CreateOptimizer(name, Model, name == task.Optimizer ? task.LearningRate : task.RateOf(name));
        OptimizerName = name;
    }

    /// <exception cref="AdjointException">No such activation, or the network's cannot be changed.</exception>
    internal void SetActivation(string name)
    {
        if (ActivationSwap.All.All(activation => activation.Name != name))
        {
            var known = string.Join(", ", ActivationSwap.All.Select(activation => activation.Name));
            throw new AdjointException($"activation: '{name}' is none of {known}");
        }
        if (ActivationSwap.Of(Model) is null || Model is not Sequential layers)
            throw new AdjointException("activation: that of this network is part of its blocks; "
                + "explore an mlp or lenet to change it");
        Model = ActivationSwap.With(layers, name);
        changes++;
    }

    /// <summary>
    /// A step, where one is due; returns after how many milliseconds the next one is, null when not playing.
    /// </summary>
    internal int? Advance()
    {
        if (!IsPlaying) return null;
        var now = Stopwatch.GetTimestamp();
        if (now < nextStep) return (int)Math.Ceiling((nextStep - now) * 1e3 / Stopwatch.Frequency);
        // No step waits longer than an hour, however slow it is told to be.
        nextStep = Speed > 0 ? now + (long)(Stopwatch.Frequency * Math.Min(1 / Speed, 3600)) : 0;
        Learn();
        if (Step >= stopAt) Pause();
        else if (Stopwatch.GetTimestamp() >= nextValidation) Validate();
        return IsPlaying ? 0 : null;
    }

    private void Begin(ulong seed)
    {
        Seed = seed;
        Model = task.CreateModel(seed);
        if (start is not null && seed == task.Seed) Model.LoadStateDict(start);
        OptimizerName = OptimizerName.Length > 0 ? OptimizerName : task.Optimizer;
        Optimizer = task.CreateOptimizer(OptimizerName, Model, Optimizer?.LearningRate ?? task.LearningRate);
        var loader = new DataLoader(task.Data.Train, task.BatchSize,
            new() { Shuffle = true, Seed = seed, DropLast = task.Data.Train.Count > task.BatchSize, Prefetch = 0 });
        StepsPerEpoch = loader.Count;
        batches = Endless(loader).GetEnumerator();
        (Step, Problem, nextValidation) = (0, null, 0);
        Training.Clear();
        Validation.Clear();
        NextBatch();
        Validate();
    }

    private static IEnumerable<Batch> Endless(DataLoader loader)
    {
        while (true)
            foreach (var batch in loader) yield return batch;
    }

    private void NextBatch()
    {
        batches.MoveNext();
        Batch = batches.Current;
    }

    private void Learn()
    {
        Model.Train();
        Optimizer.ZeroGrad();
        var logits = Model.Forward(Batch.Inputs);
        var loss = Loss.CrossEntropy(logits, Batch.Targets);
        loss.Backward();
        if (!double.IsFinite(loss.Item()))
        {
            IsPlaying = false;
            Problem = $"The loss became {loss.Item()} in step {Step + 1}: try a smaller learning rate, and reset.";
            return;
        }
        Optimizer.Step();
        Step++;
        var (predicted, labels) = (logits.ArgMax().ToArray<long>(), Batch.Targets.ToArray<long>());
        var right = predicted.Zip(labels).Count(pair => pair.First == pair.Second);
        Training.Add(new(Step, loss.Item(), right / (double)labels.Length));
        NextBatch();
    }

    private void Validate()
    {
        if (Validation.Count > 0 && Validation[^1].Step == Step) return;
        var begun = Stopwatch.GetTimestamp();
        var measured = Evaluation.Run(Model, new ClassificationTask(), validation);
        Validation.Add(new(Step, measured.Loss, measured.Accuracy));
        var now = Stopwatch.GetTimestamp();
        nextValidation = now + (long)((now - begun) / ValidationShare);
    }
}
