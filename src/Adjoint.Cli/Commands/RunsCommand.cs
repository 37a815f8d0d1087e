using System.CommandLine;
using System.Globalization;
using Adjoint.Data;
using Adjoint.Experiments;

namespace Adjoint.Cli.Commands;

/// <summary><c>adjoint runs</c>: the runs in a folder, sorted and filtered.</summary>
internal static class RunsCommand
{
    internal static Command Create(TextWriter output, TextWriter error)
    {
        var folder = new Argument<string>("folder")
        {
            Description = "Where the runs are, such as a sweep's folder; runs/ if it is left out.",
            DefaultValueFactory = _ => "runs",
        };
        var sort = SettingOption.Of(new TextSetting("sort")
        {
            Help = "Sort by a column, a metric or a setting; the best value of a metric first, else the smallest.",
            Default = "when",
        });
        sort.CompletionSources.Add([.. RunColumn.All.Select(column => column.Name)]);
        var reverse = SettingOption.Of(new FlagSetting("reverse") { Help = "Turn the order around." });
        var filter = SettingOption.Of(new TextSetting("filter")
        {
            Help = "Show the runs for which all of these hold: columns, metrics or settings with = != < <= > >= or ~ "
                + "(contains), such as model=mlp,accuracy>0.9.",
            ValueName = "list",
        });
        var recursive = SettingOption.Of(new FlagSetting("recursive")
        {
            Help = "Look into folders of folders too: the trials of sweeps.",
        });
        var asJson = SettingOption.Of(new FlagSetting("json") { Help = "Print one JSON object on stdout." });
        var command = new GuidedCommand("runs", "List runs: how far they are and how good.",
        [
            ("adjoint runs", "What is under runs/, the latest last."),
            ("adjoint runs --sort accuracy --filter model=mlp,accuracy>0.9", "The best first, of those that are good."),
            ("adjoint runs runs/sweep", "The trials of a sweep."),
        ],
        new OptionGroup("List", [sort, reverse, filter, recursive, asJson])) { folder };
        command.SetAction(parsed =>
        {
            var path = parsed.GetValue(folder)!;
            var all = ListedRun.In(path, parsed.GetValue(recursive));
            var shown = parsed.GetValue(filter) is { } text
                ? [.. all.Where(new RunFilter(text, all).Holds)] : all;
            shown = Sort(shown, parsed.GetValue(sort)!, all);
            if (parsed.GetValue(reverse)) shown = [.. shown.Reverse()];
            if (parsed.GetValue(asJson))
            {
                output.WriteLine(ToJson(path, shown));
                return 0;
            }
            var isSeen = Terminal.IsSeenOutput(output);
            if (shown.Count > 0)
                RunTable.Write(shown, output, isSeen ? Terminal.Width - 1 : null, isSeen && Terminal.HasColors(output));
            else if (all.Count > 0)
                error.WriteLine(
                    $"{Printable.Line(path)}: none of {all.Count} runs fits --filter; leave it out to see them");
            else error.WriteLine($"{Printable.Line(path)}: no run in it; adjoint train makes one under runs/");
            foreach (var run in shown.Where(run => run.Problem is not null))
                error.WriteLine($"adjoint: {Printable.Line(run.Problem!)}");
            foreach (var sweep in Sweeps(path, parsed.GetValue(recursive)))
                error.WriteLine(
                    $"{Printable.Line(sweep)}: a sweep; adjoint runs {Printable.Line(ShellWord.Quote(sweep))} "
                    + "lists its trials");
            return 0;
        });
        return command;
    }

    private static IReadOnlyList<ListedRun> Sort(
        IReadOnlyList<ListedRun> runs, string name, IReadOnlyList<ListedRun> all)
    {
        var column = RunColumn.Find(name, all)
            ?? (all.Count == 0 ? RunColumn.Run : throw RunColumn.Unknown("--sort", name, all));
        // What has no value comes last.
        return [.. runs.OrderBy(run => column.Key(run) is null).ThenBy(column.Key, ByValue)];
    }

    // Settings are texts, also those that are numbers.
    private static readonly Comparer<object?> ByValue = Comparer<object?>.Create((a, b) =>
        (Number(a), Number(b)) is ({ } one, { } other) ? one.CompareTo(other)
        : string.Compare(a as string, b as string, StringComparison.Ordinal));

    private static double? Number(object? value) => value as double?
        ?? (double.TryParse(value as string, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? number : null);

    // Folders of sweeps that were not looked into.
    private static IEnumerable<string> Sweeps(string folder, bool recursive) => recursive || RecordedRun.IsRun(folder)
        ? []
        : Directory.GetDirectories(folder).Order(StringComparer.Ordinal).Where(RecordedRun.IsSweep);

    private static string ToJson(string folder, IReadOnlyList<ListedRun> runs) => RunJson.Text(json =>
    {
        json.WriteStartObject();
        json.WriteString("folder", folder);
        json.WriteStartArray("runs");
        foreach (var run in runs)
        {
            RunJson.Begin(json, run);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    });
}
