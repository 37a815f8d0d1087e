using Adjoint.Data;
using Adjoint.Experiments;
using Adjoint.Kernels;
using Adjoint.Nn;
using Adjoint.Training;

namespace Adjoint.Cli;

/// <summary>
/// The settings of <c>adjoint train</c>, a row each: option, checks, default, experiment file, report and
/// <c>settings.json</c> follow from it. <see cref="TrainingSetup"/> is where they are put to use.
/// </summary>
internal static class TrainSettings
{
    /// <summary>
    /// The rows, in the order of the help. The names here are those of version 0.1, in its order, on which the keys of
    /// trials depend: none is ever added.
    /// </summary>
    internal static readonly SettingTable Table = new(
        "dataset", "model", "hidden", "layers", "activation", "batch-size", "epochs", "lr", "optimizer", "momentum",
        "weight-decay", "loss-reduction", "pixels", "no-shuffle", "nesterov", "label-smoothing", "schedule", "augment",
        "ema", "tta", "bias-lr-factor", "patience", "data-share", "seed", "threads", "data-dir");

    private const string Data = "Data", Network = "Network", Training = "Training";

    /// <summary>The heading of the help for what a run is, not what it learns.</summary>
    internal const string Run = "Run";

    internal static readonly TextSetting Dataset = Add(new TextSetting("dataset")
    {
        Group = Data,
        Help = "Data set:",
        Choices = ["synth", "mnist", "fashion-mnist", "cifar10"],
        Default = "synth",
    });

    internal static readonly NumberSetting<double> DataShare = Add(new NumberSetting<double>("data-share")
    {
        Group = Data,
        Help = "Share of the training and validation samples to use, the first ones: for a quick look.",
        Range = new() { Above = 0, AtMost = 1 },
        Default = 1,
    });

    internal static readonly TextSetting Pixels = Add(new TextSetting("pixels")
    {
        Group = Data,
        Help = "Scale of images: unit (divided by 255; cifar10: -1 to 1), bytes (0 to 255, as the course's engine has "
            + "them) or standard (each channel minus its mean, divided by its standard deviation, over the training "
            + "samples).",
        Choices = ["unit", "bytes", "standard"],
        Default = "unit",
        Idle = s => IsSynth(s) ? "does nothing for synth; it is for images" : null,
        Conflict = s => s.Get(Pixels!) == "bytes" && s.Get(Dataset) is not ("mnist" or "fashion-mnist")
            ? $"bytes is for mnist and fashion-mnist, not for {s.Get(Dataset)}" : null,
    });

    internal static readonly TextSetting Augment = Add(new TextSetting("augment")
    {
        Group = Data,
        Help = "Random changes of the training images, a list of:",
        ValueName = "list",
        Choices = [.. Transform.All.Select(transform => transform.Name)],
        IsList = true,
        Default = "none",
        Off = "none",
        Idle = Pixels.Idle,
    });

    internal static readonly FlagSetting NoShuffle = Add(new FlagSetting("no-shuffle")
    {
        Group = Data,
        Help = "Take the training samples in the order of the files in every epoch, as the course's engine does.",
        IsOmittedAtDefault = true,
    });

    internal static readonly TextSetting Model = Add(new TextSetting("model")
    {
        Group = Network,
        Help = "Network:",
        Choices = ["mlp", .. ModelZoo.All.Select(model => model.Name)],
        Default = "mlp",
        Conflict = s => (s.Get(Model!), s.Get(Dataset)) switch
        {
            ("mlp", _) or ("lenet", "cifar10") or ("lenet5", "mnist" or "fashion-mnist") => null,
            ("lenet", var dataset) => $"lenet does not take the images of {dataset}; it is for cifar10",
            ("lenet5", var dataset) =>
                $"lenet5 does not take the images of {dataset}; it is for mnist and fashion-mnist",
            (var model, "synth") => $"{model} does not take the images of synth; use mlp",
            _ => null,
        },
    });

    internal static readonly TextSetting Hidden = Add(new TextSetting("hidden")
    {
        Group = Network,
        Help = "Hidden sizes of an mlp: 4x (four times the inputs) or a list such as 300,100.",
        ValueName = "sizes",
        Check = HiddenSizes.Check,
        Default = "4x",
        Idle = s => LayersAreGiven(s) ?? NoHiddenLayer(s),
    });

    internal static readonly NumberSetting<int> Layers = Add(new NumberSetting<int>("layers")
    {
        Group = Network,
        Help = "Number of hidden layers of an mlp with --hidden 4x.",
        Range = new() { AtLeast = 0, AtMost = 100 },
        Default = 1,
        Idle = s => LayersAreGiven(s) ?? (HiddenSizes.IsMultiple(s.Get(Hidden)) ? null
            : $"does nothing beside --hidden {s.Get(Hidden)}, which lists every layer; it is for --hidden 4x"),
    });

    // Networks that bring their own activation take none; theirs is always called the same, since trials are told apart
    // by it.
    internal static readonly TextSetting Activation = Add(new TextSetting("activation")
    {
        Group = Network,
        Help = "Activation between the layers of an mlp:",
        Choices = Mlp.Activations,
        Default = new("sigmoid for synth, relu for images",
            s => IsSynth(s) || s.Get(Model) != "mlp" ? "sigmoid" : "relu"),
        Idle = Hidden.Idle,
    });

    internal static readonly NumberSetting<int> Epochs = Add(new NumberSetting<int>("epochs")
    {
        Group = Training,
        Help = "Passes over the training samples.",
        Range = new() { AtLeast = 0 },
        Default = 20,
    });

    internal static readonly NumberSetting<int> BatchSize = Add(new NumberSetting<int>("batch-size")
    {
        Group = Training,
        Help = "Samples per step.",
        Range = new() { AtLeast = 1 },
        Default = 128,
    });

    // An optimizer that does well without being tuned; of the small synth plain descent does, and shows more.
    internal static readonly TextSetting Optimizer = Add(new TextSetting("optimizer")
    {
        Group = Training,
        Help = "Optimizer:",
        Choices = ["sgd", "adam", "adamw", "rmsprop"],
        Default = new("sgd for synth, adam for images", s => IsSynth(s) ? "sgd" : "adam"),
    });

    internal static readonly NumberSetting<double> LearningRate = Add(new NumberSetting<double>("lr")
    {
        Group = Training,
        Help = "Learning rate.",
        Range = new() { Above = 0 },
        Default = new("one that suits data set and optimizer", WorkingRate),
    });

    internal static readonly TextSetting Schedule = Add(new TextSetting("schedule")
    {
        Group = Training,
        Help = "Schedule of the learning rate:",
        Choices = ["constant", "cosine", "one-cycle", "triangular"],
        Default = "constant",
    });

    internal static readonly NumberSetting<double> Momentum = Add(new NumberSetting<double>("momentum")
    {
        Group = Training,
        Help = "Momentum of sgd.",
        Range = new() { AtLeast = 0, Below = 1 },
        Default = 0,
        Off = "0",
        Idle = s => s.Get(Optimizer) == "sgd" ? null
            : $"does nothing for --optimizer {s.Get(Optimizer)}; it is for sgd",
    });

    internal static readonly FlagSetting Nesterov = Add(new FlagSetting("nesterov")
    {
        Group = Training,
        Help = "Nesterov momentum, for sgd.",
        Idle = s => Momentum.Idle(s) ?? (s.Get(Momentum) == 0 ? "does nothing without a --momentum above 0" : null),
    });

    // As in the library: adamw without decay would be adam.
    internal static readonly NumberSetting<double> WeightDecay = Add(new NumberSetting<double>("weight-decay")
    {
        Group = Training,
        Help = "Weight decay of matrices and filters, not of biases and norms.",
        Range = new() { AtLeast = 0 },
        Default = new("0.01 for adamw, else 0", s => s.Get(Optimizer) == "adamw" ? 0.01 : 0),
    });

    internal static readonly NumberSetting<double> BiasRateFactor = Add(new NumberSetting<double>("bias-lr-factor")
    {
        Group = Training,
        Help = "Learning rate of biases and norms, as a multiple of --lr.",
        Range = new() { Above = 0 },
        Default = 1,
    });

    internal static readonly TextSetting LossReduction = Add(new TextSetting("loss-reduction")
    {
        Group = Training,
        Help = "Loss of a batch: the mean or the sum of its samples' losses.",
        Choices = ["mean", "sum"],
        Default = "mean",
    });

    internal static readonly NumberSetting<double> LabelSmoothing = Add(new NumberSetting<double>("label-smoothing")
    {
        Group = Training,
        Help = "Share of the target that is spread over all classes.",
        Range = new() { AtLeast = 0, Below = 1 },
        Default = 0,
    });

    // An average of the last hundred steps or so: of images it is clearly better than any single one of them.
    internal static readonly NumberSetting<double> Ema = Add(new NumberSetting<double>("ema")
    {
        Group = Training,
        Help = "Decay of a moving average of the weights, which is then what is validated and kept; 0: none.",
        Range = new() { AtLeast = 0, Below = 1, Words = "0 (none) or a decay below 1, such as 0.99" },
        Default = new("0.99 for images, else 0", s => IsSynth(s) ? 0 : 0.99),
    });

    internal static readonly NumberSetting<int> Patience = Add(new NumberSetting<int>("patience")
    {
        Group = Training,
        Help = "End after this many epochs without a lower validation loss; 0: never.",
        Range = new() { AtLeast = 0, Words = "at least 0 (never)" },
        Default = 0,
    });

    internal static readonly TextSetting TestTime = Add(new TextSetting("tta")
    {
        Group = Training,
        Help = "Views of an image whose logits are averaged at the end, with the best model:",
        Choices = [.. TestTimeAugmentation.All.Select(views => views.Name)],
        Default = "none",
        Off = "none",
        Idle = s => s.Get(Model) == "mlp"
            ? "does nothing for --model mlp; it is for networks that take images as they are" : null,
    });

    internal static readonly NumberSetting<ulong> Seed = Add(new NumberSetting<ulong>("seed")
    {
        Group = Training,
        Help = "Seed of all random numbers.",
        Default = 1,
    });

    internal static readonly NumberSetting<int> Threads = Add(new NumberSetting<int>("threads")
    {
        Group = Run,
        Help = "Number of threads; the result does not depend on it.",
        Range = new() { AtLeast = 1, AtMost = 1024 },
        Default = new("one for each core", _ => Workers.ThreadCount),
        AffectsResult = false,
    });

    /// <summary>Null where it is not given.</summary>
    internal static readonly TextSetting DataDir = Add(new TextSetting("data-dir")
    {
        Group = Run,
        Help = "Folder of the data sets.",
        ValueName = "folder",
        Default = new("ADJOINT_DATA, else the user's cache", _ => null!),
        AffectsResult = false,
        IsOmittedAtDefault = true,
        Idle = s => IsSynth(s) ? "does nothing for synth, which is made on the spot" : null,
    });

    private static T Add<T>(T row) where T : Setting => Table.Add(row);

    private static bool IsSynth(SettingValues s) => s.Get(Dataset) == "synth";

    private static string? LayersAreGiven(SettingValues s) => s.Get(Model) == "mlp" ? null
        : $"does nothing for --model {s.Get(Model)}, whose layers are given; it is for mlp";

    private static string? NoHiddenLayer(SettingValues s) => HiddenSizes.IsMultiple(s.Get(Hidden)) && s.Get(Layers) == 0
        ? "does nothing with --layers 0, which leaves no hidden layer" : null;

    // For the mean loss; a sum is as large as its batch.
    private static double WorkingRate(SettingValues s)
    {
        var optimizer = s.Get(Optimizer);
        var rate = (optimizer, s.Get(Dataset)) switch
        {
            ("sgd", "synth") => 1.0,
            ("sgd", "cifar10") => 0.01,
            ("sgd", _) => 0.1,
            (_, "synth") => 0.01,
            _ => 0.001,
        };
        return s.Get(LossReduction) == "sum" && optimizer == "sgd" ? rate / s.Get(BatchSize) : rate;
    }
}
