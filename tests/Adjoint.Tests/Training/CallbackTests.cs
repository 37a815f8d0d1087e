using Adjoint.Data;
using Adjoint.IO;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

namespace Adjoint.Tests.Training;

/// <summary>What callbacks see of a run, and when.</summary>
public sealed class CallbackTests : IDisposable
{
    private static readonly DataSplits Data = Synth.Create(seed: 1, train: 64, validation: 32);
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Every_moment_of_a_run_has_its_call_in_order()
    {
        var trainer = New(out _, new(new CheckpointStore(folder), TimeSpan.FromHours(1)), perStep: 2);
        var seen = new Recorder();
        trainer.Callbacks.Add(seen);
        trainer.Fit(1);
        trainer.WriteCheckpoint();
        Assert.Equal(
            [
                "BeforeFit", "BeforeValidation", "AfterValidation", "AfterEpoch 0", "BeforeEpoch 1",
                "BeforeBatch", "AfterBatch 1", "BeforeBatch", "BeforeOptimizerStep", "AfterOptimizerStep",
                    "AfterBatch 2",
                "BeforeValidation", "AfterValidation", "AfterEpoch 1", "AfterFit", "BeforeSave", "Save", "AfterSave",
            ], seen.Calls);
        seen.Calls.Clear();
        trainer.Load(trainer.Save());
        trainer.Fit(1);
        Assert.Equal(["Save", "BeforeLoad", "Load", "AfterLoad", "BeforeFit", "AfterFit"], seen.Calls);
    }

    [Fact]
    public void An_exception_is_shown_and_thrown_on()
    {
        var trainer = New(out _, rate: 1e38);
        var seen = new Recorder();
        trainer.Callbacks.Add(seen);
        var error = Assert.Throws<DivergedException>(() => trainer.Fit(9));
        Assert.Equal($"OnException {error.Message}", seen.Calls[^1]);
        Assert.DoesNotContain("AfterFit", seen.Calls);
    }

    [Fact]
    public void A_callback_that_looks_into_steps_makes_them_eager_with_the_same_bits()
    {
        var trainer = New(out var watched);
        var inside = new Inside();
        trainer.Callbacks.Add(inside);
        var result = trainer.Fit(2);
        New(out var plain).Fit(2);
        Assert.Equal(Bits(plain), Bits(watched));
        Assert.Equal((0L, 8L), (result.Capture!.Replayed, result.Capture.Eager));
        Assert.StartsWith("eager: the callback Inside looks into each step", $"{result.Capture}",
            StringComparison.Ordinal);
        Assert.Equal(["BeforeForward", "AfterForward", "BeforeBackward False", "AfterBackward True"],
            inside.Calls.Take(4));
        Assert.Equal(4 * 8, inside.Calls.Count);
        Assert.Equal(result.Epochs[2].TrainLoss!.Value, inside.Losses.Skip(4).Average(), 1e-6);
    }

    [Fact]
    public async Task Progress_and_another_thread_change_nothing()
    {
        var reports = new List<TrainingProgress>();
        var trainer = New(out var told, progress: new Told(reports.Add));
        var result = await trainer.FitAsync(2, TestContext.Current.CancellationToken);
        New(out var plain).Fit(2);
        Assert.Equal(Bits(plain), Bits(told));
        Assert.Equal(3 + 8, reports.Count);
        Assert.Equal([0, 0.125, 0.25, 0.375, 0.5, 0.5, 0.625, 0.75, 0.875, 1, 1], reports.Select(one => one.Fraction));
        Assert.Equal(result.Epochs, reports.Where(one => one.Epoch is not null).Select(one => one.Epoch!));
    }

    [Fact]
    public void Early_stopping_follows_any_metric_up_or_down()
    {
        int? StopsAt(string metric, Func<int, (double Loss, double Accuracy)> measures)
        {
            var (trainer, rule) = (New(out _), new EarlyStopping(patience: 2, metric: metric));
            for (var epoch = 0; epoch < 9; epoch++)
            {
                var (loss, accuracy) = measures(epoch);
                rule.AfterEpoch(trainer, new(epoch, epoch == 0 ? null : loss, loss, Measures.Accuracy(accuracy), 0));
                if (trainer.ShouldStop) return epoch;
            }
            return null;
        }

        // The loss rises and the accuracy, too.
        Assert.Null(StopsAt("accuracy", epoch => (epoch, epoch)));
        Assert.Equal(2, StopsAt("loss", epoch => (epoch, epoch)));
        Assert.Equal(3, StopsAt("trainLoss", epoch => (epoch, epoch)));
        Assert.Equal(5, StopsAt("accuracy", epoch => (1, Math.Min(epoch, 3))));
        var error = Assert.Throws<AdjointException>(() => StopsAt("auc", _ => (0, 0)));
        Assert.Contains("has no metric 'auc'; it has loss, trainLoss, accuracy, f1", error.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_plateau_reduces_the_rates_of_all_groups_on_top_of_their_schedules()
    {
        // PyTorch's rule, with patience 1: losses 1, 2, 2 | 2, 2 | 0.5, 0.6, 0.6 |.
        double[] losses = [1, 2, 2, 2, 2, 0.5, 0.6, 0.6, 0.6];
        double[] factors = [1, 1, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125, 0.125];
        var (trainer, rule) = (New(out _), new PlateauSchedule(0.5, patience: 1));
        var found = new List<double>();
        for (var epoch = 0; epoch < losses.Length; epoch++)
        {
            rule.AfterEpoch(trainer, new(epoch, null, losses[epoch], Measures.Accuracy(0), 0));
            found.Add(trainer.RateFactor);
        }
        Assert.Equal(factors, found);

        // In a run: each epoch without improvement halves the rates, and they come back afterwards.
        var model = new Mlp(2, [4], 2, "relu", new Generator(1));
        var sgd = new Sgd([new(model.Parameters().Take(2), 1e-9), new(model.Parameters().Skip(2), 2e-9)]);
        var rates = new List<(double, double)>();
        var run = new Trainer(model, sgd, new ClassificationTask(), new DataLoader(Data.Train, 64),
            new DataLoader(Data.Validation, 32))
        {
            GroupSchedules = new Dictionary<int, Schedule> { [1] = Schedule.StepDecay(1, 0.1) },
        };
        run.Callbacks.Add(new PlateauSchedule(0.5, patience: 0, threshold: 0.1));
        run.Callbacks.Add(new AtBatch(() => rates.Add((sgd.Groups[0].LearningRate, sgd.Groups[1].LearningRate))));
        for (var again = 0; again < 2; again++)
        {
            rates.Clear();
            run.Fit(3);
            for (var step = 0; step < 3; step++)
            {
                Assert.Equal(1e-9 * Math.Pow(0.5, step), rates[step].Item1, 1e-20);
                Assert.Equal(2e-9 * Math.Pow(0.05, step), rates[step].Item2, 1e-20);
            }
            Assert.Equal((1e-9, 2e-9), (sgd.Groups[0].LearningRate, sgd.Groups[1].LearningRate));
        }
    }

    [Fact]
    public void Frozen_parts_stay_while_they_are_frozen_and_captured_steps_follow()
    {
        float[] Run(bool eager, List<float> first)
        {
            var trainer = New(out var model, eager: eager);
            trainer.Callbacks.Add(new Freezing("0", from: 2, until: 4));
            trainer.Callbacks.Add(new AtEpoch(() => first.Add(model.Parameters().First().ToArray<float>()[0])));
            var result = trainer.Fit(5);
            if (!eager) Assert.Null(result.Capture!.Refusal);
            Assert.True(model.Parameters().All(parameter => parameter.RequiresGrad));
            return Bits(model);
        }

        var first = new List<float>();
        Assert.Equal(Run(true, []), Run(false, first));
        Assert.Equal(first[1], first[2]);
        Assert.Equal(first[1], first[3]);
        Assert.Equal(4, first.Distinct().Count());
        var trainer = New(out _);
        trainer.Callbacks.Add(new Freezing("head"));
        Assert.Contains("there is no parameter at 'head'; the model has 0.weight, 0.bias",
            Assert.Throws<AdjointException>(() => trainer.Fit(1)).Message, StringComparison.Ordinal);
    }

    private static Trainer New(
        out Layer model, Checkpoints? checkpoints = null, double rate = 0.1, int perStep = 1,
        IProgress<TrainingProgress>? progress = null, bool eager = false)
    {
        var random = new Generator(1);
        model = new Sequential(new Linear(2, 8, generator: random), new Relu(), new Linear(8, 2, generator: random));
        return new(model, new Sgd(model.Parameters(), rate, momentum: 0.9), new ClassificationTask(),
            new DataLoader(Data.Train, perStep == 1 ? 16 : 32), new DataLoader(Data.Validation, 32))
        {
            Checkpoints = checkpoints,
            BatchesPerStep = perStep,
            Progress = progress,
            Eager = eager,
        };
    }

    private static float[] Bits(Layer model) =>
        [.. model.Parameters().SelectMany(parameter => parameter.ToArray<float>())];

    private sealed class Told(Action<TrainingProgress> tell) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => tell(value);
    }

    private sealed class AtBatch(Action act) : Callback
    {
        public override void AfterBatch(Trainer trainer, StepInfo step) => act();
    }

    private sealed class AtEpoch(Action act) : Callback
    {
        public override void AfterEpoch(Trainer trainer, EpochResult epoch) => act();
    }

    private sealed class Recorder : Callback
    {
        internal List<string> Calls { get; } = [];

        public override void BeforeFit(Trainer trainer) => Calls.Add("BeforeFit");
        public override void AfterFit(Trainer trainer, TrainingResult result) => Calls.Add("AfterFit");
        public override void BeforeEpoch(Trainer trainer, int epoch) => Calls.Add($"BeforeEpoch {epoch}");
        public override void AfterEpoch(Trainer trainer, EpochResult epoch) => Calls.Add($"AfterEpoch {epoch.Epoch}");
        public override void BeforeBatch(Trainer trainer, Batch batch) => Calls.Add("BeforeBatch");
        public override void AfterBatch(Trainer trainer, StepInfo step) => Calls.Add($"AfterBatch {step.Step}");
        public override void BeforeOptimizerStep(Trainer trainer) => Calls.Add("BeforeOptimizerStep");
        public override void AfterOptimizerStep(Trainer trainer) => Calls.Add("AfterOptimizerStep");
        public override void BeforeValidation(Trainer trainer) => Calls.Add("BeforeValidation");
        public override void AfterValidation(Trainer trainer, Evaluation evaluation) => Calls.Add("AfterValidation");
        public override void BeforeSave(Trainer trainer) => Calls.Add("BeforeSave");
        public override void AfterSave(Trainer trainer) => Calls.Add("AfterSave");
        public override void BeforeLoad(Trainer trainer, TrainingState state) => Calls.Add("BeforeLoad");
        public override void AfterLoad(Trainer trainer) => Calls.Add("AfterLoad");
        public override void Save(TrainingState state) => Calls.Add("Save");
        public override void Load(Trainer trainer, TrainingState state) => Calls.Add("Load");
        public override void OnException(Trainer trainer, Exception error) =>
            Calls.Add($"OnException {error.Message}");
    }

    private sealed class Inside : StepCallback
    {
        internal List<string> Calls { get; } = [];
        internal List<double> Losses { get; } = [];

        public override void BeforeForward(Trainer trainer, Batch batch) => Calls.Add("BeforeForward");

        public override void AfterForward(Trainer trainer, Batch batch, Tensor loss)
        {
            Calls.Add("AfterForward");
            Losses.Add(loss.Item());
        }

        public override void BeforeBackward(Trainer trainer, Tensor loss) =>
            Calls.Add($"BeforeBackward {HasGradients(trainer)}");

        public override void AfterBackward(Trainer trainer, Tensor loss) =>
            Calls.Add($"AfterBackward {HasGradients(trainer)}");

        private static bool HasGradients(Trainer trainer) =>
            trainer.Model.Parameters().All(parameter => parameter.Grad is not null);
    }
}
