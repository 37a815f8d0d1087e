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

    /// <summary>The heading of the help for what is learned from.</summary>
    internal const string Data = "Data";

    private const string Network = "Network", Training = "Training";

    /// <summary>The heading of the help for what a run is, not what it learns.</summary>
    internal const string Run = "Run";

    /// <summary>
    /// Own data: what is wrong with it, beside the others, <see cref="OwnData"/> finds when it reads it.
    /// </summary>
    internal static readonly TextSetting Source = Add(new TextSetting("data")
    {
        Group = Data,
        Help = "Own data: a table (.csv, .tsv, .parquet), or a folder with a folder of images for each class. Task, "
            + "network and other defaults follow from it. With --dataset images, a CSV file of image files and labels.",
        ValueName = "path",
        Default = new("none: a built-in data set", _ => null!),
        IsOmittedAtDefault = true,
    });

    internal static readonly TextSetting Dataset = Add(new TextSetting("dataset")
    {
        Group = Data,
        Help = "Data set:",
        Choices = [.. OwnData.BuiltIn, .. OwnData.Kinds],
        Default = new("synth; of --data what it is", s => OwnData.KindOf(s.Get(Source)) ?? "synth"),
        Conflict = s => (s.Get(Source), s.Get(Dataset!)) switch
        {
            (null, var name) when OwnData.Kinds.Contains(name) => $"{name} is own data; name it with --data",
            ({ } path, var name) when !OwnData.Kinds.Contains(name) || name == "table" && Directory.Exists(path) =>
                $"{path} is own data, {OwnData.KindOf(path)}, not {name}; leave --dataset out",
            _ => null,
        },
    });

    internal static readonly TextSetting Target = Add(new TextSetting("target")
    {
        Group = Data,
        Help = "Column of a table that is to be predicted; several, with commas between them, for several values or "
            + "for labels that may hold at once.",
        ValueName = "column",
        Default = new("a column named target, label, class or y", _ => null!),
        IsOmittedAtDefault = true,
        Idle = NotATable,
    });

    internal static readonly TextSetting Task = Add(new TextSetting("task")
    {
        Group = Data,
        Help = "What is learned:",
        Choices = ["classification", "regression", "multi-label"],
        Default = new("classification; of own data what its target looks like", _ => "classification"),
        IsOmittedAtDefault = true,
        Idle = s => IsOwn(s) ? null : BuiltInOnly(s, "task is classification"),
    });

    internal static readonly TextSetting Ignore = Add(new TextSetting("ignore")
    {
        Group = Data,
        Help = "Columns of a table to leave out, with commas between them.",
        ValueName = "columns",
        Default = new("none", _ => "none"),
        Off = "none",
        IsOmittedAtDefault = true,
        Idle = NotATable,
    });

    internal static readonly TextSetting Categories = Add(new TextSetting("categories")
    {
        Group = Data,
        Help = "Columns of numbers in a table that are names of categories, with commas between them.",
        ValueName = "columns",
        Default = new("none", _ => "none"),
        Off = "none",
        IsOmittedAtDefault = true,
        Idle = NotATable,
    });

    internal static readonly NumberSetting<double> ValidationShare = Add(new NumberSetting<double>("validation")
    {
        Group = Data,
        Help = "Share of own data to validate on, which is not learned from.",
        Range = new() { Above = 0, Below = 1 },
        Default = 0.2,
        IsOmittedAtDefault = true,
        Idle = s => IsOwn(s) ? null : BuiltInOnly(s, "parts are given"),
    });

    internal static readonly NumberSetting<double> TestShare = Add(new NumberSetting<double>("test")
    {
        Group = Data,
        Help = "Share of own data to keep back for --final.",
        Range = new() { AtLeast = 0, Below = 1 },
        Default = 0,
        Off = "0",
        IsOmittedAtDefault = true,
        Idle = ValidationShare.Idle,
    });

    internal static readonly TextSetting Split = Add(new TextSetting("split")
    {
        Group = Data,
        Help = "How own data is split: random, stratified (each class in proportion), group:COLUMN (no group in two "
            + "parts) or time:COLUMN (the latest to validate on).",
        ValueName = "rule",
        Default = new("stratified for classification, else random",
            s => s.Get(Task) == "classification" ? "stratified" : "random"),
        Check = OwnData.CheckSplit,
        IsOmittedAtDefault = true,
        Idle = ValidationShare.Idle,
    });

    internal static readonly NumberSetting<int> ImageSize = Add(new NumberSetting<int>("image-size")
    {
        Group = Data,
        Help = "Height and width to which the images of a folder are brought, in pixels.",
        Range = new() { AtLeast = 8, AtMost = 1024 },
        Default = new("that of the images up to 64; 28 for lenet5, 32 for lenet", _ => 32),
        IsOmittedAtDefault = true,
        Idle = NotAFolder,
    });

    internal static readonly NumberSetting<int> Channels = Add(new NumberSetting<int>("channels")
    {
        Group = Data,
        Help = "Channels to which the images of a folder are brought: 1 (gray) or 3 (color).",
        Range = new() { AtLeast = 1, AtMost = 3, Words = "1 or 3" },
        Check = channels => channels == 2 ? "must be 1 or 3" : null,
        Default = new("1 where all are gray, else 3", _ => 3),
        IsOmittedAtDefault = true,
        Idle = NotAFolder,
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
        Idle = s => IsVector(s) ? $"does nothing for {s.Get(Dataset)}; it is for images" : null,
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
        Default = new("mlp; resnet20 for a folder of images", s => s.Get(Dataset) == "images" ? "resnet20" : "mlp"),
        Conflict = s => (s.Get(Model!), s.Get(Dataset)) switch
        {
            ("mlp", _) or ("lenet", "cifar10") or ("lenet5", "mnist" or "fashion-mnist") => null,
            ("lenet", "images") => SizeIs(s, 32, 3),
            ("lenet5", "images") => SizeIs(s, 28, 1),
            ("lenet", var dataset) => $"lenet does not take the images of {dataset}; it is for cifar10",
            ("lenet5", var dataset) =>
                $"lenet5 does not take the images of {dataset}; it is for mnist and fashion-mnist",
            (var model, "synth" or "table") => $"{model} does not take the images of {s.Get(Dataset)}; use mlp",
            _ => null,
        },
    });

    internal static readonly TextSetting Hidden = Add(new TextSetting("hidden")
    {
        Group = Network,
        Help = "Hidden sizes of an mlp: 4x (four times the inputs) or a list such as 300,100.",
        ValueName = "sizes",
        Check = HiddenSizes.Check,
        Default = new("4x; 128,64 for a table", s => s.Get(Dataset) == "table" ? "128,64" : "4x"),
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
        Default = new("sigmoid for synth, else relu",
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
        Default = new("sgd for synth, else adam", s => IsSynth(s) ? "sgd" : "adam"),
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
        Default = new("constant; cosine for own data", s => IsOwn(s) ? "cosine" : "constant"),
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

    internal static readonly TextSetting LossFunction = Add(new TextSetting("loss")
    {
        Group = Training,
        Help = "Loss:",
        Choices = ["cross-entropy", "mse", "l1", "huber", "bce"],
        Default = new("that of the task: cross-entropy, mse, bce", DefaultLoss),
        IsOmittedAtDefault = true,
        Conflict = s => (s.Get(Task), s.Get(LossFunction!)) switch
        {
            ("classification", "cross-entropy") or ("regression", "mse" or "l1" or "huber")
                or ("multi-label", "bce") => null,
            (var task, var loss) => $"{loss} is no loss for {task}; use {DefaultLoss(s)}"
                + (task == "regression" ? ", l1 or huber" : ""),
        },
    });

    internal static readonly TextSetting Metric = Add(new TextSetting("metric")
    {
        Group = Training,
        Help = "Metric by which the best epoch is chosen, one that the task measures, such as accuracy, f1, r2 or mae.",
        Default = new("accuracy for classes, r2 for values, f1 for labels", DefaultMetric),
        IsOmittedAtDefault = true,
        Conflict = s => TaskMetrics.Names(s.Get(Task)) is var names && names.Contains(s.Get(Metric!)) ? null
            : $"{s.Get(Metric!)} is not measured for {s.Get(Task)}; use one of {string.Join(", ", names)}",
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
        Default = new("0.99 for images, else 0", s => IsVector(s) ? 0 : 0.99),
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
        Idle = s => IsSynth(s) ? "does nothing for synth, which is made on the spot"
            : IsOwn(s) ? "does nothing beside --data, which says where they are" : null,
    });

    private static T Add<T>(T row) where T : Setting => Table.Add(row);

    private static bool IsSynth(SettingValues s) => s.Get(Dataset) == "synth";

    private static bool IsOwn(SettingValues s) => OwnData.Kinds.Contains(s.Get(Dataset));

    /// <summary>Whether samples are vectors, not images.</summary>
    private static bool IsVector(SettingValues s) => s.Get(Dataset) is "synth" or "table";

    private static string? NotATable(SettingValues s) => s.Get(Dataset) == "table" ? null
        : $"does nothing for {s.Get(Dataset)}; it is for tables given by --data";

    private static string? NotAFolder(SettingValues s) => s.Get(Dataset) == "images" ? null
        : $"does nothing for {s.Get(Dataset)}; it is for folders of images given by --data";

    private static string BuiltInOnly(SettingValues s, string fact) =>
        $"does nothing for {s.Get(Dataset)}, whose {fact}; it is for --data";

    private static string? SizeIs(SettingValues s, int size, int channels) =>
        (s.Get(ImageSize), s.Get(Channels)) == (size, channels) ? null
            : $"{s.Get(Model)} takes images of {channels} channels and {size} pixels a side, not of {s.Get(Channels)} "
                + $"and {s.Get(ImageSize)}; leave --image-size and --channels out";

    private static string DefaultLoss(SettingValues s) => s.Get(Task) switch
    {
        "regression" => "mse",
        "multi-label" => "bce",
        _ => "cross-entropy",
    };

    private static string DefaultMetric(SettingValues s) => s.Get(Task) switch
    {
        "regression" => "r2",
        "multi-label" => "f1",
        _ => "accuracy",
    };

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
            (_, "table" or "images") => 0.003,
            _ => 0.001,
        };
        return s.Get(LossReduction) == "sum" && optimizer == "sgd" ? rate / s.Get(BatchSize) : rate;
    }
}
