using Adjoint.Data;
using Adjoint.Distributed;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Tests.Distributed;
using Adjoint.Training;
using static Adjoint.Tests.Training.ParallelRuns;

namespace Adjoint.Tests.Training;

/// <summary>What several ranks measure together has the digits of one.</summary>
public class SharedEvaluationTests
{
    [Theory]
    [InlineData("classes")]
    [InlineData("regression")]
    [InlineData("no outputs")]
    [InlineData("random")]
    public void Each_metric_has_the_digits_of_one_rank(string kind)
    {
        var alone = Measure(null);
        foreach (var ranks in (int[])[1, 2, 3, 4])
            Assert.All(Ranks.Run(ranks, Measure, ParallelRuns.Timeout), one => Assert.Equal(alone, one));

        string Measure(Communicator? communicator)
        {
            var data = new DataLoader(Data(), 8);
            Layer model = kind == "random"
                ? new Noisy()
                : new Mlp(8, [5], kind == "regression" ? 1 : 2, "tanh", new Generator(1));
            var trainer = new Trainer(model, new Sgd(model.Parameters(), 0.1), Task(), data);
            // What draws random numbers draws them by the number of the batch, on one rank, too.
            var parallel = communicator is null && kind != "random" ? null
                : new DataParallel(trainer, communicator ?? Communicator.Alone, new() { Shards = 6 });
            var result = parallel?.Evaluate(data) ?? trainer.Evaluate(data);
            var confusion = result.Confusion is null ? "" : string.Join(' ', result.Confusion.Cast<int>());
            return $"{result.Loss:R} {result.Metrics} {confusion}";
        }

        Dataset Data() => kind != "regression" ? Rows(50, weighted: true) : Rows(50, weighted: true).Map(sample =>
        {
            sample["targets"] = sample["targets"].To(DType.Float32).Reshape(1);
            return sample;
        });

        LearningTask Task() => kind switch
        {
            "classes" => new ClassificationTask
            {
                Metrics = () =>
                    [new Accuracy(), new RocAuc(), new PrAuc(), new F1(), new LogLoss(), new CalibrationError()],
            },
            "regression" => new RegressionTask { Metrics = () => [new Mae(), new Rmse(), new R2()] },
            "no outputs" => LearningTask.Of<Mlp>((model, batch) => model.Forward(batch.Inputs).Square().Mean()),
            _ => LearningTask.Of<Noisy>((model, batch) => model.Forward(batch.Inputs).Square().Mean()),
        };
    }

    [Fact]
    public void Views_of_samples_are_averaged_as_on_one_rank()
    {
        string Measure(Communicator? communicator)
        {
            var trainer = Images();
            var views = TestTimeAugmentation.FlipAndShift;
            var result = communicator is null
                ? trainer.Evaluate(trainer.Validation!, views)
                : new DataParallel(trainer, communicator).Evaluate(trainer.Validation!, views);
            return $"{result.Loss:R} {result.Metrics}";
        }
        var alone = Measure(null);
        Assert.All(Ranks.Run(2, Measure, ParallelRuns.Timeout), one => Assert.Equal(alone, one));
    }

    [Fact]
    public void What_each_rank_did_is_known_to_all()
    {
        var all = Ranks.Run(3, communicator =>
        {
            var trainer = Perceptron();
            var parallel = new DataParallel(trainer, communicator, new() { Shards = Shards });
            var seen = new Counting(parallel);
            trainer.Callbacks.Add(seen);
            trainer.Fit(2);
            Assert.Equal([0, 3, 6], seen.Counts);
            return parallel.Ranks;
        }, ParallelRuns.Timeout);
        Assert.All(all, ranks => Assert.Equal(all[0], ranks));
        Assert.Equal(
            [(1, 0, "a"), (1, 1, "b"), (1, 2, "c"), (2, 0, "a"), (2, 1, "b"), (2, 2, "c")],
            all[0].Select(rank => (rank.Epoch, rank.Rank, rank.Host)));
        foreach (var epoch in all[0].GroupBy(rank => rank.Epoch)) Assert.Equal(53, epoch.Sum(rank => rank.Samples));
        Assert.All(all[0], rank =>
        {
            Assert.True(rank.SamplesPerSecond > 0);
            Assert.True(rank is { ComputeSeconds: > 0, WaitSeconds: >= 0, HiddenSeconds: >= 0 });
            // Three steps of 178 parameters in float32, of which two thirds go out, and two thirds of its own third.
            Assert.InRange(rank.BytesSent, 3 * 178 * 4 * 4 / 3, 20_000);
        });
        Assert.Empty(new DataParallel(Perceptron(), Communicator.Alone).Ranks);
    }

    // As a variational autoencoder, which draws where it is measured, too.
    private sealed class Noisy : Layer
    {
        private readonly Generator noise;
        private readonly Linear linear;

        internal Noisy() =>
            (noise, linear) = (AddGenerator("noise", new(9)), AddChild("linear", new Linear(8, 2, generator: new(1))));

        protected override Tensor ForwardCore(Tensor x) => linear.Forward(x) + Tensor.Randn([x.Shape[0], 2], noise);
    }

    private sealed class Counting(DataParallel parallel) : Callback
    {
        internal List<int> Counts { get; } = [];

        public override void AfterEpoch(Trainer trainer, EpochResult epoch) => Counts.Add(parallel.Ranks.Count);
    }
}
