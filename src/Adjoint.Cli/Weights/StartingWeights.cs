using System.Text.Json;
using Adjoint.Data;
using Adjoint.Experiments;
using Adjoint.IO;
using Adjoint.Nn;

namespace Adjoint.Cli;

/// <summary>The weights that a training begins from: <c>--weights</c>.</summary>
internal static class StartingWeights
{
    /// <summary>The file of the report, in the run's folder.</summary>
    internal const string FileName = "weights.json";

    /// <summary>Loads what fits a new model by name and shape; null where the settings name no weights.</summary>
    /// <exception cref="AdjointException">There is no such file, or nothing of it fits.</exception>
    internal static LoadReport? Load(SettingValues settings, Module model)
    {
        if (settings.Get(TrainSettings.Weights) is not { } path) return null;
        string[] rules = settings.Get(TrainSettings.Rename) is { } list ? [.. Renaming.Split(list)] : [];
        var names = NameMap.Parse(rules);
        if (!Path.Exists(path)) throw new AdjointException($"--weights {path}: no such file or folder");
        using (var file = WeightsPath.Open(path))
        {
            string[] there = [.. file.Entries.Select(entry => entry.Name)];
            Renaming.RequireUse("--rename", rules, there, path);
            RequireSome(path, [.. names.Apply(there).Select(pair => pair.New)], [.. model.StateDict().Keys]);
        }
        return model.LoadWeights(WeightsPath.FileOf(path), new()
        {
            IsStrict = false,
            SkipOtherShapes = true,
            ConvertTypes = true,
            Names = names,
        });
    }

    /// <summary>The lines of a report for people.</summary>
    internal static IEnumerable<string> Lines(LoadReport report) =>
        $"weights: {report}".Split('\n').Select(Printable.Line);

    /// <summary>Writes the whole report into a run's folder.</summary>
    internal static void Write(string folder, string path, LoadReport report) =>
        AtomicFile.WriteText(Path.Combine(folder, FileName), RunJson.Text(json =>
        {
            json.WriteStartObject();
            json.WriteString("weights", path);
            List("loaded", report.Loaded);
            json.WriteStartObject("renamed");
            foreach (var (old, next) in report.Renamed) json.WriteString(old, next);
            json.WriteEndObject();
            List("missing", report.Missing);
            List("otherShapes", report.OtherShapes.Select(one => $"{one}"));
            List("converted", report.Converted.Select(one => $"{one}"));
            List("unknown", report.Unknown);
            List("ignored", report.Ignored);
            json.WriteEndObject();

            void List(string name, IEnumerable<string> texts)
            {
                json.WriteStartArray(name);
                foreach (var text in texts) json.WriteStringValue(text);
                json.WriteEndArray();
            }
        }) + "\n");

    // Said here in the words of the command line.
    private static void RequireSome(string path, string[] there, string[] own)
    {
        if (there.Intersect(own).Any()) return;
        throw new AdjointException(
            $"--weights {path}: no tensor has the name of one of the network: found {Some(there)}, expected "
            + $"{Some(own)}; " + (NameMap.Suggest(there, own) is { } rule
                ? $"rename them: --rename {ShellWord.Quote(rule)}"
                : "name weights of this network, or rename them with --rename OLD=NEW"));

        static string Some(string[] names) => names.Length == 0 ? "none"
            : string.Join(", ", names.Take(3)) + (names.Length > 3 ? $" and {names.Length - 3} more" : "");
    }
}
