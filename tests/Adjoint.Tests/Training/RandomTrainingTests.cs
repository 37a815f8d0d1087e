using Adjoint.Data;
using Adjoint.Distributed;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Tests.Distributed;
using Adjoint.Tests.Optim;
using Adjoint.Training;
using static Adjoint.Tests.Training.ParallelRuns;

namespace Adjoint.Tests.Training;

/// <summary>
/// Small trainings of random modules, data and settings have the same bits on any number of ranks, also where they go
/// on with another number.
/// </summary>
public class RandomTrainingTests
{
    private static readonly int Count = Environment.GetEnvironmentVariable("ADJOINT_LONG") is null ? 3 : 50;

    [Fact]
    public void The_number_of_ranks_changes_no_bit()
    {
        for (var i = 0; i < Count; i++)
        {
            var seed = Random.Shared.Next();
            try
            {
                Run(seed);
            }
            catch (Exception error)
            {
                Assert.Fail($"seed {seed}, {new Draw(seed)}: {error.Message}");
            }
        }
    }

    private static void Run(int seed)
    {
        var draw = new Draw(seed);
        var plain = draw.New();
        string end;
        // A batch all of whose samples weigh 0, or have no label.
        try
        {
            end = DigestOf(plain, plain.Fit(Draw.Epochs));
        }
        catch (AdjointException error) when (error.Message.Contains("has no mean", StringComparison.Ordinal))
        {
            return;
        }
        Assert.Equal(end, Train(Communicator.Alone, draw.New, Draw.Epochs, new()));
        var alone = Train(1, draw.New, Draw.Epochs, new() { Shards = draw.Shards, BucketBytes = draw.BucketBytes })[0];
        foreach (var ranks in (int[])[2, 3])
            Assert.Equal(alone, Train(ranks, draw.New, Draw.Epochs, draw.Options)[0]);

        TrainingState? state = null;
        foreach (var (ranks, stopAt) in draw.Parts)
        {
            var ends = Ranks.Run(ranks, communicator =>
            {
                var trainer = draw.New();
                var parallel = new DataParallel(trainer, communicator, draw.Options);
                parallel.Load(communicator.Rank == 0 ? state : null);
                using var cancel = new CancellationTokenSource();
                trainer.Callbacks.Add(new StopAt(stopAt, cancel));
                var result = trainer.Fit(Draw.Epochs, cancel.Token);
                return (End: DigestOf(trainer, result), State: Copy(trainer.Save()));
            }, ParallelRuns.Timeout);
            state = ends[0].State;
            if (stopAt == int.MaxValue) Assert.Equal(alone, ends[0].End);
        }

        static TrainingState Copy(TrainingState state) =>
            new(state.Tensors.ToDictionary(entry => entry.Key, entry => entry.Value.Clone().Keep()), state.Notes);
    }

    // What is drawn from a seed, once for all ranks.
    private sealed class Draw
    {
        internal const int Epochs = 3;
        private readonly int seed, samples, batchSize, batchesPerStep, width, task, optimizer, freezes;
        private readonly bool dropsLast, weighted, normalizes, drops, shares, checkpoints, averages, eager, observes,
            schedules, plateaus, augments, counts, unused, clipsValue, clipsNorm;
        private readonly DType type;

        internal Draw(int seed)
        {
            this.seed = seed;
            var random = new Random(seed);
            bool Flip() => random.Next(2) == 0;
            (batchSize, width) = (random.Next(4, 20), random.Next(2, 9));
            samples = batchSize * random.Next(1, 4) + random.Next(batchSize);
            batchesPerStep = random.Next(1, 4);
            (task, optimizer, freezes) = (random.Next(3), random.Next(6), random.Next(4));
            (dropsLast, weighted, normalizes, drops) = (Flip(), Flip(), Flip(), Flip());
            (shares, checkpoints, averages, eager) = (Flip(), Flip(), Flip(), Flip());
            (observes, schedules, plateaus, augments) = (random.Next(4) == 0, Flip(), Flip(), Flip());
            (counts, unused, clipsValue, clipsNorm) = (Flip(), Flip(), Flip(), Flip());
            type = random.Next(5) switch
            {
                0 => DType.Float64,
                1 => DType.BFloat16,
                2 => DType.Float16,
                _ => DType.Float32,
            };
            Shards = random.Next(3, batchSize + 1);
            BucketBytes = random.Next(1, 2000);
            Options = new() { Shards = Shards, BucketBytes = BucketBytes, ShardOptimizer = Flip() };
            Parts = [(random.Next(1, 4), random.Next(1, 4)), (random.Next(1, 4), random.Next(1, 4)),
                (random.Next(1, 4), int.MaxValue)];
        }

        internal int Shards { get; }
        internal long BucketBytes { get; }
        internal DataParallelOptions Options { get; }

        // How many ranks each part of a run has, and after how many batches somebody ends it.
        internal (int Ranks, int StopAt)[] Parts { get; }

        public override string ToString() =>
            $"{samples} samples in batches of {batchSize} and steps of {batchesPerStep}, {Shards} shards, task {task}, "
            + $"optimizer {optimizer}, {type.Label()}, freezes {freezes}, dropsLast {dropsLast}, weighted {weighted}, "
            + $"normalizes {normalizes}, drops {drops}, shares {shares}, checkpoints {checkpoints}, "
            + $"averages {averages}, eager {eager}, observes {observes}, schedules {schedules}, plateaus {plateaus}, "
            + $"augments {augments}, counts {counts}, unused {unused}, clipsValue {clipsValue}, clipsNorm {clipsNorm}, "
            + $"{BucketBytes} bytes a bucket, shardOptimizer {Options.ShardOptimizer}, ranks and ends "
            + string.Join(", ", Parts);

        internal Trainer New()
        {
            var random = new Generator((ulong)seed);
            var shared = new Linear(width, width, generator: random);
            var model = new Sequential(
            [
                new Linear(8, width, generator: random), .. counts ? [new Counting()] : (Layer[])[],
                .. normalizes ? [new BatchNorm(width)] : (Layer[])[], new Tanh(),
                .. drops ? [new Dropout(0.3, new Generator((ulong)seed, 7))] : (Layer[])[],
                .. shares ? [new Within(shared, checkpoints), new Tanh(), shared] : (Layer[])[],
                .. unused ? [new Unused(width)] : (Layer[])[],
                new Linear(width, 2, generator: random),
            ]);
            model.To(type);
            var trainer = new Trainer(model, Optimizer(model), Task(), new DataLoader(Data(samples, 1), batchSize, new()
            {
                Shuffle = true,
                Seed = (ulong)seed,
                DropLast = dropsLast,
                BatchTransforms = augments && task == 0 && !weighted ? [new MixUp(2)] : [],
            }), new DataLoader(Data(11, 2), 4))
            {
                Schedule = schedules ? Schedule.OneCycle(9) : null,
                GroupSchedules = schedules && optimizer == 3
                    ? new Dictionary<int, Schedule> { [1] = Schedule.OneCycle(5) }
                    : new(),
                BatchesPerStep = batchesPerStep,
                MaxGradientNorm = clipsNorm ? 0.5 : double.PositiveInfinity,
                MaxGradientValue = clipsValue ? 0.1 : double.PositiveInfinity,
                Eager = eager,
                Average = averages ? new WeightAverage(model, 0.9) : null,
            };
            if (freezes == 1) trainer.Callbacks.Add(new Freezing("0", from: 2, until: 3));
            if (freezes == 2) trainer.Callbacks.Add(new Thawing());
            if (freezes == 3) model.Parameters().First().RequireGrad(false);
            if (plateaus) trainer.Callbacks.Add(new PlateauSchedule(0.5, patience: 0, threshold: 10));
            trainer.Callbacks.Add(new EarlyStopping(patience: 2));
            if (observes) trainer.Callbacks.Add(new Looking());
            return trainer;
        }

        private Optimizer Optimizer(Module model)
        {
            var parameters = unused ? model.Parameters().SkipLast(1).ToArray() : [.. model.Parameters()];
            return optimizer switch
            {
                0 => new Sgd(parameters, 0.1),
                1 => new Sgd(parameters, 0.1, momentum: 0.9, nesterov: true),
                2 => new Adam(parameters, 0.01),
                3 => new AdamW(ParameterGroup.Split(parameters, 0.01, 0.1)),
                4 => new RmsProp(parameters, 0.01),
                _ => new OwnOptimizerTests.Decaying([new(parameters, 0.05, 0.01)], 0.9),
            };
        }

        private LearningTask Task() => task switch
        {
            0 => new ClassificationTask { Reduction = seed % 3 == 0 ? Reduction.Sum : Reduction.Mean },
            1 => new RegressionTask { Reduction = seed % 3 == 0 ? Reduction.Sum : Reduction.Mean },
            _ => LearningTask.Of<Layer>((model, batch) =>
            {
                var type = model.DType;
                var losses = (model.Forward(batch.Inputs.To(type)) - batch.Targets.To(type)).Abs().Mean(1);
                return batch.Weights?.To(type) is { } weights
                    ? (losses * weights).Sum() / weights.Sum()
                    : losses.Mean();
            }),
        };

        private TensorDataset Data(int count, int stream)
        {
            var random = new Random(seed + stream);
            return new("rows",
            [
                ("inputs", Tensor.From([.. Enumerable.Range(0, count * 8).Select(_ => random.NextSingle() - 0.5f)],
                    count, 8)),
                ("targets", task == 0
                    ? Tensor.From([.. Enumerable.Range(0, count).Select(_ => Label())])
                    : Tensor.From([.. Enumerable.Range(0, count * 2).Select(_ => random.NextSingle())], count, 2)),
                .. weighted
                    ? [("weights", Tensor.From([.. Enumerable.Range(0, count).Select(i => i % 3 == 0 ? 0
                        : random.NextSingle() + 0.1f)]))]
                    : ((string, Tensor)[])[],
            ]);

            // Some are missing.
            long Label() => random.Next(8) is > 0 and var label ? label % 2 : augments && !weighted ? 0 : -100;
        }
    }

    private sealed class Looking : StepCallback;

    // Freezes a parameter in every other batch.
    private sealed class Thawing : Callback
    {
        public override void BeforeBatch(Trainer trainer, Batch batch)
        {
            var steps = trainer.Save().Integer("steps");
            trainer.Model.Parameters().Skip(1).First().RequireGrad(steps % 2 == 0);
        }
    }

    private sealed class Within(Layer layer, bool isCheckpoint) : Layer
    {
        protected override Tensor ForwardCore(Tensor x) =>
            isCheckpoint ? GradientCheckpoint.Run(layer.Forward, x) : layer.Forward(x);
    }

    private sealed class Unused : Layer
    {
        internal Unused(int width) => AddParameter("weight", Tensor.Ones(width));

        protected override Tensor ForwardCore(Tensor x) => x;
    }

    private sealed class Counting : Layer
    {
        private readonly Tensor batches;

        internal Counting() => batches = AddBuffer("batches", Tensor.From([0L]));

        protected override Tensor ForwardCore(Tensor x)
        {
            if (IsTraining) batches.CopyFrom(batches + Tensor.From([1L]));
            return x;
        }
    }
}
