using Adjoint.Data;
using Adjoint.Experiments;

namespace Adjoint.Cli;

/// <content>What is learned from.</content>
internal static partial class TrainSettings
{
    /// <summary>
    /// Own data: what is wrong with it, beside the others, <see cref="OwnData"/> finds when it reads it.
    /// </summary>
    internal static readonly TextSetting Source = new("data")
    {
        Group = Data,
        Help = "Own data: a table (.csv, .tsv, .parquet), a text (.txt, .md; with --model gpt or lstm any file), or a "
            + "folder with a folder of images for each class. Task, network and other defaults follow from it. With "
            + "--dataset images, a CSV file of image files and labels.",
        ValueName = "path",
        Default = new("none: a built-in data set", _ => null!),
        IsOmittedAtDefault = true,
    };

    internal static readonly TextSetting Dataset = new("dataset")
    {
        Group = Data,
        Help = "Data set:",
        Choices = [.. OwnData.BuiltIn, .. OwnData.Kinds],
        Default = new("synth; brackets for gpt and lstm; of --data what it is", s =>
        {
            // The default of the model depends on this one, so only one that is given counts.
            s.TryGet(Model!, out var model);
            return OwnData.KindOf(s.Get(Source), model) ?? (IsLanguageModel(model) ? "brackets" : "synth");
        }),
        Conflict = s => (s.Get(Source), s.Get(Dataset!)) switch
        {
            (null, var name) when OwnData.Kinds.Contains(name) => $"{name} is own data; name it with --data",
            ({ } path, var name) when !OwnData.Kinds.Contains(name) || name != "images" && Directory.Exists(path) =>
                $"{path} is own data, {OwnData.KindOf(path, s.Get(Model!))}, not {name}; leave --dataset out",
            _ => null,
        },
    };

    internal static readonly TextSetting Target = new("target")
    {
        Group = Data,
        Help = "Column of a table that is to be predicted; several, with commas between them, for several values or "
            + "for labels that may hold at once.",
        ValueName = "column",
        Default = new("a column named target, label, class or y", _ => null!),
        IsOmittedAtDefault = true,
        Idle = NotATable,
    };

    internal static readonly TextSetting Task = new("task")
    {
        Group = Data,
        Help = "What is learned:",
        Choices = ["classification", "regression", "multi-label", "next-token"],
        Default = new("classification; next-token for texts; of a table what its target looks like",
            s => IsText(s) ? "next-token" : "classification"),
        IsOmittedAtDefault = true,
        Idle = s => IsOwn(s) ? null : BuiltInOnly(s, $"task is {s.Get(Task!)}"),
        Conflict = s => IsText(s) && s.Get(Task!) != "next-token"
            ? $"{s.Get(Task!)} is not for texts; leave it out, or name a table with --dataset table" : null,
    };

    internal static readonly TextSetting Ignore = new("ignore")
    {
        Group = Data,
        Help = "Columns of a table to leave out, with commas between them.",
        ValueName = "columns",
        Default = new("none", _ => "none"),
        Off = "none",
        IsOmittedAtDefault = true,
        Idle = NotATable,
    };

    internal static readonly TextSetting Categories = new("categories")
    {
        Group = Data,
        Help = "Columns of numbers in a table that are names of categories, with commas between them.",
        ValueName = "columns",
        Default = new("none", _ => "none"),
        Off = "none",
        IsOmittedAtDefault = true,
        Idle = NotATable,
    };

    internal static readonly NumberSetting<double> ValidationShare = new("validation")
    {
        Group = Data,
        Help = "Share of own data to validate on, which is not learned from.",
        Range = new() { Above = 0, Below = 1 },
        Default = new("0.2; 0.1 of a text, its end", s => IsText(s) ? 0.1 : 0.2),
        IsOmittedAtDefault = true,
        Idle = s => IsOwn(s) ? null : BuiltInOnly(s, "parts are given"),
    };

    internal static readonly NumberSetting<double> TestShare = new("test")
    {
        Group = Data,
        Help = "Share of own data to keep back for --final.",
        Range = new() { AtLeast = 0, Below = 1 },
        Default = 0,
        Off = "0",
        IsOmittedAtDefault = true,
        Idle = ValidationShare.Idle,
    };

    internal static readonly TextSetting Split = new("split")
    {
        Group = Data,
        Help = "How own data is split: random, stratified (each class in proportion), group:COLUMN (no group in two "
            + "parts) or time:COLUMN (the latest to validate on).",
        ValueName = "rule",
        Default = new("stratified for classification, else random",
            s => s.Get(Task) == "classification" ? "stratified" : "random"),
        Check = OwnData.CheckSplit,
        IsOmittedAtDefault = true,
        Idle = s => s.Get(Dataset) == "text" ? "does nothing for a text, whose end is kept back"
            : ValidationShare.Idle(s),
    };

    internal static readonly NumberSetting<int> ImageSize = new("image-size")
    {
        Group = Data,
        Help = "Height and width to which the images of a folder are brought, in pixels.",
        Range = new() { AtLeast = 8, AtMost = 1024 },
        Default = new("that of the images up to 64; 28 for lenet5, 32 for lenet", _ => 32),
        IsOmittedAtDefault = true,
        Idle = NotAFolder,
    };

    internal static readonly NumberSetting<int> Channels = new("channels")
    {
        Group = Data,
        Help = "Channels to which the images of a folder are brought: 1 (gray) or 3 (color).",
        Range = new() { AtLeast = 1, AtMost = 3, Words = "1 or 3" },
        Check = channels => channels == 2 ? "must be 1 or 3" : null,
        Default = new("1 where all are gray, else 3", _ => 3),
        IsOmittedAtDefault = true,
        Idle = NotAFolder,
    };

    internal static readonly TextSetting Tokens = new("tokens")
    {
        Group = Data,
        Help = "What the tokens of a text are: bytes, characters, or those of a tokenizer: the path of a folder with "
            + "vocab.json and merges.txt (byte-level BPE, as GPT-2 has it).",
        ValueName = "kind",
        Default = "bytes",
        IsOmittedAtDefault = true,
        Idle = s => IsFormal(s) ? $"does nothing for {s.Get(Dataset)}, whose tokens are its characters" : NotAText(s),
    };

    internal static readonly NumberSetting<int> Context = new("context")
    {
        Group = Data,
        Help = "Tokens in a window of a text: a gpt looks back at most so far.",
        Range = new() { AtLeast = 2, AtMost = 65_536 },
        Default = new("64; 128 for own text", s => IsFormal(s) ? 64 : 128),
        IsOmittedAtDefault = true,
        Idle = NotAText,
    };

    internal static readonly NumberSetting<double> DataShare = new("data-share")
    {
        Group = Data,
        Help = "Share of the training and validation samples to use, the first ones: for a quick look.",
        Range = new() { Above = 0, AtMost = 1 },
        Default = 1,
    };

    internal static readonly TextSetting Pixels = new("pixels")
    {
        Group = Data,
        Help = "Scale of images: unit (divided by 255; cifar10: -1 to 1), "
            + "bytes (0 to 255, as the course's engine has them) or "
            + "standard (each channel minus its mean, divided by its standard deviation, over the training samples).",
        Choices = ["unit", "bytes", "standard"],
        Default = "unit",
        Idle = s => !HasImages(s) ? $"does nothing for {s.Get(Dataset)}; it is for images" : null,
        Conflict = s => s.Get(Pixels!) == "bytes" && s.Get(Dataset) is not ("mnist" or "fashion-mnist")
            ? $"bytes is for mnist and fashion-mnist, not for {s.Get(Dataset)}" : null,
    };

    internal static readonly TextSetting Augment = new("augment")
    {
        Group = Data,
        Help = "Random changes of the training images, a list of:",
        ValueName = "list",
        Choices = [.. Transform.All.Select(transform => transform.Name)],
        IsList = true,
        Default = "none",
        Off = "none",
        Idle = Pixels.Idle,
    };

    internal static readonly FlagSetting NoShuffle = new("no-shuffle")
    {
        Group = Data,
        Help = "Take the training samples in the order of the files in every epoch, as the course's engine does.",
        IsOmittedAtDefault = true,
    };

    private static string? NotATable(SettingValues s) => s.Get(Dataset) == "table" ? null
        : $"does nothing for {s.Get(Dataset)}; it is for tables given by --data";

    private static string? NotAFolder(SettingValues s) => s.Get(Dataset) == "images" ? null
        : $"does nothing for {s.Get(Dataset)}; it is for folders of images given by --data";

    private static string? NotAText(SettingValues s) => IsText(s) ? null
        : $"does nothing for {s.Get(Dataset)}; it is for texts: brackets, arithmetic, or own text with --data";

    private static string BuiltInOnly(SettingValues s, string fact) =>
        $"does nothing for {s.Get(Dataset)}, whose {fact}; it is for --data";
}
