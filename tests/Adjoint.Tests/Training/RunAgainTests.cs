using Adjoint.Data;
using Adjoint.Experiments;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

namespace Adjoint.Tests.Training;

/// <summary>A trainer runs again: epochs, schedule and listeners begin anew, weights go on.</summary>
public sealed class RunAgainTests : IDisposable
{
    private static readonly DataSplits Data = Synth.Create(seed: 1, train: 256, validation: 100);
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Early_stopping_judges_each_run_anew()
    {
        var trainer = New(rate: 1e-12);
        trainer.Callbacks.Add(new EarlyStopping(patience: 2, minimumDelta: 1e-3));
        for (var run = 0; run < 3; run++)
        {
            Assert.Equal(3, trainer.Fit(20).Epochs.Count);
            Assert.True(trainer.ShouldStop);
        }
    }

    [Fact]
    public void A_best_loss_of_the_run_before_does_not_count()
    {
        // The second run improves, but not on the first.
        var (trainer, stopping) = (New(rate: 0.1), new EarlyStopping(patience: 2));
        foreach (var loss in (double[])[1, 0.1])
            stopping.AfterEpoch(trainer, new(loss == 1 ? 0 : 1, null, loss, Measures.Accuracy(0), 0));
        for (var epoch = 0; epoch < 5; epoch++)
            stopping.AfterEpoch(trainer, new(epoch, null, 5 - epoch, Measures.Accuracy(0), 0));
        Assert.False(trainer.ShouldStop);
    }

    [Fact]
    public void A_schedule_starts_from_the_base_rates_and_leaves_them()
    {
        var rates = new List<(double, double)>();
        var trainer = New(0.5, Schedule.StepDecay(2, 0.5));
        trainer.Callbacks.Add(new Listener(() => rates.Add(Rates())));
        for (var run = 0; run < 2; run++)
        {
            rates.Clear();
            trainer.Fit(2);
            var factors = Enumerable.Range(0, 8).Select(step => Math.Pow(0.5, step / 2));
            Assert.Equal(factors.Select(factor => (0.5 * factor, factor)), rates);
            Assert.Equal((0.5, 1), Rates());
        }
        // What is set between runs is the base of the next.
        trainer.Optimizer.LearningRate = 2;
        rates.Clear();
        trainer.Fit(1);
        Assert.Equal([(2, 4), (2, 4), (1, 2), (1, 2)], rates);

        (double, double) Rates()
        {
            var groups = trainer.Optimizer.Groups;
            return (groups[0].LearningRate, groups[1].LearningRate);
        }
    }

    [Fact]
    public void A_canceled_run_begins_anew_too()
    {
        using var cancel = new CancellationTokenSource();
        var trainer = New(0.5, Schedule.StepDecay(1, 0.1));
        trainer.Callbacks.Add(new Listener(cancel.Cancel));
        Assert.True(trainer.Fit(3, cancel.Token).WasCanceled);
        Assert.Equal(0.5, trainer.Optimizer.LearningRate);
        trainer.Callbacks.Clear();
        var again = trainer.Fit(3);
        Assert.Equal([0, 1, 2, 3], again.Epochs.Select(epoch => epoch.Epoch));
    }

    [Fact]
    public void A_run_within_a_run_or_of_less_than_no_epoch_is_refused()
    {
        var trainer = New(rate: 0.1);
        Assert.Contains("found -1", Assert.Throws<AdjointException>(() => trainer.Fit(-1)).Message,
            StringComparison.Ordinal);
        trainer.Callbacks.Add(new Listener(() => trainer.Fit(1)));
        Assert.Contains("set ShouldStop", Assert.Throws<AdjointException>(() => trainer.Fit(1)).Message,
            StringComparison.Ordinal);
        trainer.Callbacks.Clear();
        Assert.Equal(2, trainer.Fit(1).Epochs.Count);
    }

    [Fact]
    public void Files_and_findings_are_of_the_last_run()
    {
        var trainer = New(rate: 0.1);
        var (keeper, doctor) = (new ModelCheckpoint(folder), new TrainingDoctor(Data.Validation));
        var metrics = Path.Combine(folder, "metrics.jsonl");
        foreach (var callback in (Callback[])[keeper, doctor, new MetricLog(metrics)]) trainer.Callbacks.Add(callback);
        trainer.Fit(2);
        // Left in the middle of an epoch, after the step that the doctor watches.
        using var cancel = new CancellationTokenSource();
        var steps = 0;
        var listener = new Listener(() =>
        {
            if (++steps == 2) cancel.Cancel();
        });
        trainer.Callbacks.Add(listener);
        trainer.Fit(3, cancel.Token);
        trainer.Callbacks.Remove(listener);
        // Spoiled: whatever the second run reaches, the first was better.
        using (new NoGrad())
            foreach (var parameter in trainer.Model.Parameters()) parameter.Fill(0);
        trainer.Fit(1);
        keeper.Write();
        Assert.Equal(2, File.ReadAllLines(metrics).Length);
        Assert.Equal([0, 1], doctor.History.Where(row => !double.IsNaN(row.Idle)).Select(row => row.Epoch));
        Assert.All(doctor.History.Where(row => double.IsNaN(row.Idle)), row => Assert.Equal(1, row.Epoch));
        var best = Adjoint.IO.ModelFile.Read(Path.Combine(folder, "best.safetensors")).Info;
        Assert.InRange(best.Epoch!.Value, 0, 1);
    }

    private static Trainer New(double rate, Schedule? schedule = null)
    {
        var model = new Mlp(2, [8], 2, "relu", new Generator(1));
        var sgd = new Sgd(ParameterGroup.Split(model.Parameters(), rate, 0, biasRateFactor: 2));
        var training = new DataLoader(Data.Train, 64, new() { Shuffle = true, Seed = 1 });
        return new Trainer(model, sgd, new ClassificationTask(), training, new DataLoader(Data.Validation, 100))
        {
            Schedule = schedule
        };
    }

    private sealed class Listener(Action onStep) : Callback
    {
        public override void AfterBatch(Trainer trainer, StepInfo step) => onStep();
    }
}
