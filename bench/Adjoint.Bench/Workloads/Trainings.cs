using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

namespace Adjoint.Bench;

/// <summary>Small trainings on made-up samples, by name: 60 steps to an epoch.</summary>
internal static class Trainings
{
    internal const int StepsOfAnEpoch = 60;

    internal static readonly IReadOnlyDictionary<string, Func<Trainer>> All = new Dictionary<string, Func<Trainer>>
    {
        ["mlp"] = () => Classifier(new Mlp(784, [3136], 10, "relu", new Generator(1)), [784]),
        ["lenet"] = () => Classifier(new LeNetCifar(10, new Generator(1)), [3, 32, 32]),
        ["gpt"] = LanguageModel,
    };

    private static Trainer Classifier(Layer model, int[] shape)
    {
        var count = 128 * StepsOfAnEpoch;
        var size = shape.Aggregate(1, (a, b) => a * b);
        var data = new TensorDataset("noise", shape, Tensor.Rand([count * size], new Generator(1)).ToArray<float>(),
            [.. Enumerable.Range(0, count).Select(i => (byte)(i % 10))], Cifar10.Classes);
        return new(model, new Sgd(model.Parameters(), 0.01, momentum: 0.9), new ClassificationTask(),
            new DataLoader(data, 128, new() { Shuffle = true, Seed = 1 }));
    }

    private static Trainer LanguageModel()
    {
        var text = new ByteText();
        var model = new Gpt(new() { Vocabulary = text.Size, Context = 64, Width = 64, Heads = 4, Layers = 2 },
            new Generator(1));
        var letters = string.Concat(
            Enumerable.Range(0, 16 * StepsOfAnEpoch * 64 + 1).Select(i => (char)(32 + i * 7 % 64)));
        var data = new TextDataset("letters", [letters], text, 64);
        return new(model, new AdamW(model.Parameters(), 0.001), new NextTokenTask(),
            new DataLoader(data, 16, new() { Shuffle = true, Seed = 1 }));
    }
}
