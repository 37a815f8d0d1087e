using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Adjoint.Data;
using Adjoint.Distributed;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Tests.Distributed;
using Adjoint.Training;

namespace Adjoint.Tests.Training;

/// <summary>Small trainings on several ranks, which are threads of the test, and what is left of them.</summary>
internal static class ParallelRuns
{
    internal const int Shards = 12;

    // A busy machine is no dead rank.
    internal static readonly TimeSpan Timeout = TimeSpan.FromSeconds(15);

    /// <summary>Trains on so many ranks; gives what each rank has in the end.</summary>
    internal static string[] Train(
        int ranks, Func<Trainer> make, int epochs = 2, DataParallelOptions? options = null,
        Action<DataParallel>? prepare = null) =>
        Ranks.Run(ranks, communicator => Train(communicator, make, epochs, options, prepare), Timeout);

    /// <summary>Trains one rank of a world.</summary>
    internal static string Train(
        Communicator communicator, Func<Trainer> make, int epochs, DataParallelOptions? options = null,
        Action<DataParallel>? prepare = null)
    {
        var trainer = make();
        var parallel = new DataParallel(trainer, communicator, options ?? new() { Shards = Shards });
        prepare?.Invoke(parallel);
        return DigestOf(trainer, trainer.Fit(epochs));
    }

    /// <summary>SHA-256 of all that a run leaves: model, optimizer, average, measures.</summary>
    internal static string DigestOf(Trainer trainer, TrainingResult result)
    {
        var state = trainer.Save();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, tensor) in state.Tensors.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            // Rank 0 alone has the whole state of an optimizer that is sharded.
            if (name.StartsWith("optimizer/", StringComparison.Ordinal) && !IsWhole(trainer)) continue;
            hash.AppendData(Encoding.UTF8.GetBytes(name));
            hash.AppendData(MemoryMarshal.AsBytes(tensor.To(DType.Float64).ToArray<double>().AsSpan()));
        }
        var measures = string.Join('\n', result.Epochs.Select(epoch => $"{epoch with { Seconds = 0 }}"));
        return Convert.ToHexString(hash.GetHashAndReset()) + "\n" + measures;
    }

    /// <summary>Samples of two classes in eight features, with some noise.</summary>
    internal static TensorDataset Rows(int count, int seed = 1, bool weighted = false)
    {
        var random = new Random(seed);
        var (inputs, labels, weights) = (new float[count * 8], new long[count], new float[count]);
        for (var i = 0; i < count; i++)
        {
            labels[i] = random.Next(2);
            weights[i] = i % 5 == 0 ? 0 : 0.5f + random.NextSingle();
            for (var j = 0; j < 8; j++)
                inputs[i * 8 + j] = (float)(random.NextDouble() - 0.5 + (j < 2 ? labels[i] : 0));
        }
        return new("rows",
        [
            ("inputs", Tensor.From(inputs, count, 8)), ("targets", Tensor.From(labels)),
            .. weighted ? [("weights", Tensor.From(weights))] : ((string, Tensor)[])[],
        ]);
    }

    /// <summary>A perceptron with dropout. The last batch has fewer samples than there are shards.</summary>
    internal static Trainer Perceptron(
        Func<Module, Optimizer>? optimizer = null, int batchesPerStep = 1, bool weighted = false, bool eager = false,
        bool averages = true, double norm = 1, int batchSize = 24, Checkpoints? checkpoints = null,
        Reduction reduction = Reduction.Mean)
    {
        var random = new Generator(3);
        var model = new Sequential(new Linear(8, 16, generator: random), new Relu(),
            new Dropout(0.2, new Generator(3, 7)), new Linear(16, 2, generator: random));
        return new(model, optimizer?.Invoke(model) ?? new AdamW(model.Parameters(), 0.01),
            new ClassificationTask { Reduction = reduction },
            new DataLoader(Rows(2 * batchSize + 5, weighted: weighted), batchSize, new() { Shuffle = true, Seed = 5 }),
            new DataLoader(Rows(50, seed: 2), 16))
        {
            Schedule = Schedule.OneCycle(9),
            BatchesPerStep = batchesPerStep,
            MaxGradientNorm = norm,
            Eager = eager,
            Average = averages ? new WeightAverage(model) : null,
            Checkpoints = checkpoints,
        };
    }

    /// <summary>Convolutions with batch normalization, and augmented images.</summary>
    internal static Trainer Images()
    {
        var (random, values) = (new Generator(4), new Random(4));
        var model = new Sequential(new Conv2d(1, 4, 3, new() { Padding = 1, Generator = random }), new BatchNorm(4),
            new Relu(),
            new MaxPool2d(2), new Flatten(), new Linear(4 * 4 * 4, 3, generator: random));
        return new(model, new Sgd(model.Parameters(), 0.05, momentum: 0.9), new ClassificationTask(),
            new DataLoader(Of(40), 18, new()
            {
                Shuffle = true,
                Seed = 2,
                Transforms = [new RandomFlip(), new RandomCrop(1)],
                BatchTransforms = [new MixUp(3)],
            }),
            new DataLoader(Of(10), 10));

        TensorDataset Of(int count) => new("images",
        [
            ("inputs",
                Tensor.From([.. Enumerable.Range(0, count * 64).Select(_ => values.NextSingle())], count, 1, 8, 8)),
            ("targets", Tensor.From([.. Enumerable.Range(0, count).Select(i => (long)(i % 3))])),
        ]);
    }

    /// <summary>A small language model with dropout.</summary>
    internal static Trainer Language()
    {
        var strings = new BracketLanguage(kinds: 2, depth: 3, length: 12).Create(length: 16, seed: 1, train: 29,
            validation: 8);
        var model = new Gpt(
            new()
            {
                Vocabulary = ((TextPreprocessing)strings.Train.Preprocessing!).Size,
                Context = 16,
                Width = 8,
                Heads = 2,
                Layers = 1,
                Dropout = 0.1,
            },
            new Generator(1));
        return new(model, new AdamW(model.Parameters(), 0.01), new NextTokenTask(),
            new DataLoader(strings.Train, 12, new() { Shuffle = true, Seed = 1 }),
                new DataLoader(strings.Validation, 3))
        {
            MaxGradientNorm = 1,
        };
    }

    private static bool IsWhole(Trainer trainer) =>
        trainer.Strategy is not ShardedTraining { KeepsOnlyOwnStates: true };
}
