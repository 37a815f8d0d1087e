using Adjoint.Experiments;
using Adjoint.Nn;

namespace Adjoint.Cli;

/// <content>What learns.</content>
internal static partial class TrainSettings
{
    /// <summary>The networks for texts.</summary>
    internal static readonly IReadOnlyList<string> LanguageModels = ["gpt", "lstm"];

    internal static readonly TextSetting Model = new("model")
    {
        Group = Network,
        Help = "Network:",
        Choices = ["mlp", .. ModelZoo.All.Select(model => model.Name), .. LanguageModels],
        Default = new("mlp; resnet20 for a folder of images, gpt for texts",
            s => s.Get(Dataset) == "images" ? "resnet20" : IsText(s) ? "gpt" : "mlp"),
        Conflict = s => (s.Get(Model!), s.Get(Dataset)) switch
        {
            (var model, var dataset) when IsLanguageModel(model) != IsText(s) => IsText(s)
                ? $"{model} does not take the tokens of {dataset}; use {string.Join(" or ", LanguageModels)}"
                : $"{model} does not take the samples of {dataset}; it is for texts: brackets, arithmetic, or own "
                    + "text with --data",
            ("mlp", _) or ("lenet", "cifar10") or ("lenet5", "mnist" or "fashion-mnist") => null,
            ("lenet", "images") => SizeIs(s, 32, 3),
            ("lenet5", "images") => SizeIs(s, 28, 1),
            ("lenet", var dataset) => $"lenet does not take the images of {dataset}; it is for cifar10",
            ("lenet5", var dataset) =>
                $"lenet5 does not take the images of {dataset}; it is for mnist and fashion-mnist",
            (var model, "synth" or "table") => $"{model} does not take the images of {s.Get(Dataset)}; use mlp",
            _ => null,
        },
    };

    internal static readonly TextSetting Hidden = new("hidden")
    {
        Group = Network,
        Help = "Hidden sizes of an mlp: 4x (four times the inputs) or a list such as 300,100.",
        ValueName = "sizes",
        Check = HiddenSizes.Check,
        Default = new("4x; 128,64 for a table", s => s.Get(Dataset) == "table" ? "128,64" : "4x"),
        Idle = s => LayersAreGiven(s) ?? NoHiddenLayer(s),
    };

    internal static readonly NumberSetting<int> Layers = new("layers")
    {
        Group = Network,
        Help = "Number of hidden layers of an mlp with --hidden 4x, of blocks of a gpt, of layers of an lstm.",
        Range = new() { AtLeast = 0, AtMost = 100 },
        Default = new("1; 2 for gpt", s => s.Get(Model) == "gpt" ? 2 : 1),
        Conflict = s => IsLanguageModel(s) && s.Get(Layers!) == 0 ? $"{s.Get(Model)} needs 1 layer or more" : null,
        Idle = s => IsLanguageModel(s) ? null : LayersAreGiven(s) ?? (HiddenSizes.IsMultiple(s.Get(Hidden)) ? null
            : $"does nothing beside --hidden {s.Get(Hidden)}, which lists every layer; it is for --hidden 4x"),
    };

    // Networks that bring their own activation take none; theirs is always called the same, since trials are told apart
    // by it.
    internal static readonly TextSetting Activation = new("activation")
    {
        Group = Network,
        Help = "Activation between the layers of an mlp:",
        Choices = Mlp.Activations,
        Default = new("sigmoid for synth, else relu",
            s => IsSynth(s) || s.Get(Model) != "mlp" ? "sigmoid" : "relu"),
        Idle = Hidden.Idle,
    };

    internal static readonly NumberSetting<int> Width = new("width")
    {
        Group = Network,
        Help = "Numbers for each token between the layers of a gpt or an lstm.",
        Range = new() { AtLeast = 1, AtMost = 16_384 },
        Default = new("64; 128 for lstm and own text", s => s.Get(Model) == "gpt" && IsFormal(s) ? 64 : 128),
        IsOmittedAtDefault = true,
        Idle = s => IsLanguageModel(s) ? null
            : $"does nothing for --model {s.Get(Model)}; it is for {string.Join(" and ", LanguageModels)}",
    };

    internal static readonly NumberSetting<int> Heads = new("heads")
    {
        Group = Network,
        Help = "Heads of a gpt's attention; they divide its width among them.",
        Range = new() { AtLeast = 1, AtMost = 1024 },
        Default = 4,
        IsOmittedAtDefault = true,
        Conflict = s => s.Get(Model) == "gpt" && s.Get(Width) % s.Get(Heads!) != 0
            ? $"{s.Get(Heads!)} heads do not divide a width of {s.Get(Width)}; "
                + "use a number that does, or another --width"
            : null,
        Idle = s => s.Get(Model) == "gpt" ? null : $"does nothing for --model {s.Get(Model)}; it is for gpt",
    };

    internal static readonly NumberSetting<double> Dropout = new("dropout")
    {
        Group = Network,
        Help = "Share of the numbers within a gpt or an lstm that a training step sets to 0.",
        Range = new() { AtLeast = 0, Below = 1 },
        Default = new("0; 0.1 for own text", s => IsText(s) && !IsFormal(s) ? 0.1 : 0),
        Off = "0",
        IsOmittedAtDefault = true,
        Idle = Width.Idle,
    };

    internal static readonly TextSetting Weights = new("weights")
    {
        Group = Network,
        Help = "Begin from weights: a file of tensors (.safetensors, .pt, .npz), or a run. What fits by name and shape "
            + "is taken; the rest, such as a head for other classes, begins as without.",
        ValueName = "path",
        Default = new("none: random numbers", _ => null!),
        IsOmittedAtDefault = true,
    };

    internal static readonly TextSetting Rename = new("rename")
    {
        Group = Network,
        Help = $"Of --weights. {Renaming.RulesHelp}",
        ValueName = "rules",
        Check = Renaming.Check,
        Default = new("none", _ => null!),
        IsOmittedAtDefault = true,
        Idle = s => s.Get(Weights) is null ? "does nothing without --weights, whose tensors it renames" : null,
    };

    private static string? SizeIs(SettingValues s, int size, int channels) =>
        (s.Get(ImageSize), s.Get(Channels)) == (size, channels) ? null
            : $"{s.Get(Model)} takes images of {channels} channels and {size} pixels a side, not of {s.Get(Channels)} "
                + $"and {s.Get(ImageSize)}; leave --image-size and --channels out";

    private static string? LayersAreGiven(SettingValues s) => s.Get(Model) == "mlp" ? null
        : IsLanguageModel(s) ? $"does nothing for --model {s.Get(Model)}, whose layers have --width; it is for mlp"
        : $"does nothing for --model {s.Get(Model)}, whose layers are given; it is for mlp";

    private static string? NoHiddenLayer(SettingValues s) => HiddenSizes.IsMultiple(s.Get(Hidden)) && s.Get(Layers) == 0
        ? "does nothing with --layers 0, which leaves no hidden layer" : null;
}
