using System.Globalization;
using Adjoint.Data;
using Adjoint.Experiments;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

namespace Adjoint.Cli;

/// <summary>Everything needed to repeat a run.</summary>
internal sealed record TrainSettings(
    string Dataset, string Model, string Hidden, int Layers, string Activation, int BatchSize, int Epochs, double LearningRate, string Optimizer,
    double Momentum, double WeightDecay, string LossReduction, string Pixels, ulong Seed, int Threads, string? DataDir)
{
    internal bool Nesterov { get; init; }
    internal double LabelSmoothing { get; init; }
    internal string Schedule { get; init; } = "constant";
    internal string Augment { get; init; } = "none";
    internal double Ema { get; init; }
    internal string TestTime { get; init; } = "none";
    internal double BiasRateFactor { get; init; } = 1;

    /// <summary>
    /// Whether the training samples come in the order of their files in every epoch, instead of shuffled.
    /// </summary>
    internal bool InOrder { get; init; }

    /// <summary>The share of training and validation samples that is used.</summary>
    internal double DataShare { get; init; } = 1;

    /// <summary>Epochs without a lower validation loss before training ends; 0 never ends it early.</summary>
    internal int Patience { get; init; }

    private const int MostTimes = 1000, MostUnits = 1_000_000;

    internal static readonly string[] Datasets = ["synth", "mnist", "fashion-mnist", "cifar10"];
    internal static readonly string[] Models = ["mlp", .. ModelZoo.All.Select(model => model.Name)];
    internal static readonly string[] Optimizers = ["sgd", "adam", "adamw", "rmsprop"];
    internal static readonly string[] Reductions = ["mean", "sum"];
    internal static readonly string[] PixelScales = ["unit", "bytes", "standard"];
    internal static readonly string[] Schedules = ["constant", "cosine", "one-cycle", "triangular"];

    /// <summary>
    /// An optimizer that does well without being tuned; of the small synth plain descent does, and shows more.
    /// </summary>
    internal static string DefaultOptimizer(string dataset) => dataset == "synth" ? "sgd" : "adam";

    /// <summary>
    /// An activation that does well without being tuned. Networks that bring their own take none; theirs is always
    /// called the same, since trials are told apart by it.
    /// </summary>
    internal static string DefaultActivation(string dataset, string model) =>
        dataset == "synth" || model != "mlp" ? "sigmoid" : "relu";

    /// <summary>
    /// An average of the last hundred steps or so: of images it is clearly better than any single one of them.
    /// </summary>
    internal static double DefaultEma(string dataset) => dataset == "synth" ? 0 : 0.99;

    /// <summary>As in the library: adamw without decay would be adam.</summary>
    internal static double DefaultWeightDecay(string optimizer) => optimizer == "adamw" ? 0.01 : 0;

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
        OneOf("--schedule", Schedule, Schedules);
        OneOf("--tta", TestTime, [.. TestTimeAugmentation.All.Select(views => views.Name)]);
        foreach (var name in AugmentNames) OneOf("--augment", name, [.. Transform.All.Select(transform => transform.Name)]);
        if (Pixels == "bytes" && Dataset is not ("mnist" or "fashion-mnist"))
            throw new UsageException($"--pixels: bytes is for mnist and fashion-mnist, not for {Dataset}");
        Range("--label-smoothing", LabelSmoothing, LabelSmoothing is >= 0 and < 1, "0 or more, below 1");
        Range("--ema", Ema, Ema is >= 0 and < 1, "0 (none) or a decay below 1, such as 0.99");
        Range("--bias-lr-factor", BiasRateFactor, BiasRateFactor > 0 && double.IsFinite(BiasRateFactor), "above 0");
        Range("--data-share", DataShare, DataShare is > 0 and <= 1, "above 0, at most 1");
        Range("--patience", Patience, Patience >= 0, "at least 0 (never)");
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

    /// <summary>
    /// Refuses settings that were given although they do nothing beside the others; one that says so, such as a
    /// momentum of 0 of an optimizer that has none, may stay.
    /// </summary>
    /// <exception cref="UsageException">There is one.</exception>
    internal void RefuseIdle(IEnumerable<string> given)
    {
        foreach (var name in given)
            if (Idle(name) is { } reason && !SaysNothing(name))
                throw new UsageException($"--{name}: {reason}; leave it out");
    }

    // Why a setting does nothing beside the others, or null where it takes part.
    private string? Idle(string name) => name switch
    {
        "hidden" or "layers" or "activation" when Model != "mlp" =>
            $"does nothing for --model {Model}, whose layers are given; it is for mlp",
        "layers" when !Hidden.EndsWith('x') =>
            $"does nothing beside --hidden {Hidden}, which lists every layer; it is for --hidden 4x",
        "hidden" or "activation" when Hidden.EndsWith('x') && Layers == 0 =>
            "does nothing with --layers 0, which leaves no hidden layer",
        "pixels" or "augment" when Dataset == "synth" => "does nothing for synth; it is for images",
        "tta" when Model == "mlp" => "does nothing for --model mlp; it is for networks that take images as they are",
        "momentum" or "nesterov" when Optimizer != "sgd" => $"does nothing for --optimizer {Optimizer}; it is for sgd",
        "nesterov" when Momentum == 0 => "does nothing without a --momentum above 0",
        "data-dir" when Dataset == "synth" => "does nothing for synth, which is made on the spot",
        _ => null,
    };

    private bool SaysNothing(string name) => name switch
    {
        "momentum" => Momentum == 0,
        "nesterov" => !Nesterov,
        "augment" => AugmentNames.Length == 0,
        "tta" => TestTime == "none",
        _ => false,
    };

    internal DataSplits LoadData()
    {
        var data = Dataset switch
        {
            "synth" => Synth.Create(),
            "cifar10" => Cifar10.Load(DataFolder.Locate(DataDir, Dataset)),
            _ => Mnist.Load(DataFolder.Locate(DataDir, Dataset), Dataset, Pixels == "bytes" ? 1 : 255),
        };
        if (DataShare < 1) data = data with { Train = Share(data.Train), Validation = Share(data.Validation) };
        return Pixels == "standard" ? data.Standardize() : data;
    }

    private Dataset Share(Dataset all) => all.Part(all.Name, 0, Math.Max(1, (int)(all.Count * DataShare)));

    internal DataLoader CreateLoader(Dataset train)
    {
        var transforms = AugmentNames.Select(name => Transform.All.Single(one => one.Name == name).Create());
        return new(train, BatchSize, shuffle: !InOrder, Seed, transforms: transforms);
    }

    internal Trainer CreateTrainer(
        Layer model, DataSplits data, DataLoader validation, bool eager, Profile? profile, Checkpoints checkpoints)
    {
        var loader = CreateLoader(data.Train);
        return new(model, CreateOptimizer(model), loader, validation)
        {
            LossReduction = LossReduction == "sum" ? Reduction.Sum : Reduction.Mean,
            LabelSmoothing = LabelSmoothing,
            Schedule = CreateSchedule(loader.StepsIn(Epochs)),
            Average = Ema > 0 ? new WeightAverage(model, Ema) : null,
            Eager = eager,
            Profile = profile,
            Checkpoints = checkpoints,
        };
    }

    /// <summary>Whether the data set has samples that are kept back for the very end.</summary>
    internal bool HasTest => Dataset != "synth";

    internal TestTimeAugmentation Views => TestTimeAugmentation.All.Single(views => views.Name == TestTime);

    private string[] AugmentNames => Augment == "none" ? [] : Augment.Split(',', StringSplitOptions.TrimEntries);

    private Optim.Schedule? CreateSchedule(long steps) => Schedule switch
    {
        _ when steps == 0 => null,
        "cosine" => Optim.Schedule.Cosine(steps),
        "one-cycle" => Optim.Schedule.OneCycle(steps),
        "triangular" => Optim.Schedule.Triangular(steps),
        _ => null,
    };

    internal Layer CreateModel(Dataset data)
    {
        var random = new Generator(Seed, 1);
        if (Model != "mlp") return ModelZoo.All.Single(model => model.Name == Model).Create(data.SampleShape[0], data.ClassNames.Count, random, FirstImages(data));
        var (inputs, hidden, classes) =
            (data.SampleShape.Elements, HiddenSizes(data.SampleShape.Elements), data.ClassNames.Count);
        int[] sizes = [inputs, .. hidden, classes];
        foreach (var (from, to) in sizes.Zip(sizes.Skip(1)))
            if ((long)from * to > int.MaxValue)
                throw new AdjointException(
                    $"--hidden: {Hidden} makes a layer of {from} times {to} weights, and a tensor "
                    + $"holds at most {int.MaxValue}; use fewer");
        return new Mlp(inputs, hidden, classes, Activation, random);
    }

    private static Tensor FirstImages(Dataset data) => data.Batch([.. Enumerable.Range(0, Math.Min(1000, data.Count))]).Inputs;

    internal Optimizer CreateOptimizer(Module model)
    {
        var groups = ParameterGroup.Split(model.Parameters(), LearningRate, WeightDecay, BiasRateFactor);
        return Optimizer switch
        {
            "sgd" => new Sgd(groups, Momentum, Nesterov),
            "adam" => new Adam(groups),
            "adamw" => new AdamW(groups),
            _ => new RmsProp(groups),
        };
    }

    /// <summary>`4x` is four times the number of inputs, in each of the layers; `300,100` names each layer.</summary>
    internal int[] HiddenSizes(int inputs)
    {
        var wrong = new UsageException(
            $"--hidden: '{Hidden}' is neither a multiple of the inputs, such as 4x, nor a list "
            + $"of sizes, such as 300,100; use 1x to {MostTimes}x, and sizes from 1 to {MostUnits}");
        if (Hidden.EndsWith('x'))
            return int.TryParse(Hidden[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var times)
                && times is >= 1 and <= MostTimes
                ? [.. Enumerable.Repeat(times * inputs, Layers)]
                : throw wrong;
        return [.. Hidden.Split(',').Select(size =>
            int.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
                && value is >= 1 and <= MostUnits ? value : throw wrong)];
    }

    /// <summary>Name and value of each setting that takes part, as on the command line.</summary>
    internal IReadOnlyList<(string Name, string Value)> Rows() => [.. AllRows().Where(row => Idle(row.Name) is null)];

    /// <summary>
    /// All on which the result depends, also what does nothing beside the others, at its default: what a trial is, and
    /// what a checkpoint was made with. Version 0.1 told trials apart in this way, and theirs are still found.
    /// </summary>
    internal IReadOnlyList<(string Name, string Value)> ResultRows() =>
        [.. AllRows().Where(row => row.Name is not ("threads" or "data-dir"))];

    private IEnumerable<(string Name, string Value)> AllRows() =>
    [
        ("dataset", Dataset), ("model", Model), ("hidden", Hidden), ("layers", Text(Layers)), ("activation", Activation), ("batch-size", Text(BatchSize)),
        ("epochs", Text(Epochs)), ("lr", Text(LearningRate)), ("optimizer", Optimizer), ("momentum", Text(Momentum)), ("weight-decay", Text(WeightDecay)),
        ("loss-reduction", LossReduction), ("pixels", Pixels),
        .. InOrder ? [("no-shuffle", "true")] : Array.Empty<(string, string)>(),
        ("nesterov", Nesterov ? "true" : "false"), ("label-smoothing", Text(LabelSmoothing)), ("schedule", Schedule), ("augment", Augment), ("ema", Text(Ema)), ("tta", TestTime),
        ("bias-lr-factor", Text(BiasRateFactor)), ("patience", Text(Patience)), ("data-share", Text(DataShare)),
        ("seed", Text(Seed)), ("threads", Text(Threads)),
        .. DataDir is null ? Array.Empty<(string, string)>() : [("data-dir", DataDir)],
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
