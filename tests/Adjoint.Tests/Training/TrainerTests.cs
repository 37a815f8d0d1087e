using Adjoint.Data;
using Adjoint.Kernels;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Tests.Data;
using Adjoint.Training;

namespace Adjoint.Tests.Training;

public class TrainerTests
{
    private static readonly DataSplits Data = Synth.Create(seed: 1, train: 6_016, validation: 1_000);

    [Fact]
    public void Training_learns_and_measures_before_and_after_each_epoch()
    {
        var result = New(out _).Fit(15);
        Assert.Equal(16, result.Epochs.Count);
        Assert.Null(result.Epochs[0].TrainLoss);
        Assert.True(result.Best.ValidationAccuracy > 0.95, $"{result.Best}");
        Assert.True(result.Final.ValidationLoss < result.Epochs[0].ValidationLoss / 3);
    }

    [Fact]
    public void Same_seed_gives_the_same_bits_for_any_number_of_threads()
    {
        var before = Workers.ThreadCount;
        try
        {
            (double, double)[] Metrics(int threads, bool eager = false)
            {
                Workers.ThreadCount = threads;
                return [.. New(out _, hidden: 600, eager: eager).Fit(2)
                    .Epochs.Select(epoch => (epoch.TrainLoss ?? 0, epoch.ValidationLoss))];
            }

            var one = Metrics(1);
            foreach (var threads in (int[])[1, 2, 3, 8])
            {
                Assert.Equal(one, Metrics(threads));
                Assert.Equal(one, Metrics(threads, eager: true));
            }

        }
        finally
        {
            Workers.ThreadCount = before;
        }
    }

    [Fact]
    public void Augmented_convolutional_training_has_the_same_bits_for_any_number_of_threads()
    {
        var before = Workers.ThreadCount;
        try
        {
            var data = new TensorDataset("noise", (int[])[3, 8, 8], Tensor.Randn([70 * 192], new Generator(3))
                .ToArray<float>(), [.. Enumerable.Range(0, 70).Select(i => (byte)(i % 3))], ["a", "b", "c"]);
            float[] Weights(int threads)
            {
                Workers.ThreadCount = threads;
                var model = new Sequential(
                    new Conv2d(3, 17, 3, new() { Padding = 1, Bias = false, Generator = new Generator(1) }),
                        new MaxPool2d(2), new Adjoint.Nn.BatchNorm(17), new Gelu(),
                    new Conv2d(17, 9, 3, new() { Generator = new Generator(2) }), new Relu(), new GlobalAvgPool2d(),
                        new Linear(9, 3, generator: new Generator(4)));
                Transform[] transforms = [new RandomCrop(2), new AlternatingFlip(), new Cutout(3)];
                var loader = new DataLoader(
                    data, 16, new() { Shuffle = true, Seed = 1, Prefetch = threads % 3, Transforms = transforms });
                new Trainer(model, new Sgd(model.Parameters(), 0.1, 0.9), new ClassificationTask(), loader,
                    new DataLoader(data, 70)).Fit(3);
                return [.. model.StateDict().Values.SelectMany(value => value.ToArray<float>())];
            }

            var one = Weights(1);
            foreach (var threads in (int[])[2, 3, 5, 8]) Assert.Equal(one, Weights(threads));
        }
        finally
        {
            Workers.ThreadCount = before;
        }
    }

    [Fact]
    public void Patience_counts_epochs_without_a_lower_loss()
    {
        var trainer = New(out _);
        int? StopsAt(EarlyStopping rule, params double[] losses)
        {
            trainer.ShouldStop = false;
            for (var epoch = 0; epoch < losses.Length; epoch++)
            {
                rule.AfterEpoch(trainer, new(epoch, null, losses[epoch], Measures.Accuracy(0), 0));
                if (trainer.ShouldStop) return epoch;
            }
            return null;
        }

        Assert.Equal(4, StopsAt(new EarlyStopping(patience: 3), 1, 0.5, 0.5, 0.6, 0.5, 0.4));
        Assert.Null(StopsAt(new EarlyStopping(patience: 3), 1, 0.5, 0.5, 0.6, 0.49, 0.6, 0.6));
        Assert.Equal(3, StopsAt(new EarlyStopping(patience: 2, minimumDelta: 0.1), 1, 0.8, 0.75, 0.71));
        Assert.Equal(2, StopsAt(new EarlyStopping(patience: 2), 1, double.NaN, double.NaN));
    }

    [Fact]
    public void The_best_model_is_the_first_with_the_highest_accuracy()
    {
        var folder = Directory.CreateTempSubdirectory("adjoint-").FullName;
        try
        {
            var trainer = New(out var model);
            var (keeper, weight) = (new ModelCheckpoint(folder), model.Parameters().First());
            double[] accuracies = [0.1, 0.7, 0.6, 0.7, double.NaN, 0.3];
            for (var epoch = 0; epoch < accuracies.Length; epoch++)
            {
                weight.CopyFrom<float>([.. Enumerable.Repeat((float)epoch, weight.Length)]);
                keeper.AfterEpoch(trainer, new(epoch, null, 1, Measures.Accuracy(accuracies[epoch]), 0));
            }
            keeper.Write();
            float Kept(string name) =>
                Adjoint.IO.SafeTensors.Load(Path.Combine(folder, name))[model.NamedParameters().First()
                    .Name].ToArray<float>()[0];
            Assert.Equal((1f, 5f), (Kept("best.safetensors"), Kept("last.safetensors")));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void A_loss_that_is_not_finite_stops_before_the_update()
    {
        var trainer = New(out var model, rate: float.MaxValue);
        var error = Assert.Throws<DivergedException>(() => trainer.Fit(3));
        Assert.Equal(1, error.Epoch);
        Assert.Contains("smaller learning rate", error.Message, StringComparison.Ordinal);
        Assert.NotEmpty(model.Parameters());
    }

    [Fact]
    public void Early_stopping_and_cancellation_end_a_run()
    {
        var trainer = New(out _, rate: 1e-12);
        trainer.Callbacks.Add(new EarlyStopping(patience: 2, minimumDelta: 1e-3));
        Assert.Equal(3, trainer.Fit(20).Epochs.Count);
        using var cancel = new CancellationTokenSource();
        cancel.Cancel();
        var canceled = New(out _).Fit(20, cancel.Token);
        Assert.True(canceled.WasCanceled);
        Assert.Single(canceled.Epochs);
    }

    [Fact]
    public void A_sum_with_a_rate_divided_by_the_batch_is_a_mean()
    {
        var mean = New(out _, rate: 0.64, momentum: 0).Fit(1).Final;
        var sum = New(out _, rate: 0.01, momentum: 0, reduction: Reduction.Sum).Fit(1).Final;
        Assert.Equal(mean.ValidationLoss, sum.ValidationLoss, 1e-3);
        Assert.Equal(mean.TrainLoss!.Value, sum.TrainLoss!.Value, 1e-3);
    }

    [Fact]
    public void A_steady_step_of_the_MNIST_network_allocates_under_20_KB()
    {
        var before = Workers.ThreadCount;
        Workers.ThreadCount = 1;
        try
        {
            var model = new Mlp(784, [3136], 10, "sigmoid", new Generator(1));
            var optimizer = new Sgd(model.Parameters(), 0.01);
            var (x, y) = (Tensor.Rand([128, 784], new Generator(2)), Tensor.From(new long[128], 128));
            void Step()
            {
                var loss = Loss.CrossEntropy(model.Forward(x), y);
                optimizer.ZeroGrad();
                loss.Backward();
                optimizer.Step();
            }

            for (var i = 0; i < 5; i++) Step();
            var start = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 10; i++) Step();
            Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - start) / 10, 0, 20_000);
        }
        finally
        {
            Workers.ThreadCount = before;
        }
    }

    [Fact]
    public void Evaluation_counts_by_label_and_prediction()
    {
        // Always class 1: a bias alone.
        var model = new Linear(2, 2);
        model.LoadStateDict(
            new Dictionary<string, Tensor>
            {
                ["weight"] = Tensor.Zeros(2, 2),
                ["bias"] = Tensor.From(new float[] { 0, 1 })
            });
        var evaluation = Evaluation.Run(model, new ClassificationTask(), new DataLoader(Data.Validation, 300));
        var ones = Data.Validation.Labels().Count(label => label == 1);
        Assert.Equal(ones / 1000.0, evaluation.Accuracy);
        Assert.Equal(1000 - ones, evaluation.Confusion![0, 1]);
        Assert.Equal((ones * Math.Log(1 + Math.Exp(-1)) + (1000 - ones) * Math.Log(1 + Math.E)) / 1000, evaluation.Loss,
            1e-5);
    }

    private static Trainer New(
        out Layer model, double rate = 0.5, double momentum = 0.9, int hidden = 16,
        Reduction reduction = Reduction.Mean, bool eager = false)
    {
        model = new Mlp(2, [hidden], 2, "sigmoid", new Generator(1));
        return new Trainer(model, new Sgd(model.Parameters(), rate, momentum),
            new ClassificationTask { Reduction = reduction },
            new DataLoader(Data.Train, 64, new() { Shuffle = true, Seed = 1 }), new DataLoader(Data.Validation, 500))
        {
            Eager = eager
        };
    }

    [Fact]
    public void Every_change_of_an_average_is_a_write_in_place()
    {
        var model = new Linear(1, 1, generator: new Generator(1));
        var average = new WeightAverage(model);
        var (name, own) = average.StateDict().First();
        foreach (var act in (Action[])[average.Update, () => average.Swap().Dispose(),
            () => average.LoadStateDict(average.StateDict())])
        {
            var version = own.Version;
            act();
            Assert.True(own.Version > version, name);
        }
    }

    [Fact]
    public void The_average_of_weights_is_what_is_validated_and_the_weights_come_back()
    {
        var (model, value) = (new Linear(2, 2, generator: new Generator(1)), 0.0);
        var average = new WeightAverage(model, 0.5);
        var start = model.Weight.ToArray<float>()[0];
        var expected = (double)start;
        for (var step = 0; step < 20; step++)
        {
            using (new NoGrad()) model.Weight.CopyFrom<float>([.. Enumerable.Repeat((float)(value = step * step), 4)]);
            average.Update();
            var decay = Math.Min(0.5, (1.0 + step) / (10 + step));
            expected = decay * expected + (1 - decay) * value;
        }
        using (average.Swap())
        {
            Assert.Equal(expected, model.Weight.ToArray<float>()[0], 1e-4 * expected);
            Assert.Throws<AdjointException>(() => average.Swap());
        }
        Assert.Equal(value, model.Weight.ToArray<float>()[0]);
        var other = new WeightAverage(model, 0.5);
        other.LoadStateDict(average.StateDict());
        using (other.Swap()) Assert.Equal(expected, model.Weight.ToArray<float>()[0], 1e-4 * expected);
        Assert.Contains("decay", Assert.Throws<AdjointException>(() => new WeightAverage(model, 1)).Message,
            StringComparison.Ordinal);

        // With a trainer: a decay near 1 keeps the average near the first weights, so its validation loss moves less.
        var (slow, plain) = (new Mlp(2, [8], 2, "relu", new Generator(1)), New(out _, hidden: 8).Fit(1));
        var averaged =
            new Trainer(slow, new Sgd(slow.Parameters(), 1),
                new ClassificationTask(), new DataLoader(Data.Train, 128, new() { Shuffle = true, Seed = 1 }),
                new DataLoader(Data.Validation, 1000))
            { Average = new WeightAverage(slow, 0.99) }.Fit(1);
        Assert.NotEqual(plain.Final.ValidationLoss, averaged.Final.ValidationLoss);
    }

    [Fact]
    public void Views_are_averaged_and_moved_as_they_say()
    {
        var model = new Flatten();
        var image = Tensor.From([.. Enumerable.Range(0, 9).Select(i => (float)(i * i))], 1, 1, 3, 3);
        var x = image.ToArray<float>();
        double Pixel(int r, int c) => x[Math.Abs(r > 2 ? 4 - r : r) * 3 + Math.Abs(c > 2 ? 4 - c : c)];
        Assert.Equal(x, TestTimeAugmentation.None.Predict(model, image).ToArray<float>());
        var (flip, shift) = (TestTimeAugmentation.Flip.Predict(model, image).ToArray<float>(),
            TestTimeAugmentation.FlipAndShift.Predict(model, image).ToArray<float>());
        for (var r = 0; r < 3; r++)
            for (var c = 0; c < 3; c++)
            {
                Assert.Equal((Pixel(r, c) + Pixel(r, 2 - c)) / 2, flip[r * 3 + c], 1e-4);
                Assert.Equal((Pixel(r, c) + Pixel(r, 2 - c)) / 4
                    + (Pixel(r - 1, c - 1) + Pixel(r - 1, 1 - c) + Pixel(r + 1, c + 1) + Pixel(r + 1, 3 - c)) / 8,
                    shift[r * 3 + c], 1e-4);
            }
        Assert.Contains(
            "for images",
            Assert.Throws<AdjointException>(() => TestTimeAugmentation.Flip.Predict(model, Tensor.Zeros(1, 4))).Message,
            StringComparison.Ordinal);
    }
}
