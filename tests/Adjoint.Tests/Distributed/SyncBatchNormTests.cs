using Adjoint.Data;
using Adjoint.Distributed;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

namespace Adjoint.Tests.Distributed;

/// <summary>Synchronized batch norm on parts of a batch is batch norm on all of it.</summary>
public class SyncBatchNormTests
{
    private const int Channels = 3, Pixels = 4;

    // Parts of different sizes, one of them empty.
    private static readonly int[] Parts = [5, 2, 0, 4];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Parts_are_normalized_as_the_whole(bool isCaptured)
    {
        var x = Tensor.Randn([11, Channels, Pixels], new Generator(1), DType.Float64) * 3 + 1;
        var target = Tensor.Randn([11, Channels, Pixels], new Generator(2), DType.Float64);
        var whole = new Sequential(new BatchNorm(Channels)).To(DType.Float64);
        var given = x.Clone().RequireGrad();
        Tensor? expected = null;
        for (var step = 0; step < 4; step++)
        {
            foreach (var parameter in whole.Parameters()) parameter.ZeroGrad();
            given.ZeroGrad();
            expected = whole.Forward(given);
            (expected * target).Sum().Backward();
        }

        var parts = Ranks.Run(Parts.Length, communicator =>
        {
            var model = new Sequential(new BatchNorm(Channels)).To(DType.Float64);
            Assert.Equal(1, SyncBatchNorm.Convert(model, communicator));
            var (first, count) = (Parts[..communicator.Rank].Sum(), Parts[communicator.Rank]);
            Tensor[] Compute(Tensor part, Tensor goal)
            {
                foreach (var parameter in model.Parameters()) parameter.ZeroGrad();
                var leaf = part.Detach().RequireGrad();
                var y = model.Forward(leaf);
                (y * goal).Sum().Backward();
                return [y, leaf.Grad!];
            }
            var captured = CapturedFunction.Create<Tensor[]>(Compute);
            var (own, ownTarget) = (x.Slice(0, first, count).Clone(), target.Slice(0, first, count).Clone());
            Tensor[] results = [];
            for (var step = 0; step < 4; step++)
                results = isCaptured ? captured.Run(own, ownTarget) : Compute(own, ownTarget);
            Assert.Equal(isCaptured, captured.IsCaptured);
            Assert.Equal(whole.StateDict().Keys, model.StateDict().Keys);
            return results.Concat(model.Parameters().Select(parameter => parameter.Grad!))
                .Concat(model.StateDict().Values).Select(value => value.Detach().ToArray<double>()).ToArray();
        });
        Near(expected!.Detach().ToArray<double>(), parts.SelectMany(part => part[0]));
        Near(Naive(x.ToArray<double>()), parts.SelectMany(part => part[0]));
        Near(given.Grad!.ToArray<double>(), parts.SelectMany(part => part[1]));
        // Each rank has its own samples' part of the gradients of γ and β.
        foreach (var (i, parameter) in whole.Parameters().Index())
            Near(parameter.Grad!.ToArray<double>(),
                Enumerable.Range(0, Channels).Select(c => parts.Sum(part => part[2 + i][c])));
        foreach (var (i, value) in whole.StateDict().Values.Index())
            foreach (var part in parts) Near(value.Detach().ToArray<double>(), part[4 + i]);
    }

    [Fact]
    public void Half_precision_and_evaluation_work()
    {
        Ranks.Run(2, communicator =>
        {
            var model = new BatchNorm(2).To(DType.BFloat16);
            SyncBatchNorm.Convert(model, communicator);
            var x = Tensor.From(new[] { communicator.Rank * 2f, 1 }).Reshape(1, 2).To(DType.BFloat16);
            // Means 1 and 1; deviations 1 and 0.
            var y = model.Forward(x).To(DType.Float32).ToArray<float>();
            Assert.Equal([communicator.Rank * 2 - 1, 0], y);
            model.Eval();
            // It waits for nobody.
            if (communicator.Rank == 0) Assert.Equal([1, 2], model.Forward(x).Shape);
            return true;
        });
    }

    [Fact]
    public void Ranks_train_as_one_trainer_does_on_whole_batches()
    {
        // The last batch has 3 samples, one for each rank; others are cut into 3, 3 and 4.
        var data = new TensorDataset("numbers", [
            ("inputs", Tensor.Randn([23, 4], new Generator(1), DType.Float64) * 2 + 1),
            ("targets", Tensor.Randn([23, 2], new Generator(2), DType.Float64))]);
        double[] Train(Communicator? communicator)
        {
            var model = new Sequential(
                new Linear(4, 6, generator: new Generator(3)), new BatchNorm(6), new Tanh(),
                new Linear(6, 2, generator: new Generator(4))).To(DType.Float64);
            var trainer = new Trainer(
                model, new Sgd(model.Parameters(), 0.05), new RegressionTask(), new DataLoader(data, 10));
            if (communicator is not null)
            {
                SyncBatchNorm.Convert(model, communicator);
                _ = new DataParallel(trainer, communicator, new() { Shards = communicator.Size });
            }
            trainer.Fit(3);
            return [.. model.StateDict().Values.SelectMany(value => value.Detach().ToArray<double>())];
        }
        var expected = Train(null);
        foreach (var found in Ranks.Run(3, Train)) Near(expected, found);
    }

    [Fact]
    public void Parts_and_ranks_that_do_not_match_are_refused()
    {
        var data = new TensorDataset("zeros", [("inputs", Tensor.Zeros(9, 2)), ("targets", Tensor.Zeros(9, 2))]);
        string[] Refusals(int shards, int batchSize) => Ranks.Run(2, communicator =>
        {
            var model = new Sequential(new BatchNorm(2));
            SyncBatchNorm.Convert(model, communicator);
            var trainer = new Trainer(
                model, new Sgd(model.Parameters(), 0.1), new RegressionTask(), new DataLoader(data, batchSize));
            _ = new DataParallel(trainer, communicator, new() { Shards = shards });
            return Assert.Throws<AdjointException>(() => trainer.Fit(1)).Message;
        });
        Assert.All(Refusals(4, 8), message => Assert.Contains(
            "found 4 shards on 2 ranks; set Shards = 2", message, StringComparison.Ordinal));
        Assert.All(Refusals(2, 8), message => Assert.Contains(
            "found 1 samples in batch 2 for 2 ranks", message, StringComparison.Ordinal));
    }

    // Through the statistics, the value of one rank is in the losses of all.
    [Fact]
    public void All_ranks_diverge_with_the_cause_that_one_found()
    {
        var inputs = new float[24 * 4];
        for (var i = 0; i < inputs.Length; i++) inputs[i] = i * i % 11;
        inputs[20 * 4] = float.NaN;
        var data = new TensorDataset("rows", [
            ("inputs", Tensor.From(inputs, 24, 4)), ("targets", Tensor.Zeros(24, 2))]);
        var messages = Ranks.Run(2, communicator =>
        {
            var model = new Sequential(
                new Linear(4, 3, generator: new(1)), new BatchNorm(3), new Linear(3, 2, generator: new(2)));
            SyncBatchNorm.Convert(model, communicator);
            var trainer = new Trainer(
                model, new Sgd(model.Parameters(), 0.1), new RegressionTask(), new DataLoader(data, 12));
            _ = new DataParallel(trainer, communicator, new() { Shards = 2 });
            var error = Assert.Throws<DivergedException>(() => trainer.Fit(1));
            // The world is whole.
            communicator.Barrier("afterwards");
            return error.Message;
        });
        Assert.All(messages, message => Assert.Contains(
            "the loss became NaN in epoch 1, step 2: a value of inputs of sample 20 is NaN", message,
            StringComparison.Ordinal));
    }

    // Behind the last layer and before it, on one rank only: that op, as in one process.
    [Theory]
    [InlineData(2, true)]
    [InlineData(3, true)]
    [InlineData(3, false)]
    public void All_ranks_diverge_with_the_op_that_one_found(int ranks, bool isBehind)
    {
        var inputs = new float[12 * 4];
        for (var i = 0; i < inputs.Length; i++) inputs[i] = i * i % 11;
        var targets = new float[12 * 2];
        if (isBehind) targets[^1] = 1e30f;
        else inputs[^1] = 1e30f;
        string Message(Communicator? communicator)
        {
            var model = new Sequential(
                new Linear(4, 3, generator: new(1)), new Squares(), new BatchNorm(3),
                new Dropout(0.5, new Generator(3)), new Linear(3, 2, generator: new(2)));
            var trainer = new Trainer(
                model, new Sgd(model.Parameters(), 0.1), new RegressionTask(), new DataLoader(new TensorDataset(
                    "rows", [("inputs", Tensor.From(inputs, 12, 4)), ("targets", Tensor.From(targets, 12, 2))]), 12));
            if (communicator is not null)
            {
                SyncBatchNorm.Convert(model, communicator);
                _ = new DataParallel(trainer, communicator, new() { Shards = communicator.Size });
            }
            var error = Assert.Throws<DivergedException>(() => trainer.Fit(1));
            communicator?.Barrier("afterwards");
            return error.Message;
        }
        // Not which element: that counts within the part.
        string CauseOf(string message) => message.Split("step 1: ")[1].Split(" at element")[0];
        var expected = CauseOf(Message(null));
        Assert.EndsWith("its forward made infinity", expected, StringComparison.Ordinal);
        var messages = Ranks.Run(ranks, Message);
        Assert.All(messages, message => Assert.Equal(messages[0], message));
        Assert.Equal(expected, CauseOf(messages[0]));
    }

    // The last of three ranks has samples that weigh 0, or whose labels are missing; they are in the statistics.
    [Theory]
    [InlineData(true, Reduction.Mean)]
    [InlineData(false, Reduction.Mean)]
    [InlineData(true, Reduction.Sum)]
    public void A_rank_whose_samples_do_not_count_takes_part(bool isWeighted, Reduction reduction)
    {
        var inputs = Tensor.Randn([12, 4], new Generator(1), DType.Float64) * 2 + 1;
        long[] labels = [.. Enumerable.Range(0, 12).Select(i => !isWeighted && i >= 8 ? Loss.IgnoredLabel : i % 2L)];
        float[] weights = [.. Enumerable.Range(0, 12).Select(i => i >= 8 ? 0f : 1 + i % 3)];
        double[] Train(Communicator? communicator)
        {
            var model = new Sequential(
                new Linear(4, 6, generator: new(3)), new BatchNorm(6), new Tanh(), new Linear(6, 2, generator: new(4)))
                .To(DType.Float64);
            var trainer = new Trainer(
                model, new Sgd(model.Parameters(), 0.05), new ClassificationTask { Reduction = reduction },
                new DataLoader(new TensorDataset("rows",
                [
                    ("inputs", inputs), ("targets", Tensor.From(labels)),
                    .. isWeighted ? [("weights", Tensor.From(weights))] : ((string, Tensor)[])[],
                ]), 12));
            if (communicator is not null)
            {
                SyncBatchNorm.Convert(model, communicator);
                _ = new DataParallel(trainer, communicator, new() { Shards = communicator.Size });
            }
            var losses = trainer.Fit(3).Epochs.Select(epoch => epoch.TrainLoss ?? 0);
            return [.. losses, .. model.StateDict().Values.SelectMany(value => value.Detach().ToArray<double>())];
        }
        var expected = Train(null);
        foreach (var found in Ranks.Run(3, Train)) Near(expected, found);
    }

    [Fact]
    public void Modules_without_batch_norm_and_worlds_of_one_stay_as_they_are()
    {
        var model = new Sequential(new Linear(2, 3), new BatchNorm(3));
        Assert.Equal(1, SyncBatchNorm.Convert(model, Communicator.Alone));
        Assert.Null(((BatchNorm)model.Children[1].Value).SumOverAll);
        Assert.Equal(0, SyncBatchNorm.Convert(new Linear(2, 3), Communicator.Alone));
    }

    private sealed class Squares : Layer
    {
        protected override Tensor ForwardCore(Tensor x) => x.Square();
    }

    private static double[] Naive(double[] x)
    {
        var y = new double[x.Length];
        for (var c = 0; c < Channels; c++)
        {
            var places = Enumerable.Range(0, x.Length).Where(i => i / Pixels % Channels == c).ToArray();
            var mean = places.Average(i => x[i]);
            var variance = places.Average(i => (x[i] - mean) * (x[i] - mean));
            foreach (var i in places) y[i] = (x[i] - mean) / Math.Sqrt(variance + 1e-5);
        }
        return y;
    }

    private static void Near(IEnumerable<double> expected, IEnumerable<double> found)
    {
        var (a, b) = (expected.ToArray(), found.ToArray());
        Assert.Equal(a.Length, b.Length);
        for (var i = 0; i < a.Length; i++) Assert.InRange(b[i], a[i] - 1e-12 * Math.Max(1, Math.Abs(a[i])),
            a[i] + 1e-12 * Math.Max(1, Math.Abs(a[i])));
    }
}
