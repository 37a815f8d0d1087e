using Adjoint.Data;
using Adjoint.Distributed;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Tests.Distributed;
using Adjoint.Training;
using static Adjoint.Tests.Training.ParallelRuns;

namespace Adjoint.Tests.Training;

/// <summary>Ranks that differ, fail or end: all come to know of it, and none waits for ever.</summary>
public class ParallelFailureTests
{
    [Fact]
    public void What_one_rank_throws_ends_all()
    {
        foreach (var (culprit, prepare, text) in ((int, Action<Trainer>, string)[])
            [
                (1, trainer => trainer.Callbacks.Add(new Throwing()), "NotSupportedException: not on this rank"),
                (2, _ => { }, "IOException: cannot read sample"),
            ])
        {
            var errors = Ranks.Failures(3, communicator =>
            {
                var trainer = New(new Reading(40, culprit == 2 && communicator.Rank == 2 ? 35 : 99));
                if (communicator.Rank == culprit) prepare(trainer);
                _ = new DataParallel(trainer, communicator);
                trainer.Fit(2);
            }, ParallelRuns.Timeout);
            Assert.IsNotType<RankFailureException>(errors[culprit]);
            foreach (var (rank, error) in errors.Index())
            {
                if (rank == culprit) continue;
                var failure = Assert.IsType<RankFailureException>(error);
                Assert.Equal(culprit, failure.Rank);
                Assert.Contains(text, failure.Message, StringComparison.Ordinal);
            }
        }
    }

    // The rank that failed goes on, so the end of its communicator tells nobody.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_one_rank_throws_between_runs_ends_all(bool loads)
    {
        using var told = new CountdownEvent(2);
        var errors = Ranks.Failures(3, communicator =>
        {
            var trainer = Perceptron();
            if (loads && communicator.Rank == 1) trainer.Callbacks.Add(new Unloadable());
            var parallel = new DataParallel(trainer, communicator, new() { Shards = Shards });
            var saved = Perceptron();
            _ = new DataParallel(saved, Communicator.Alone, new() { Shards = Shards });
            saved.Fit(0);
            try
            {
                if (loads) parallel.Load(saved.Save());
                else parallel.Evaluate(new DataLoader(Rows(40).Map(sample =>
                    communicator.Rank == 1 ? throw new IOException("cannot read here") : sample), 4));
                trainer.Fit(1);
            }
            catch (RankFailureException)
            {
                told.Signal();
                throw;
            }
            catch (IOException)
            {
                Assert.True(told.Wait(ParallelRuns.Timeout), "the others wait");
                throw;
            }
        }, ParallelRuns.Timeout);
        Assert.IsType<IOException>(errors[1]);
        foreach (var rank in (int[])[0, 2])
            Assert.Contains(errors[1]!.Message, Assert.IsType<RankFailureException>(errors[rank]).Message,
                StringComparison.Ordinal);
    }

    [Fact]
    public void All_ranks_diverge_with_the_cause_that_one_found()
    {
        var messages = Ranks.Run(3, communicator =>
        {
            var trainer = New(new Reading(40, 99) { NotANumber = 25 });
            _ = new DataParallel(trainer, communicator);
            var error = Assert.Throws<DivergedException>(() => trainer.Fit(2));
            // The world is whole.
            communicator.Barrier("afterwards");
            return error.Message;
        }, ParallelRuns.Timeout);
        Assert.All(messages, message => Assert.Equal(
            "training: the loss became NaN in epoch 1, step 2: a value of inputs of sample 25 is NaN; look at where "
            + "the data come from; try a smaller learning rate", message));
    }

    // The loss is finite: that of √0, whose slope is not.
    [Theory]
    [InlineData(2, false)]
    [InlineData(3, false)]
    [InlineData(3, true)]
    public void All_ranks_refuse_gradients_without_a_norm_as_one_process_does(int ranks, bool shardOptimizer)
    {
        Trainer New()
        {
            var model = new Linear(8, 2, generator: new(1));
            return new(model, new Sgd(model.Parameters(), 0.1),
                LearningTask.Of<Linear>((model, batch) => (model.Forward(batch.Inputs) * 0).Sqrt().Mean()),
                new DataLoader(Rows(24), 12))
            {
                MaxGradientNorm = 1,
            };
        }
        var expected = Assert.Throws<AdjointException>(() => New().Fit(1)).Message;
        Assert.Contains("the norm of the gradients is NaN", expected, StringComparison.Ordinal);
        Ranks.Run(ranks, communicator =>
        {
            var trainer = New();
            _ = new DataParallel(trainer, communicator, new() { Shards = 6, ShardOptimizer = shardOptimizer });
            Assert.Equal(expected, Assert.Throws<AdjointException>(() => trainer.Fit(1)).Message);
            // The world is whole.
            communicator.Barrier("afterwards");
            return true;
        }, ParallelRuns.Timeout);
    }

    [Fact]
    public void Ranks_that_were_started_differently_are_refused()
    {
        foreach (var (make, epochs, text) in ((Func<bool, Trainer>, int, string)[])
            [
                (other => Perceptron(model => new Sgd(model.Parameters(), other ? 0.1 : 0.01)), 1,
                    "learning rates is 0.1, and 0.01 on rank 0"),
                (other => Perceptron(norm: other ? 1 : 2), 1, "MaxGradientNorm is 1, and 2 on rank 0"),
                (other => Perceptron(batchSize: other ? 24 : 25), 1, "training batch size is 24, and 25 on rank 0"),
                (other => Perceptron(weighted: other), 1, "training fields is inputs (8,) float32"),
                (other => other ? Perceptron() : New(new Reading(40, 99)), 1,
                    "task is classification, and regression on rank 0"),
                (_ => Perceptron(), 2, "epochs is 3, and 2 on rank 0"),
            ])
        {
            var errors = Ranks.Failures(2, communicator =>
            {
                var trainer = make(communicator.Rank == 1);
                _ = new DataParallel(trainer, communicator);
                trainer.Fit(epochs == 2 && communicator.Rank == 1 ? 3 : epochs);
            }, ParallelRuns.Timeout);
            // A rank may hear of it from one that was faster, in the same words.
            Assert.All(errors, error => Assert.Contains(text, error!.Message, StringComparison.Ordinal));
            Assert.Contains(errors, error => error!.GetType() == typeof(AdjointException));
        }
    }

    [Fact]
    public void A_model_that_drifts_is_found_at_the_end_of_the_epoch()
    {
        var errors = Ranks.Failures(3, communicator =>
        {
            var trainer = Perceptron(averages: false);
            if (communicator.Rank == 2) trainer.Callbacks.Add(new Nudging());
            _ = new DataParallel(trainer, communicator);
            trainer.Fit(2);
        }, ParallelRuns.Timeout);
        Assert.All(errors, error => Assert.Contains(
            "the model of rank 2 on c differs from that of rank 0 on a after epoch 1", error!.Message,
            StringComparison.Ordinal));
    }

    [Fact]
    public void What_one_rank_decides_holds_for_all()
    {
        // One cancels, one sets the factor of the rates, one ends after an epoch.
        var canceled = Ranks.Run(3, communicator =>
        {
            using var cancel = new CancellationTokenSource();
            var trainer = Perceptron();
            trainer.Callbacks.Add(new Deciding(communicator.Rank, cancel));
            _ = new DataParallel(trainer, communicator);
            var result = trainer.Fit(9, cancel.Token);
            return (result.WasCanceled, result.Epochs.Count, trainer.RateFactor, DigestOf(trainer, result));
        }, ParallelRuns.Timeout);
        Assert.Equal((true, 2, 0.5), (canceled[0].WasCanceled, canceled[0].Count, canceled[0].RateFactor));
        Assert.All(canceled, one => Assert.Equal(canceled[0], one));
        var stopped = Ranks.Run(3, communicator =>
        {
            var trainer = Perceptron();
            if (communicator.Rank == 2) trainer.Callbacks.Add(new Stopping());
            _ = new DataParallel(trainer, communicator);
            return trainer.Fit(9).Epochs.Count;
        }, ParallelRuns.Timeout);
        Assert.Equal([3, 3, 3], stopped);
    }

    [Fact]
    public void A_batch_that_weighs_nothing_is_refused_by_all()
    {
        var data = new TensorDataset("light",
        [
            ("inputs", Tensor.Ones(24, 8)), ("targets", Tensor.Zeros(24).To(DType.Int64)),
            ("weights", Tensor.Concat([Tensor.Ones(12), Tensor.Zeros(12)])),
        ]);
        var errors = Ranks.Failures(2, communicator =>
        {
            var model = new Linear(8, 2, generator: new(1));
            var trainer = new Trainer(model, new Sgd(model.Parameters(), 0.1), new ClassificationTask(),
                new DataLoader(data, 12));
            _ = new DataParallel(trainer, communicator);
            trainer.Fit(1);
        }, ParallelRuns.Timeout);
        Assert.All(errors, error => Assert.Contains(
            "the targets of all 12 samples of batch 2 of epoch 1 are missing or weigh 0", error!.Message,
            StringComparison.Ordinal));
    }

    [Fact]
    public void Shards_that_do_not_fit_are_refused()
    {
        string Refused(int ranks, int batchSize, int? shards) => Ranks.Failures(ranks, communicator =>
            _ = new DataParallel(Perceptron(batchSize: batchSize), communicator, new() { Shards = shards }),
            ParallelRuns.Timeout).First(error => error is not RankFailureException)!.Message;
        Assert.Contains("a batch needs a sample for each rank: found batches of 2 for 3 ranks", Refused(3, 2, null),
            StringComparison.Ordinal);
        Assert.Contains("at least as many as the ranks, 3, and at most as many as its samples, 24: found 2",
            Refused(3, 24, 2), StringComparison.Ordinal);
        Assert.Contains("at most as many as its samples, 24: found 25", Refused(1, 24, 25), StringComparison.Ordinal);
        Assert.Contains("found 0", Refused(1, 24, 0), StringComparison.Ordinal);
        var trainer = Perceptron();
        Assert.Equal(4, new DataParallel(trainer, Communicator.Alone, new() { Shards = 4 }).Shards);
        Assert.Contains("has one already", Assert.Throws<AdjointException>(() =>
            new DataParallel(trainer, Communicator.Alone)).Message, StringComparison.Ordinal);
        Assert.Throws<AdjointException>(() => new DataParallelOptions { BucketBytes = 0 });
    }

    private static Trainer New(Dataset data)
    {
        var model = new Linear(1, 1, generator: new(1));
        return new(model, new Sgd(model.Parameters(), 0.001), new RegressionTask(), new DataLoader(data, 20));
    }

    private sealed class Reading(int count, int broken) : Dataset("reading")
    {
        internal int NotANumber { get; init; } = -1;

        public override int Count => count;

        public override IReadOnlyList<Field> Fields { get; } =
            [new("inputs", [1], DType.Float32), new("targets", [1], DType.Float32)];

        // Not where the samples are compared at the start, which reads each once.
        private int read;

        public override Sample this[int index] => index == broken && Interlocked.Increment(ref read) > 1
            ? throw new IOException($"cannot read sample {index}")
            : new()
            {
                ["inputs"] = Tensor.From([index == NotANumber ? float.NaN : index / 40f], 1),
                ["targets"] = Tensor.From([1f], 1),
            };
    }

    private sealed class Unloadable : Callback
    {
        public override void Load(Trainer trainer, TrainingState state) => throw new IOException("cannot load here");
    }

    private sealed class Throwing : Callback
    {
        public override void AfterBatch(Trainer trainer, StepInfo step)
        {
            if (step.Step == 2) throw new NotSupportedException("not on this rank");
        }
    }

    private sealed class Nudging : Callback
    {
        public override void AfterOptimizerStep(Trainer trainer)
        {
            using var _ = new NoGrad();
            var bias = trainer.Model.Parameters().Last();
            bias.CopyFrom(bias + 1e-6);
        }
    }

    private sealed class Deciding(int rank, CancellationTokenSource cancel) : Callback
    {
        public override void AfterBatch(Trainer trainer, StepInfo step)
        {
            if (rank == 0 && step is { Epoch: 1, Step: 2 }) trainer.RateFactor = 0.5;
            if (rank == 1 && step is { Epoch: 2, Step: 1 }) cancel.Cancel();
        }
    }

    private sealed class Stopping : Callback
    {
        public override void AfterEpoch(Trainer trainer, EpochResult epoch) => trainer.ShouldStop |= epoch.Epoch == 2;
    }
}
