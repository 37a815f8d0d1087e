using Adjoint.Experiments;
using Adjoint.Kernels;
using Adjoint.Training;

namespace Adjoint.Cli;

/// <content>How it learns, and where it runs.</content>
internal static partial class TrainSettings
{
    internal static readonly NumberSetting<int> Epochs = new("epochs")
    {
        Group = Training,
        Help = "Passes over the training samples.",
        Range = new() { AtLeast = 0 },
        Default = new("20; 8 for brackets and arithmetic", s => IsFormal(s) ? 8 : 20),
    };

    internal static readonly NumberSetting<int> BatchSize = new("batch-size")
    {
        Group = Training,
        Help = "Samples per step.",
        Range = new() { AtLeast = 1 },
        Default = new("128; 64 for brackets and arithmetic, 32 for own text",
            s => IsFormal(s) ? 64 : IsText(s) ? 32 : 128),
    };

    // An optimizer that does well without being tuned; of the small synth plain descent does, and shows more.
    internal static readonly TextSetting Optimizer = new("optimizer")
    {
        Group = Training,
        Help = "Optimizer:",
        Choices = ["sgd", "adam", "adamw", "rmsprop"],
        Default = new("sgd for synth, adamw for texts, else adam",
            s => IsSynth(s) ? "sgd" : IsText(s) ? "adamw" : "adam"),
    };

    internal static readonly NumberSetting<double> LearningRate = new("lr")
    {
        Group = Training,
        Help = "Learning rate.",
        Range = new() { Above = 0 },
        Default = new("one that suits data set and optimizer", WorkingRate),
    };

    internal static readonly TextSetting Schedule = new("schedule")
    {
        Group = Training,
        Help = "Schedule of the learning rate:",
        Choices = ["constant", "cosine", "one-cycle", "triangular"],
        Default = new("constant; cosine for own data and texts", s => IsOwn(s) || IsText(s) ? "cosine" : "constant"),
    };

    internal static readonly NumberSetting<double> RisingShare = new("warmup")
    {
        Group = Training,
        Help = "Share of the steps at the beginning in which the learning rate rises from 0.",
        Range = new() { AtLeast = 0, Below = 1 },
        Default = new("0; 0.1 for texts", s => IsText(s) ? 0.1 : 0),
        Off = "0",
        IsOmittedAtDefault = true,
        Idle = s => s.Get(Schedule) is "one-cycle" or "triangular"
            ? $"does nothing with --schedule {s.Get(Schedule)}, which rises by itself" : null,
    };

    internal static readonly NumberSetting<double> Clip = new("clip")
    {
        Group = Training,
        Help = "Largest norm of the gradients of all weights together; larger ones are scaled down to it. 0: any.",
        Range = new() { AtLeast = 0, Words = "at least 0 (any norm)" },
        Default = new("0; 1 for texts", s => IsText(s) ? 1 : 0),
        IsOmittedAtDefault = true,
    };

    internal static readonly NumberSetting<double> Momentum = new("momentum")
    {
        Group = Training,
        Help = "Momentum of sgd.",
        Range = new() { AtLeast = 0, Below = 1 },
        Default = 0,
        Off = "0",
        Idle = s => s.Get(Optimizer) == "sgd" ? null
            : $"does nothing for --optimizer {s.Get(Optimizer)}; it is for sgd",
    };

    internal static readonly FlagSetting Nesterov = new("nesterov")
    {
        Group = Training,
        Help = "Nesterov momentum, for sgd.",
        Idle = s => Momentum.Idle(s) ?? (s.Get(Momentum) == 0 ? "does nothing without a --momentum above 0" : null),
    };

    // As in the library: adamw without decay would be adam.
    internal static readonly NumberSetting<double> WeightDecay = new("weight-decay")
    {
        Group = Training,
        Help = "Weight decay of matrices and filters, not of biases and norms.",
        Range = new() { AtLeast = 0 },
        Default = new("0.01 for adamw, else 0", s => s.Get(Optimizer) == "adamw" ? 0.01 : 0),
    };

    internal static readonly NumberSetting<double> BiasRateFactor = new("bias-lr-factor")
    {
        Group = Training,
        Help = "Learning rate of biases and norms, as a multiple of --lr.",
        Range = new() { Above = 0 },
        Default = 1,
    };

    internal static readonly TextSetting LossFunction = new("loss")
    {
        Group = Training,
        Help = "Loss:",
        Choices = ["cross-entropy", "mse", "l1", "huber", "bce"],
        Default = new("that of the task: cross-entropy, mse, bce", DefaultLoss),
        IsOmittedAtDefault = true,
        Conflict = s => (s.Get(Task), s.Get(LossFunction!)) switch
        {
            ("classification" or "next-token", "cross-entropy") or ("regression", "mse" or "l1" or "huber")
                or ("multi-label", "bce") => null,
            (var task, var loss) => $"{loss} is no loss for {task}; use {DefaultLoss(s)}"
                + (task == "regression" ? ", l1 or huber" : ""),
        },
    };

    internal static readonly TextSetting Metric = new("metric")
    {
        Group = Training,
        Help = "Metric by which the best epoch is chosen, one that the task measures, such as accuracy, f1, r2 or mae.",
        Default = new("accuracy for classes, r2 for values, f1 for labels, determinedAccuracy for brackets and "
            + "arithmetic, perplexity for own text", DefaultMetric),
        IsOmittedAtDefault = true,
        Conflict = s => TaskMetrics.Names(s.Get(Task), IsFormal(s)) is var names && names.Contains(s.Get(Metric!))
            ? null
            : $"{s.Get(Metric!)} is not measured for {(IsText(s) ? s.Get(Dataset) : s.Get(Task))}; "
                + $"use one of {string.Join(", ", names)}",
    };

    internal static readonly TextSetting LossReduction = new("loss-reduction")
    {
        Group = Training,
        Help = "Loss of a batch: the mean or the sum of its samples' losses.",
        Choices = ["mean", "sum"],
        Default = "mean",
    };

    internal static readonly NumberSetting<double> LabelSmoothing = new("label-smoothing")
    {
        Group = Training,
        Help = "Share of the target that is spread over all classes.",
        Range = new() { AtLeast = 0, Below = 1 },
        Default = 0,
        Off = "0",
        Idle = s => IsText(s) ? $"does nothing for {s.Get(Dataset)}; it is for classification" : null,
    };

    // An average of the last hundred steps or so: of images it is clearly better than any single one of them.
    internal static readonly NumberSetting<double> Ema = new("ema")
    {
        Group = Training,
        Help = "Decay of a moving average of the weights, which is then what is validated and kept; 0: none.",
        Range = new() { AtLeast = 0, Below = 1, Words = "0 (none) or a decay below 1, such as 0.99" },
        Default = new("0.99 for images, else 0", s => HasImages(s) ? 0.99 : 0),
    };

    internal static readonly NumberSetting<int> Patience = new("patience")
    {
        Group = Training,
        Help = "End after this many epochs without a lower validation loss; 0: never.",
        Range = new() { AtLeast = 0, Words = "at least 0 (never)" },
        Default = 0,
    };

    internal static readonly TextSetting TestTime = new("tta")
    {
        Group = Training,
        Help = "Views of an image whose logits are averaged at the end, with the best model:",
        Choices = [.. TestTimeAugmentation.All.Select(views => views.Name)],
        Default = "none",
        Off = "none",
        Idle = s => s.Get(Model) == "mlp" || IsLanguageModel(s)
            ? $"does nothing for --model {s.Get(Model)}; it is for networks that take images as they are" : null,
    };

    internal static readonly NumberSetting<ulong> Seed = new("seed")
    {
        Group = Training,
        Help = "Seed of all random numbers.",
        Default = 1,
    };

    internal static readonly NumberSetting<int> Threads = new("threads")
    {
        Group = Run,
        Help = "Number of threads; the result does not depend on it.",
        Range = new() { AtLeast = 1, AtMost = 1024 },
        Default = new("one for each core", _ => Workers.ThreadCount),
        AffectsResult = false,
    };

    /// <summary>Null where it is not given.</summary>
    internal static readonly TextSetting DataDir = new("data-dir")
    {
        Group = Run,
        Help = "Folder of the data sets.",
        ValueName = "folder",
        Default = new("ADJOINT_DATA, else the user's cache", _ => null!),
        AffectsResult = false,
        IsOmittedAtDefault = true,
        Idle = s => IsSynth(s) || IsFormal(s) ? $"does nothing for {s.Get(Dataset)}, which is made on the spot"
            : IsOwn(s) ? "does nothing beside --data, which says where they are" : null,
    };

    /// <summary>Null where it is not given.</summary>
    internal static readonly TextSetting TensorBoard = new("tensorboard")
    {
        Group = Run,
        Help = "Write event files for TensorBoard: into tensorboard in the run's folder, or into a folder of the run's "
            + "name in this one.",
        ValueName = "folder",
        Bare = RunFolder.OwnEvents,
        AffectsResult = false,
    };

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
        "next-token" => IsFormal(s) ? "determinedAccuracy" : "perplexity",
        _ => "accuracy",
    };

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
            (_, "brackets" or "arithmetic") => 0.006,
            (_, "text") => 0.002,
            _ => 0.001,
        };
        return s.Get(LossReduction) == "sum" && optimizer == "sgd" ? rate / s.Get(BatchSize) : rate;
    }
}
