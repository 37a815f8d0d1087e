using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Adjoint.Experiments;
using Adjoint.IO;

namespace Adjoint.Cli;

/// <summary>The folder of a run.</summary>
internal static class RunFolder
{
    // What settings.json says beside the settings that a result depends on.
    private static readonly string[] Notes =
        ["final", "threads", "data-dir", "version", "runtime", "system", "command"];

    /// <summary>Where it will be; the name tells what and when unless one is given.</summary>
    /// <exception cref="AdjointException">It exists.</exception>
    internal static string Create(string? wanted, string dataset)
    {
        var path = wanted ?? Unused(Path.Combine("runs", $"{DateTime.Now.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture)}-{dataset}"));
        if (File.Exists(path)) throw new AdjointException($"--out {path}: is a file; name a folder that does not exist yet");
        if (Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any())
            throw new AdjointException($"--out {path}: exists and is not empty; name a new folder, so that no run overwrites another");
        return path;
    }

    /// <summary>Writes <c>settings.json</c>: everything needed to repeat the run.</summary>
    /// <param name="folder">The run's.</param>
    /// <param name="settings">What it is made with.</param>
    /// <param name="isFinal">
    /// Whether its best model is measured on the test set at the end, also when the run goes on later.
    /// </param>
    internal static void WriteSettings(string folder, TrainSettings settings, bool isFinal = false)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            foreach (var (name, value) in settings.Rows()) json.WriteString(name, value);
            if (isFinal) json.WriteString("final", "true");
            json.WriteString("version", typeof(Tensor).Assembly.GetName().Version?.ToString(3));
            json.WriteString("runtime", RuntimeInformation.FrameworkDescription);
            json.WriteString("system", $"{RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}");
            json.WriteString("command", "adjoint train "
                + string.Join(' ', settings.Rows().Select(row => $"--{row.Name} {row.Value}"))
                + (isFinal ? " --final" : ""));
            json.WriteEndObject();
        }
        AtomicFile.WriteText(Path.Combine(folder, "settings.json"), Encoding.UTF8.GetString(buffer.ToArray()) + "\n");
    }

    /// <summary>The settings of a run, by name, without those that its result does not depend on.</summary>
    /// <exception cref="AdjointException">The folder is not that of a run, or its run is complete.</exception>
    internal static IReadOnlyDictionary<string, string> ReadSettings(string folder)
    {
        var path = Path.Combine(folder, "settings.json");
        if (!File.Exists(path)) throw new AdjointException($"--resume {folder}: no settings.json there; name the folder of a run");
        if (!Directory.EnumerateFiles(folder, "checkpoint-*.safetensors").Any() && File.Exists(Path.Combine(folder, "report.html"))) throw new AdjointException($"--resume {folder}: the run is complete; nothing is left to do");
        var names = new SettingOptions().All.Select(option => option.Name[2..]).ToHashSet();
        var entries = Entries(path);
        // One that is misspelt would be as if it were not there, and the run go on with another value.
        if (entries.Keys.Except(names).Except(Notes).FirstOrDefault() is { } unknown)
            throw new SettingException(unknown,
                $"no such setting{Spelling.Hint(unknown, names)}; correct {path}, or remove it there");
        return entries.Where(entry => names.Contains(entry.Key)).ToDictionary();
    }

    /// <summary>Whether a run was told to measure its best model on the test set at the end.</summary>
    /// <exception cref="AdjointException">The settings cannot be read.</exception>
    internal static bool IsFinal(string folder) =>
        Entries(Path.Combine(folder, "settings.json")).GetValueOrDefault("final") == "true";

    /// <summary>Where a run was told that the data sets lie, or null; it goes on there unless told anew.</summary>
    /// <exception cref="AdjointException">The settings cannot be read.</exception>
    internal static string? DataDir(string folder) =>
        Entries(Path.Combine(folder, "settings.json")).GetValueOrDefault("data-dir");

    private static Dictionary<string, string> Entries(string path) =>
        JsonFile.Read(path, "the settings of a run, each a text", json =>
            json.EnumerateObject().ToDictionary(entry => entry.Name, entry =>
                entry.Value.ValueKind == JsonValueKind.String ? entry.Value.GetString()!
                : throw new FormatException($"'{entry.Name}' is no text; write its value in quotes")));

    private static string Unused(string path)
    {
        var candidate = path;
        for (var number = 2; Path.Exists(candidate); number++) candidate = $"{path}-{number}";
        return candidate;
    }
}
