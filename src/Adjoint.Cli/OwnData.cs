using Adjoint.Data;
using Adjoint.Experiments;

namespace Adjoint.Cli;

/// <summary>A user's own data, read once: what follows from it, and its parts.</summary>
internal abstract class OwnData
{
    /// <summary>The formal languages, whose strings are made on the spot.</summary>
    internal static readonly IReadOnlyList<string> Languages = ["brackets", "arithmetic"];

    /// <summary>The data sets that the tool knows by name.</summary>
    internal static readonly IReadOnlyList<string> BuiltIn =
        ["synth", "mnist", "fashion-mnist", "cifar10", .. Languages];

    /// <summary>What <c>--data</c> may lead to.</summary>
    internal static readonly IReadOnlyList<string> Kinds = ["table", "images", "text"];

    private static readonly string[] TextEndings = [".txt", ".text", ".md"];

    /// <summary>What a path leads to; null where there is no path.</summary>
    /// <param name="path">The path of a file or a folder.</param>
    /// <param name="model">The network that is asked for; null: none.</param>
    internal static string? KindOf(string? path, string? model) =>
        path is null ? null : Directory.Exists(path) ? "images"
        : model is null ? TextEndings.Contains(Path.GetExtension(path).ToLowerInvariant()) ? "text" : "table"
        : TrainSettings.IsLanguageModel(model) ? "text" : "table";

    /// <summary>What is wrong with a rule of splitting, or null.</summary>
    internal static string? CheckSplit(string rule) =>
        rule is "random" or "stratified" || ColumnOf(rule, "group") is not null || ColumnOf(rule, "time") is not null
            ? null
            : $"'{rule}' is none of random, stratified, group:COLUMN, time:COLUMN";

    /// <summary>The column that a rule such as <c>group:patient</c> names; null where it is another rule.</summary>
    internal static string? ColumnOf(string rule, string kind) =>
        rule.StartsWith($"{kind}:", StringComparison.Ordinal) && rule.Length > kind.Length + 1
            ? rule[(kind.Length + 1)..]
            : null;

    /// <summary>Opens the own data that settings name; null where they name a built-in data set.</summary>
    /// <param name="given">Names and values of settings, as they were given.</param>
    /// <exception cref="AdjointException">There is no such file or folder, or it cannot be read.</exception>
    internal static OwnData? Open(IEnumerable<KeyValuePair<string, string>> given)
    {
        var path = Of(TrainSettings.Source);
        if (path is null) return null;
        if (!Path.Exists(path))
            throw new AdjointException(
                $"--data {path}: no such file or folder; name a table, a text or a folder of images");
        return (Of(TrainSettings.Dataset) ?? KindOf(path, Of(TrainSettings.Model))) switch
        {
            "images" => new OwnImages(path),
            "text" => new OwnText(path),
            _ => new OwnTable(path),
        };

        string? Of(Setting setting) => given.FirstOrDefault(one => one.Key == setting.Name).Value;
    }

    /// <summary>The settings with those that follow from the data, where they are not given.</summary>
    /// <param name="given">Names and values of settings, as they were given.</param>
    internal IReadOnlyDictionary<string, string> Complete(IEnumerable<KeyValuePair<string, string>> given)
    {
        var all = given.ToDictionary();
        // A run may go on from another folder.
        all[TrainSettings.Source.Name] = Path.GetFullPath(all[TrainSettings.Source.Name]);
        if (all.TryGetValue(TrainSettings.Tokens.Name, out var tokens) && Directory.Exists(tokens))
            all[TrainSettings.Tokens.Name] = Path.GetFullPath(tokens);
        foreach (var (setting, value) in Findings(all)) all.TryAdd(setting.Name, value);
        return all;
    }

    /// <summary>Settings that follow from the data, beside those that are given.</summary>
    private protected abstract IEnumerable<(Setting Setting, string Value)> Findings(
        IReadOnlyDictionary<string, string> given);

    /// <summary>
    /// The parts of the data, encoded as the settings say; statistics are of the training part alone.
    /// </summary>
    /// <param name="settings">All settings, completed.</param>
    /// <param name="say">Called with what a person should know of the encoding, a line each.</param>
    internal abstract DataSplits Load(SettingValues settings, Action<string> say);

    /// <summary>What the data holds, in lines for a terminal.</summary>
    internal abstract string Describe(SettingValues settings);

    /// <summary>How many of so many samples are for validation and test.</summary>
    private protected static (int Validation, int Test) PartsOf(int count, SettingValues settings)
    {
        var test = settings.Get(TrainSettings.TestShare);
        return (Math.Max(1, (int)Math.Round(count * settings.Get(TrainSettings.ValidationShare))),
            test > 0 ? Math.Max(1, (int)Math.Round(count * test)) : 0);
    }
}
