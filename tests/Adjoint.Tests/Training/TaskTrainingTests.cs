using System.Runtime.InteropServices;
using Adjoint.Data;
using Adjoint.IO;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

namespace Adjoint.Tests.Training;

/// <summary>Each task learns, is stopped and goes on to the same bits, with everything that carries a state.</summary>
public sealed class TaskTrainingTests : IDisposable
{
    private const int Samples = 90, Epochs = 4, StepsPerEpoch = 6;
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("classification")]
    [InlineData("regression")]
    [InlineData("multi-label")]
    [InlineData("segmentation")]
    [InlineData("next-token")]
    [InlineData("own")]
    public void A_run_goes_on_in_the_middle_of_accumulated_steps_plateaus_and_frozen_parts(string name)
    {
        var whole = New(name, null);
        var result = whole.Fit(Epochs);
        Assert.True(result.Final.TrainLoss < result.Epochs[1].TrainLoss, $"{result.Final}");
        if (name != "own") Assert.Contains(result.Score.Name, result.Final.Metrics.Keys.Append(MonitoredMetric.Loss));
        Assert.Null(result.Capture!.Refusal);
        foreach (var stop in (int[])[1, 2, 3, 5, StepsPerEpoch + 1, 2 * StepsPerEpoch + 2, 3 * StepsPerEpoch + 4])
        {
            var store = new CheckpointStore(Directory.CreateDirectory(Path.Combine(folder, $"{stop}")).FullName);
            using var cancel = new CancellationTokenSource();
            var first = New(name, store);
            first.Callbacks.Add(new StopAt(stop, cancel));
            Assert.True(first.Fit(Epochs, cancel.Token).WasCanceled);
            var second = New(name, store);
            second.Load(new Checkpoints(store, TimeSpan.Zero).Latest(Assert.Fail)!);
            var again = second.Fit(Epochs);
            Assert.Equal(Lines(result), Lines(again));
            Assert.True(Bits(whole.Model).SequenceEqual(Bits(second.Model)), $"stopped at step {stop}");
        }
    }

    [Fact]
    public void Without_validation_the_training_loss_chooses()
    {
        var (model, data) = (new Linear(3, 1, generator: new Generator(1)), Data("regression"));
        var trainer = new Trainer(model, new Sgd(model.Parameters(), 0.01), new RegressionTask(),
            new DataLoader(data, 16));
        trainer.Callbacks.Add(new EarlyStopping(patience: 2));
        var result = trainer.Fit(3);
        Assert.Equal(3, result.Best.Epoch);
        Assert.True(double.IsNaN(result.Best.ValidationLoss));
        Assert.Empty(result.Best.Metrics);
        Assert.Contains("the metric 'r2' is one of validation samples, and there are none",
            Assert.Throws<AdjointException>(() => trainer.Monitor("r2")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Evaluation_and_prediction_are_of_the_average_and_change_nothing()
    {
        var trainer = New("classification", null);
        trainer.Fit(2);
        var before = Bits(trainer.Model);
        var loader = new DataLoader(Data("classification"), 32);
        var evaluation = trainer.Evaluate(loader);
        var rows = trainer.Predict(loader).ToArray<float>();
        Assert.Equal(before, Bits(trainer.Model));
        var (labels, right, loss) = (Data("classification")[Field.Targets].ToArray<long>(), 0, 0.0);
        for (var i = 0; i < Samples; i++)
        {
            var row = rows.AsSpan(3 * i, 3).ToArray();
            Assert.Equal(1, row.Sum(), 1e-5);
            if (Array.IndexOf(row, row.Max()) == labels[i]) right++;
            loss -= Math.Log(row[labels[i]]) / Samples;
        }
        Assert.Equal((double)right / Samples, evaluation.Accuracy);
        Assert.Equal(loss, evaluation.Loss, 1e-5);
        Assert.Equal(right, Enumerable.Range(0, 3).Sum(k => evaluation.Confusion![k, k]));
    }

    [Fact]
    public void What_nothing_can_be_learned_from_is_named()
    {
        var x = Tensor.Randn([8, 3], new Generator(1));
        var targets = new float[8];
        targets[5] = float.NaN;
        var error = Assert.Throws<AdjointException>(() => Fit(x, Tensor.From(targets, 8), new RegressionTask()));
        Assert.Contains("regression: the target of sample 5 is NaN", error.Message, StringComparison.Ordinal);
        var spoiled = x.ToArray<float>();
        spoiled[3 * 6 + 1] = float.PositiveInfinity;
        error = Assert.Throws<DivergedException>(
            () => Fit(Tensor.From(spoiled, 8, 3), Tensor.Zeros(8), new RegressionTask()));
        Assert.Contains("a value of inputs of sample 6 is Infinity", error.Message, StringComparison.Ordinal);
        var vector = LearningTask.Of<Linear>((own, batch) => own.Forward(batch.Inputs).Square());
        error = Assert.Throws<AdjointException>(() => Fit(x, Tensor.Zeros(8), vector));
        Assert.Contains("own: the loss of a task must be a scalar (): found (8, 1); use .Mean() or .Sum()",
            error.Message, StringComparison.Ordinal);
        var twice = new RegressionTask { Metrics = () => [new Mae(), new Mae()] };
        Assert.Contains("two metrics of the name 'mae'",
            Assert.Throws<AdjointException>(() => Fit(x, Tensor.Zeros(8), twice)).Message, StringComparison.Ordinal);

        static void Fit(Tensor x, Tensor targets, LearningTask task)
        {
            var model = new Linear(3, 1, generator: new Generator(1));
            var data = new TensorDataset("made up", [(Field.Inputs, x), (Field.Targets, targets)]);
            new Trainer(model, new Sgd(model.Parameters(), 0.1), task, new DataLoader(data, 8)).Fit(1);
        }
    }

    [Fact]
    public void A_checkpoint_of_version_0_1_has_the_accuracy_alone()
    {
        var trainer = New("classification", null);
        trainer.Fit(1);
        var state = trainer.Save();
        state.Set("results", "0 NaN 2 0.25 1.5\n1 1 0.5 0.75 2");
        trainer.Load(state);
        Assert.Equal([(0, 0.25, 1.5), (1, 0.75, 2)],
            trainer.Results.Select(epoch => (epoch.Epoch, epoch.ValidationAccuracy, epoch.Seconds)));
    }

    private static string[] Lines(TrainingResult result) =>
        [.. result.Epochs.Select(epoch => $"{epoch with { Seconds = 0 }}")];

    private static byte[] Bits(Module model) =>
        [.. model.StateDict().OrderBy(entry => entry.Key, StringComparer.Ordinal).SelectMany(entry =>
            MemoryMarshal.AsBytes(entry.Value.To(DType.Float64).ToArray<double>().AsSpan()).ToArray())];

    // Dropout, an average, batches that are accumulated, clipping, a plateau after each epoch, a frozen part.
    private static Trainer New(string name, CheckpointStore? store)
    {
        var random = new Generator(1);
        Layer model = name switch
        {
            "segmentation" => new Sequential(new Conv2d(1, 4, 3, new() { Padding = 1, Generator = random }),
                new Relu(), new Dropout(0.1, new Generator(7)), new Conv2d(4, 2, 1, new() { Generator = random })),
            "next-token" => new Sequential(new Embedding(5, 8, random), new Relu(),
                new Dropout(0.1, new Generator(7)), new Linear(8, 5, generator: random)),
            _ => new Sequential(new Linear(3, 8, generator: random), new Relu(), new Dropout(0.1, new Generator(7)),
                new Linear(8, name is "regression" or "own" ? 1 : 3, generator: random)),
        };
        LearningTask task = name switch
        {
            "classification" => new ClassificationTask(),
            "regression" => new RegressionTask(scale: 2),
            "multi-label" => new MultiLabelTask(),
            "segmentation" => new SegmentationTask(),
            "next-token" => new NextTokenTask(),
            _ => LearningTask.Of<Layer>((own, batch) =>
                (own.Forward(batch.Inputs).Reshape(-1) - batch.Targets).Abs().Mean()),
        };
        var data = Data(name);
        var groups = ParameterGroup.Split(model.Parameters(), 0.02, 0);
        var trainer = new Trainer(model, new Adam(groups), task,
            new DataLoader(data, 16, new() { Shuffle = true, Seed = 1 }), new DataLoader(data, 40))
        {
            BatchesPerStep = 4,
            MaxGradientNorm = 2,
            Average = new WeightAverage(model),
            GroupSchedules = new Dictionary<int, Schedule> { [0] = Schedule.Cosine(Epochs * StepsPerEpoch) },
            Checkpoints = store is null ? null : new(store, TimeSpan.FromHours(1)),
        };
        trainer.Callbacks.Add(new PlateauSchedule(0.9, patience: 0, threshold: 0.5));
        trainer.Callbacks.Add(new Freezing("3", from: 2, until: 4));
        trainer.Callbacks.Add(new EarlyStopping(patience: 50, metric: task.Score));
        return trainer;
    }

    private static TensorDataset Data(string name)
    {
        var random = new Generator(3);
        if (name == "segmentation")
        {
            var images = Tensor.Randn([Samples, 1, 4, 4], random);
            var labels = images.Greater(0).To(DType.Int64).Reshape(Samples, 4, 4);
            return new(name, [(Field.Inputs, images), (Field.Targets, labels)]);
        }
        if (name == "next-token")
        {
            // Each counts on from where it begins, from 0 again after 4.
            var tokens = Enumerable.Range(0, Samples * 7).Select(i => (long)((i / 7 * 3 + i % 7) % 5)).ToArray();
            return new(name, [(Field.Inputs, Tensor.From(tokens, Samples, 7))]);
        }
        var x = Tensor.Randn([Samples, 3], random);
        var targets = name switch
        {
            "classification" => x.ArgMax(),
            "multi-label" => x.Greater(0).To(DType.Float32),
            _ => x.Sum(1),
        };
        return new(name, [(Field.Inputs, x), (Field.Targets, targets), (Field.Weights, Tensor.Ones(Samples))]);
    }
}
