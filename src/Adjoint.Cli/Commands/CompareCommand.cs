using System.CommandLine;
using System.Text.Json;
using Adjoint.Experiments;
using Adjoint.IO;

namespace Adjoint.Cli.Commands;

/// <summary><c>adjoint compare</c>: the curves of several runs over each other, and what they differ in.</summary>
internal static class CompareCommand
{
    private const int Widest = 100, High = 13;

    internal static Command Create(TextWriter output, TextWriter error)
    {
        var folders = new Argument<string[]>("run")
        {
            Description = "Folders of runs, two or more; of a sweep's folder all trials.",
            Arity = ArgumentArity.OneOrMore,
        };
        var html = SettingOption.Of(new TextSetting("html")
        {
            Help = "Write a page with the curves, self-contained, instead.",
            ValueName = "file",
        });
        var open = SettingOption.Of(new FlagSetting("open") { Help = "Open that page in the browser." });
        var asJson = SettingOption.Of(new FlagSetting("json") { Help = "Print one JSON object on stdout instead." });
        var command = new GuidedCommand("compare", "Compare runs: curves, settings that differ, best values.",
        [
            ("adjoint compare runs/first runs/second", "In the terminal."),
            ("adjoint compare runs/first runs/second --html compare.html --open", "In the browser."),
        ],
        new OptionGroup("Result", [html, open, asJson])) { folders };
        command.SetAction(parsed =>
        {
            var file = parsed.GetValue(html);
            if (file is null && parsed.GetValue(open))
                throw new UsageException("--open: opens a page; give --html too");
            var comparison = Load(parsed.GetValue(folders)!);
            if (file is not null)
            {
                AtomicFile.WriteText(file, comparison.ToHtml());
                error.WriteLine($"comparison: {Printable.Line(file)}");
                if (parsed.GetValue(open)) Browser.Open(Path.GetFullPath(file), error);
            }
            if (parsed.GetValue(asJson)) output.WriteLine(ToJson(comparison));
            else if (file is null)
            {
                var isSeen = Terminal.IsSeenOutput(output);
                var width = isSeen ? Math.Min(Widest, Terminal.Width - 1) : Terminal.UsualWidth - 1;
                Write(comparison, output, new CurvePlot(width, High)
                {
                    HasColors = isSeen && Terminal.HasColors(output),
                    IsUnicode = !isSeen || Terminal.IsUnicode(output),
                }, width);
            }
            return 0;
        });
        return command;
    }

    /// <summary>Writes a comparison as lines of text.</summary>
    internal static void Write(RunComparison comparison, TextWriter output, CurvePlot plot, int width)
    {
        var runs = comparison.Runs;
        for (var i = 0; i < runs.Count; i++)
        {
            var (name, run) = (Printable.Line(runs[i].Name), runs[i].Run);
            var state = $"  {ListedRun.Word(run.State)}, epoch {run.Metrics.LastEpoch ?? 0}";
            output.WriteLine($"{RunComparison.Letter(i)}  {RunTable.Cut(name, Math.Max(8, width - 3 - state.Length))}"
                + state);
        }
        foreach (var name in comparison.Shared)
        {
            output.WriteLine();
            var curves = runs.Select((one, i) => new TextCurve(RunComparison.Letter(i),
                [.. one.Run.Metrics.Of(name).Select(point => ((double)point.Epoch, point.Value))]));
            foreach (var line in plot.Draw(Printable.Line(MetricNames.Title(name)), [.. curves]))
                output.WriteLine(line.Text.TrimEnd());
        }
        if (comparison.Shared.Count == 0) output.WriteLine("\nThe runs have measured nothing in common.");
        if (comparison.Unshared.Count > 0)
            output.WriteLine($"\nNot measured in all of them: {string.Join(", ", comparison.Unshared.Select(one =>
                $"{Printable.Line(MetricNames.Title(one.Name))} ({one.Letters})"))}");
        string[] letters = [.. runs.Select((_, i) => $"{RunComparison.Letter(i)}")];
        if (comparison.Shared.Count > 0)
            TextTable.Write(output, width, ["best (epoch)", .. letters], comparison.Shared.Select(name => (string[])
                [MetricNames.Title(name), .. runs.Select(one => one.Run.Metrics.Best(name) is { } best
                    ? $"{RunColumn.Digits(best.Value)} ({best.Epoch})" : "–")]));
        if (comparison.Shared.Count > 0)
            TextTable.Write(output, width, ["final", .. letters], comparison.Shared.Select(name => (string[])
                [MetricNames.Title(name), .. runs.Select(one => one.Run.Metrics.Final(name) is { } final
                    ? RunColumn.Digits(final.Value) : "–")]));
        if (comparison.Differences.Count == 0) output.WriteLine("\nNo setting differs.");
        else
            TextTable.Write(output, width, ["setting", .. letters], comparison.Differences.Select(row => (string[])
                [row.Name, .. row.Values.Select(value => value ?? "–")]));
    }

    private static RunComparison Load(string[] folders)
    {
        var paths = folders.SelectMany(folder => RecordedRun.IsSweep(folder) && !RecordedRun.IsRun(folder)
            ? RecordedRun.Find(folder, recursive: false) : [folder]).ToArray();
        var twice = paths.GroupBy(path => Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)))
            .FirstOrDefault(same => same.Count() > 1);
        if (twice is not null) throw new UsageException($"run: {twice.First()} is given twice; give it once");
        if (paths.Length < 2)
            throw new UsageException("run: two runs or more are compared; give another, adjoint runs lists them");
        if (paths.Length > RunComparison.MostRuns)
            throw new UsageException($"run: {paths.Length} runs are too many to tell apart; give at most "
                + $"{RunComparison.MostRuns}, adjoint runs --sort finds the best");
        var names = Names(paths);
        return new([.. paths.Select((path, i) => new NamedRun(names[i], RecordedRun.Load(path)))]);
    }

    /// <summary>The names of folders; where two have the same, all paths as they are.</summary>
    internal static IReadOnlyList<string> Names(IReadOnlyList<string> paths)
    {
        string[] names = [.. paths.Select(path => Path.GetFileName(Path.TrimEndingDirectorySeparator(
            Path.GetFullPath(path))))];
        return names.Distinct().Count() == names.Length ? names : paths;
    }

    private static string ToJson(RunComparison comparison) => RunJson.Text(json =>
    {
        json.WriteStartObject();
        json.WriteStartArray("runs");
        foreach (var (name, run) in comparison.Runs)
        {
            RunJson.Begin(json, new(name, run.Folder, run, null));
            RunJson.Values(json, run.Metrics);
            RunJson.Curves(json, run.Metrics);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("shared");
        foreach (var name in comparison.Shared) json.WriteStringValue(name);
        json.WriteEndArray();
        json.WriteStartObject("differences");
        foreach (var (name, values) in comparison.Differences)
        {
            json.WriteStartArray(name);
            foreach (var value in values) json.WriteStringValue(value);
            json.WriteEndArray();
        }
        json.WriteEndObject();
        json.WriteEndObject();
    });
}
