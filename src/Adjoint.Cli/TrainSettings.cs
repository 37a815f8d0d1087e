using System.Globalization;
using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Optim;

namespace Adjoint.Cli;

/// <summary>Everything needed to repeat a run.</summary>
internal sealed record TrainSettings(
    string Dataset, string Model, string Hidden, int Layers, string Activation, int BatchSize, int Epochs, double LearningRate, string Optimizer,
    double Momentum, double WeightDecay, string LossReduction, string Pixels, ulong Seed, int Threads, string? DataDir)
{
    internal static readonly string[] Datasets = ["synth", "mnist", "fashion-mnist", "cifar10"];
    internal static readonly string[] Models = ["mlp", .. ModelZoo.All.Select(model => model.Name)];
    internal static readonly string[] Optimizers = ["sgd", "adam", "adamw", "rmsprop"];
    internal static readonly string[] Reductions = ["mean", "sum"];
    internal static readonly string[] PixelScales = ["unit", "bytes"];

    /// <summary>A learning rate that works, for the mean loss; a sum is as large as its batch.</summary>
    internal static double DefaultLearningRate(string dataset, string optimizer, string reduction, int batchSize)
    {
        var rate = (optimizer, dataset) switch
        {
            ("sgd", "synth") => 1.0,
            ("sgd", "cifar10") => 0.01,
            ("sgd", _) => 0.1,
            (_, "synth") => 0.01,
            _ => 0.001,
        };
        return reduction == "sum" && optimizer == "sgd" ? rate / batchSize : rate;
    }

    internal void Validate()
    {
        OneOf("--dataset", Dataset, Datasets);
        OneOf("--model", Model, Models);
        OneOf("--activation", Activation, Mlp.Activations);
        OneOf("--optimizer", Optimizer, Optimizers);
        OneOf("--loss-reduction", LossReduction, Reductions);
        OneOf("--pixels", Pixels, PixelScales);
        if (Pixels != "unit" && Dataset is not ("mnist" or "fashion-mnist"))
            throw new UsageException($"--pixels: {Pixels} is for mnist and fashion-mnist, not for {Dataset}");
        Range("--batch-size", BatchSize, BatchSize >= 1, "at least 1");
        Range("--epochs", Epochs, Epochs >= 0, "at least 0");
        Range("--layers", Layers, Layers is >= 0 and <= 100, "0 to 100");
        Range("--lr", LearningRate, LearningRate > 0 && double.IsFinite(LearningRate), "above 0");
        Range("--momentum", Momentum, Momentum is >= 0 and < 1, "0 or more, below 1");
        Range("--weight-decay", WeightDecay, WeightDecay >= 0 && double.IsFinite(WeightDecay), "0 or more");
        Range("--threads", Threads, Threads is >= 1 and <= 1024, "1 to 1024");
        _ = HiddenSizes(1);
        var fits = Model == "mlp" || Dataset != "synth" && (Model == "lenet" ? Dataset == "cifar10" : Model != "lenet5" || Dataset != "cifar10");
        if (!fits) throw new UsageException($"--model: {Model} does not take the images of {Dataset}; {(Model == "lenet" ? "it is for cifar10" : Model == "lenet5" ? "it is for mnist and fashion-mnist" : "use mlp")}");
    }

    internal DataSplits LoadData() => Dataset switch
    {
        "synth" => Synth.Create(),
        "cifar10" => Cifar10.Load(DataFolder.Locate(DataDir, Dataset)),
        _ => Mnist.Load(DataFolder.Locate(DataDir, Dataset), Dataset, Pixels == "bytes" ? 1 : 255),
    };

    internal Module CreateModel(Dataset data)
    {
        var random = new Generator(Seed, 1);
        if (Model != "mlp") return ModelZoo.All.Single(model => model.Name == Model).Create(data.SampleShape[0], data.ClassNames.Count, random);
        return new Mlp(data.SampleShape.Elements, HiddenSizes(data.SampleShape.Elements), data.ClassNames.Count, Activation, random);
    }

    internal Optimizer CreateOptimizer(Module model) => Optimizer switch
    {
        "sgd" => new Sgd(model.Parameters(), LearningRate, Momentum, weightDecay: WeightDecay),
        "adam" => new Adam(model.Parameters(), LearningRate, weightDecay: WeightDecay),
        "adamw" => new AdamW(model.Parameters(), LearningRate, weightDecay: WeightDecay),
        _ => new RmsProp(model.Parameters(), LearningRate, weightDecay: WeightDecay),
    };

    /// <summary>`4x` is four times the number of inputs, in each of the layers; `300,100` names each layer.</summary>
    internal int[] HiddenSizes(int inputs)
    {
        var wrong = new UsageException($"--hidden: '{Hidden}' is neither a multiple of the inputs, such as 4x, nor a list of sizes, such as 300,100");
        if (Hidden.EndsWith('x'))
            return int.TryParse(Hidden[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var times) && times is >= 1 and <= 1000
                ? [.. Enumerable.Repeat(times * inputs, Layers)]
                : throw wrong;
        return [.. Hidden.Split(',').Select(size => int.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value is >= 1 and <= 1_000_000 ? value : throw wrong)];
    }

    /// <summary>Name and value of each setting, as on the command line.</summary>
    internal IReadOnlyList<(string Name, string Value)> Rows() =>
    [
        ("dataset", Dataset), ("model", Model), ("hidden", Hidden), ("layers", Text(Layers)), ("activation", Activation), ("batch-size", Text(BatchSize)),
        ("epochs", Text(Epochs)), ("lr", Text(LearningRate)), ("optimizer", Optimizer), ("momentum", Text(Momentum)), ("weight-decay", Text(WeightDecay)),
        ("loss-reduction", LossReduction), ("pixels", Pixels), ("seed", Text(Seed)), ("threads", Text(Threads)), .. DataDir is null ? Array.Empty<(string, string)>() : [("data-dir", DataDir)],
    ];

    private static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);

    private static void OneOf(string option, string value, IReadOnlyList<string> allowed)
    {
        if (!allowed.Contains(value)) throw UsageException.OneOf(option, value, allowed);
    }

    private static void Range(string option, IFormattable value, bool valid, string expected)
    {
        if (!valid) throw new UsageException($"{option}: {Text(value)} is out of range; use {expected}");
    }
}
