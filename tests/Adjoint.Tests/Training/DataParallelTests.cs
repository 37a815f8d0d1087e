using Adjoint.Data;
using Adjoint.Distributed;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Tests.Distributed;
using Adjoint.Tests.Optim;
using Adjoint.Training;
using static Adjoint.Tests.Training.ParallelRuns;

namespace Adjoint.Tests.Training;

/// <summary>A run on several ranks has the bits of one rank with as many shards.</summary>
public class DataParallelTests
{
    public static TheoryData<string> Models => ["perceptron", "images", "language"];

    public static TheoryData<string> Optimizers => ["sgd", "momentum", "adam", "adamw", "rmsprop", "a user's"];

    [Theory]
    [MemberData(nameof(Models))]
    public void The_number_of_ranks_and_threads_changes_no_bit(string name)
    {
        var ends = (from threads in Threads.Of(1, 2, 3)
                    from ranks in threads == 1 ? (int[])[1, 2, 3, 4] : [1, threads]
                    from end in Train(ranks, Of(name))
                    select (threads, ranks, end)).ToArray();
        Assert.All(ends, one => Assert.Equal(ends[0].end, one.end));
        // Not by doing nothing.
        Assert.NotEqual(ends[0].end, Train(1, Of(name), options: new() { Shards = 6 })[0]);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void One_shard_is_the_plain_trainer(string name)
    {
        var plain = Of(name)();
        Assert.Equal(DigestOf(plain, plain.Fit(2)), Train(Communicator.Alone, Of(name), 2, new()));
    }

    [Theory]
    [MemberData(nameof(Optimizers))]
    public void Every_optimizer(string name)
    {
        var alone = Train(1, () => Perceptron(Optimizer(name)))[0];
        Assert.All(Train(3, () => Perceptron(Optimizer(name))), end => Assert.Equal(alone, end));
        // Each rank keeping a part of the states: rank 0 has all of them only when they are saved.
        var sharded = Train(3, () => Perceptron(Optimizer(name)),
            options: new() { Shards = Shards, ShardOptimizer = true });
        Assert.Equal(alone, sharded[0]);
        Assert.Equal(sharded[1], sharded[2]);
    }

    [Theory]
    [InlineData(2, false, Reduction.Mean)]
    [InlineData(3, true, Reduction.Mean)]
    [InlineData(2, false, Reduction.Sum)]
    public void Steps_of_several_batches(int perStep, bool weighted, Reduction reduction)
    {
        Trainer New() => Perceptron(batchesPerStep: perStep, weighted: weighted, reduction: reduction);
        var alone = Train(1, New)[0];
        foreach (var ranks in (int[])[2, 3]) Assert.All(Train(ranks, New), end => Assert.Equal(alone, end));
    }

    [Fact]
    public void Captured_as_eager() =>
        Assert.Equal(Train(2, () => Perceptron())[1], Train(2, () => Perceptron(eager: true))[0]);

    // Independent: the mean over the samples, in float64, of one graph.
    [Theory]
    [InlineData(false, Reduction.Mean)]
    [InlineData(true, Reduction.Mean)]
    [InlineData(false, Reduction.Sum)]
    public void The_gradient_is_that_of_the_whole_batch(bool weighted, Reduction reduction)
    {
        var data = Rows(29, weighted: weighted);
        var gradients = Ranks.Run(3, communicator =>
        {
            var model = New();
            var trainer = new Trainer(model, new Sgd(model.Parameters(), 0.1),
                new ClassificationTask { Reduction = reduction }, new DataLoader(data, 29));
            var seen = new Gradients();
            trainer.Callbacks.Add(seen);
            _ = new DataParallel(trainer, communicator, new() { Shards = 7 });
            trainer.Fit(1);
            return seen.Values;
        }, ParallelRuns.Timeout);
        var other = New();
        var batch = data.Load([.. Enumerable.Range(0, 29)]);
        var logits = other.Forward(batch.Inputs.To(DType.Float64));
        var losses = logits.Exp().Sum(1).Log()
            - (logits
                * Tensor.From([.. batch.Targets.ToArray<long>().SelectMany(label => (double[])[1 - label, label])],
                29, 2)).Sum(1);
        var weights = batch.Weights?.To(DType.Float64) ?? Tensor.Ones(29).To(DType.Float64);
        var loss = (losses * weights).Sum();
        (reduction == Reduction.Mean ? loss / weights.Sum().Item() : loss).Backward();
        double[] expected = [.. other.Parameters().SelectMany(parameter => parameter.Grad!.ToArray<double>())];
        foreach (var own in gradients)
            foreach (var (value, right) in own.Zip(expected)) Assert.Equal(right, value, 1e-12);
        Assert.All(gradients, own => Assert.Equal(expected.Length, own.Length));

        static Layer New()
        {
            var model = new Mlp(8, [5], 2, "tanh", new Generator(1));
            model.To(DType.Float64);
            return model;
        }
    }

    // Independent: one process, the batch as a whole. The labels of samples 4 to 7 that weigh something are missing.
    [Fact]
    public void A_shard_without_a_label_that_weighs_something_is_left_out()
    {
        var rows = Rows(12);
        var (labels, weights) = (rows.Load([.. Enumerable.Range(0, 12)]).Targets.ToArray<long>(), new float[12]);
        Array.Fill(weights, 1);
        (labels[4], labels[6], weights[5], weights[7]) = (Loss.IgnoredLabel, Loss.IgnoredLabel, 0, 0);
        double[] Train(Communicator? communicator)
        {
            var model = new Linear(8, 2, generator: new(1)).To(DType.Float64);
            var trainer = new Trainer(model, new Sgd(model.Parameters(), 0.1), new ClassificationTask(),
                new DataLoader(new TensorDataset("rows",
                [
                    ("inputs", rows.Load([.. Enumerable.Range(0, 12)]).Inputs), ("targets", Tensor.From(labels)),
                    ("weights", Tensor.From(weights)),
                ]), 12));
            if (communicator is not null) _ = new DataParallel(trainer, communicator, new() { Shards = 3 });
            trainer.Fit(2);
            return [.. model.Parameters().SelectMany(parameter => parameter.Detach().ToArray<double>())];
        }
        var expected = Train(null);
        foreach (var ranks in (int[])[1, 2, 3])
            foreach (var own in Ranks.Run(ranks, Train, ParallelRuns.Timeout))
                foreach (var (value, right) in own.Zip(expected)) Assert.Equal(right, value, 1e-12);
    }

    // Independent: one process normalizes the whole batch. The ranks have 3 and 4 samples.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Batch_normalization_over_all_ranks(bool weighted)
    {
        var data = Rows(7, weighted: weighted);
        double[] Gradient(Communicator? communicator)
        {
            var model = new Sequential(new Linear(8, 5, generator: new(1)), new BatchNorm(5), new Tanh(),
                new Linear(5, 2, generator: new(2)));
            model.To(DType.Float64);
            var trainer = new Trainer(model, new Sgd(model.Parameters(), 0.1), new ClassificationTask(),
                new DataLoader(data.Map(sample =>
                {
                    sample["inputs"] = sample["inputs"].To(DType.Float64);
                    return sample;
                }), 7));
            var seen = new Gradients();
            trainer.Callbacks.Add(seen);
            if (communicator is not null)
            {
                SyncBatchNorm.Convert(model, communicator);
                _ = new DataParallel(trainer, communicator, new() { Shards = 2 });
            }
            trainer.Fit(1);
            return seen.Values;
        }
        var expected = Gradient(null);
        foreach (var own in Ranks.Run(2, Gradient, ParallelRuns.Timeout))
            foreach (var (value, right) in own.Zip(expected)) Assert.Equal(right, value, 1e-12);
        var errors = Ranks.Failures(2, communicator =>
        {
            var trainer = Images();
            SyncBatchNorm.Convert(trainer.Model, communicator);
            _ = new DataParallel(trainer, communicator);
            trainer.Fit(1);
        }, ParallelRuns.Timeout);
        Assert.Contains(errors, error => error is not RankFailureException && error!.Message.Contains(
            "one part of each batch per rank: found 12 shards on 2 ranks; set Shards = 2", StringComparison.Ordinal));
    }

    // Sentences of any length, each shard padded by itself; and samples that come as a stream.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Shards_of_different_shapes(bool isStream)
    {
        Trainer New()
        {
            var model = new Sequential(new Embedding(9, 6, new Generator(1)), new MeanOverTime(),
                new Linear(6, 2, generator: new(2)));
            Sample Sentence(int i) => new()
            {
                ["inputs"] = Tensor.From([.. Enumerable.Range(0, 1 + i * 7 % 5).Select(j => (long)((i + j) % 9))]),
                ["targets"] = Tensor.Scalar(i % 2, DType.Int64),
            };
            Dataset data = isStream
                ? new StreamingDataset("sentences", 31, _ => Enumerable.Range(0, 31).Select(Sentence))
                : new Sentences(31, Sentence);
            return new(model, new Adam(model.Parameters(), 0.01), new ClassificationTask(),
                new DataLoader(data, 14, new() { Collate = new PaddingCollate("inputs"), Shuffle = !isStream }));
        }
        var alone = Train(1, New)[0];
        foreach (var ranks in (int[])[2, 4]) Assert.All(Train(ranks, New), end => Assert.Equal(alone, end));
    }

    [Fact]
    public void Parts_that_are_frozen_for_an_epoch()
    {
        Trainer New()
        {
            var trainer = Perceptron();
            trainer.Callbacks.Add(new Freezing("0", from: 1, until: 2));
            return trainer;
        }
        var alone = Train(1, New, epochs: 3)[0];
        Assert.All(Train(2, New, epochs: 3), end => Assert.Equal(alone, end));
        Assert.NotEqual(alone, Train(1, () => Perceptron(), epochs: 3)[0]);
    }

    // The last batch has one sample, so two of three ranks have none: they compute nothing, and clip the same norm.
    [Fact]
    public void A_rank_without_samples_forgets_the_gradient_of_what_was_frozen()
    {
        Trainer New()
        {
            var model = new Mlp(8, [4], 2, "tanh", new Generator(1));
            var trainer = new Trainer(model, new Sgd(model.Parameters(), 0.1), new ClassificationTask(),
                new DataLoader(Rows(25), 12))
            {
                MaxGradientNorm = 0.01,
            };
            trainer.Callbacks.Add(new FreezingTheLastBatch());
            return trainer;
        }
        var options = new DataParallelOptions { Shards = 3 };
        var alone = Train(1, New, options: options)[0];
        Assert.All(Train(3, New, options: options), end => Assert.Equal(alone, end));
    }

    [Fact]
    public void What_a_callback_does_to_the_gradients_of_a_shard_counts()
    {
        Trainer New(double factor, double rate)
        {
            var model = new Linear(8, 2, generator: new(1));
            var trainer = new Trainer(model, new Sgd(model.Parameters(), rate), new ClassificationTask(),
                new DataLoader(Rows(50), 20))
            { BatchesPerStep = 2 };
            if (factor != 1) trainer.Callbacks.Add(new Scaling(factor));
            return trainer;
        }
        // Powers of two round nothing.
        string Weights(string digest) => digest[..64];
        var expected = Train(1, () => New(1, 0.125), epochs: 2)[0];
        foreach (var ranks in (int[])[1, 3])
            Assert.All(Train(ranks, () => New(0.5, 0.25)), end => Assert.Equal(Weights(expected), Weights(end)));
    }

    [Fact]
    public void Buffers_of_integers_are_those_of_the_first_shard()
    {
        Trainer New()
        {
            var model = new Counting();
            return new(model, new Sgd(model.Parameters(), 0.1), new ClassificationTask(),
                new DataLoader(Rows(50), 20), new DataLoader(Rows(10), 5));
        }
        var counts = new List<long>();
        string[] Ends(int ranks) => Train(ranks, New, prepare: parallel =>
        {
            parallel.Trainer.Fit(2);
            lock (counts) counts.Add(parallel.Trainer.Model.StateDict()["batches"].ToArray<long>()[0]);
        });
        var alone = Ends(1)[0];
        foreach (var ranks in (int[])[2, 3]) Assert.All(Ends(ranks), end => Assert.Equal(alone, end));
        // Three batches in each of two epochs.
        Assert.Equal([6, 6, 6, 6, 6, 6], counts);
    }

    [Fact]
    public void Half_precision()
    {
        Trainer New()
        {
            var trainer = Perceptron(averages: false);
            trainer.Model.To(DType.BFloat16);
            return trainer;
        }
        var alone = Train(1, New)[0];
        Assert.All(Train(2, New), end => Assert.Equal(alone, end));
    }

    [Fact]
    public void Small_buckets_and_another_run()
    {
        var alone = Train(1, () => Perceptron(), prepare: parallel => parallel.Trainer.Fit(1))[0];
        var options = new DataParallelOptions { Shards = Shards, BucketBytes = 100 };
        Assert.All(Train(4, () => Perceptron(), options: options, prepare: parallel => parallel.Trainer.Fit(1)),
            end => Assert.Equal(alone, end));
    }

    private static Func<Trainer> Of(string name) => name switch
    {
        "perceptron" => () => Perceptron(),
        "images" => Images,
        _ => Language,
    };

    private static Func<Module, Optimizer> Optimizer(string name) => model => name switch
    {
        "sgd" => new Sgd(model.Parameters(), 0.1),
        "momentum" => new Sgd(model.Parameters(), 0.1, momentum: 0.9),
        "adam" => new Adam(model.Parameters(), 0.01),
        "adamw" => new AdamW(ParameterGroup.Split(model.Parameters(), 0.01, 0.1)),
        "rmsprop" => new RmsProp(model.Parameters(), 0.01),
        _ => new OwnOptimizerTests.Decaying([new(model.Parameters(), 0.05, 0.01)], 0.9),
    };

    private sealed class MeanOverTime : Layer
    {
        protected override Tensor ForwardCore(Tensor x) => x.Mean(1);
    }

    private sealed class Sentences(int count, Func<int, Sample> make) : Dataset("sentences")
    {
        public override int Count => count;

        public override IReadOnlyList<Field> Fields { get; } =
            [new("inputs", [1], DType.Int64) { IsRagged = true }, new("targets", [], DType.Int64)];

        public override Sample this[int index] => make(index);
    }

    private sealed class FreezingTheLastBatch : Callback
    {
        private int batch;

        public override void BeforeEpoch(Trainer trainer, int epoch) => batch = 0;

        public override void BeforeBatch(Trainer trainer, Adjoint.Data.Batch samples) =>
            trainer.Model.Parameters().First().RequireGrad(++batch < trainer.Training.Count);
    }

    private sealed class Scaling(double factor) : StepCallback
    {
        public override void AfterBackward(Trainer trainer, Tensor loss)
        {
            using var _ = new NoGrad();
            foreach (var parameter in trainer.Model.Parameters()) parameter.Grad!.CopyFrom(parameter.Grad! * factor);
        }
    }

    private sealed class Counting : Layer
    {
        private readonly Linear linear;
        private readonly Tensor batches;

        internal Counting()
        {
            linear = AddChild("linear", new Linear(8, 2, generator: new(1)));
            batches = AddBuffer("batches", Tensor.From([0L]));
        }

        protected override Tensor ForwardCore(Tensor x)
        {
            if (IsTraining) batches.CopyFrom(batches + Tensor.From([1L]));
            return linear.Forward(x);
        }
    }

    private sealed class Gradients : Callback
    {
        internal double[] Values { get; private set; } = [];

        public override void BeforeOptimizerStep(Trainer trainer) =>
            Values = [.. trainer.Model.Parameters().SelectMany(parameter => parameter.Grad!.ToArray<double>())];
    }
}
