using Adjoint.Experiments;

namespace Adjoint.Cli;

/// <summary>
/// The settings of <c>adjoint train</c>, a row each: option, checks, default, experiment file, report and
/// <c>settings.json</c> follow from it. <see cref="TrainingSetup"/> is where they are put to use.
/// </summary>
internal static partial class TrainSettings
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

    /// <summary>The heading of the help for training on several processes or machines.</summary>
    internal const string Ranks = "Ranks";

    // Here, since fields of several files are made in no order that the language promises.
    static TrainSettings()
    {
        foreach (var row in (Setting[])
        [
            Source, Dataset, Target, Task, Ignore, Categories, ValidationShare, TestShare, Split, ImageSize,
            Channels, Tokens, Context, DataShare, Pixels, Augment, NoShuffle, Model, Hidden, Layers,
            Activation, Width, Heads, Dropout, Weights, Rename, Epochs, BatchSize, Optimizer, LearningRate, Schedule,
            RisingShare, Clip, Momentum, Nesterov, WeightDecay, BiasRateFactor, LossFunction, Metric,
            LossReduction, LabelSmoothing, Ema, Patience, TestTime, Seed, Shards, BatchNorm, ShardOptimizer, Threads,
            DataDir, TensorBoard,
        ]) Table.Add(row);
    }

    /// <summary>Whether a network is one for texts.</summary>
    internal static bool IsLanguageModel(string? model) => model is not null && LanguageModels.Contains(model);

    /// <summary>Whether the samples are strings of a formal language.</summary>
    internal static bool IsFormal(SettingValues s) => OwnData.Languages.Contains(s.Get(Dataset));

    private static bool IsSynth(SettingValues s) => s.Get(Dataset) == "synth";

    private static bool IsOwn(SettingValues s) => OwnData.Kinds.Contains(s.Get(Dataset));

    private static bool IsText(SettingValues s) => s.Get(Dataset) == "text" || IsFormal(s);

    private static bool IsLanguageModel(SettingValues s) => IsLanguageModel(s.Get(Model));

    /// <summary>Whether samples are images, not vectors or texts.</summary>
    private static bool HasImages(SettingValues s) => s.Get(Dataset) is not ("synth" or "table") && !IsText(s);
}
