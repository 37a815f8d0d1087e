using System.Globalization;
using System.Text;
using System.Text.Json;
using Adjoint.Data;
using Adjoint.Experiments;
using Adjoint.IO;

namespace Adjoint.Cli;

/// <summary>The folder of a run.</summary>
internal static class RunFolder
{
    private const string Settings = "settings.json";

    // What it says beside the settings.
    private static readonly string[] Notes = ["final", "ranks", "version", "runtime", "system", "command"];

    /// <summary>The value of <c>--tensorboard</c> that stands for the run's own folder.</summary>
    internal const string OwnEvents = "run";

    /// <summary>Makes the folder where a run writes its events for TensorBoard, which wants one for each run.</summary>
    /// <param name="folder">The run's.</param>
    /// <param name="setting">The value of <c>--tensorboard</c>.</param>
    /// <exception cref="AdjointException">It cannot be made.</exception>
    internal static string MakeEvents(string folder, string setting)
    {
        var path = setting == OwnEvents ? Path.Combine(folder, "tensorboard")
            : Path.Combine(setting, Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))));
        try
        {
            Directory.CreateDirectory(path);
            return path;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new AdjointException(
                $"--tensorboard {setting}: cannot be written to: {problem.Message}; name another folder", problem);
        }
    }

    /// <summary>Where it will be; the name tells what and when unless one is given.</summary>
    /// <exception cref="AdjointException">It exists.</exception>
    internal static string Create(string? wanted, string dataset)
    {
        var now = DateTime.Now.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture);
        var path = wanted ?? Unused(Path.Combine("runs", $"{now}-{dataset}"));
        if (File.Exists(path))
            throw new AdjointException($"--out {path}: is a file; name a folder that does not exist yet");
        if (Directory.Exists(path) && !IsUnused(path))
            throw new AdjointException(
                $"--out {path}: exists and is not empty; name a new folder, so that no run overwrites another");
        return path;
    }

    /// <summary>Writes <c>settings.json</c>: everything needed to repeat the run.</summary>
    /// <param name="folder">The run's.</param>
    /// <param name="settings">What it is made with.</param>
    /// <param name="isFinal">
    /// Whether its best model is measured on the test set at the end, also when the run goes on later.
    /// </param>
    /// <param name="ranks">How many ranks train, and where; null: this process alone.</param>
    internal static void WriteSettings(
        string folder, SettingValues settings, bool isFinal = false, string? ranks = null)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            foreach (var (name, value) in settings.Rows()) json.WriteString(name, value);
            if (isFinal) json.WriteString("final", "true");
            if (ranks is not null) json.WriteString("ranks", ranks);
            json.WriteString("version", LibraryVersion.Text);
            json.WriteString("runtime", ThisMachine.Runtime);
            json.WriteString("system", ThisMachine.SystemName);
            json.WriteString("command", Command(settings.Rows()) + (isFinal ? " --final" : ""));
            json.WriteEndObject();
        }
        AtomicFile.WriteText(Path.Combine(folder, Settings), Encoding.UTF8.GetString(buffer.ToArray()) + "\n");
    }

    /// <summary>The command that trains with these settings.</summary>
    internal static string Command(IEnumerable<(string Name, string Value)> settings) =>
        $"adjoint train {string.Join(' ', settings.Select(row => $"--{row.Name} {ShellWord.Quote(row.Value)}"))}";

    /// <summary>What a run that can go on wrote down, as it stands there: settings, and what else it notes.</summary>
    /// <param name="folder">The run's.</param>
    /// <exception cref="AdjointException">
    /// The folder is not that of a run, its run is complete, or its settings cannot be read.
    /// </exception>
    internal static IReadOnlyDictionary<string, string> Noted(string folder)
    {
        var path = Path.Combine(folder, Settings);
        if (!File.Exists(path))
            throw new AdjointException($"--resume {folder}: "
                + (FolderLock.IsMarked(folder) && !FolderLock.IsTaken(folder)
                    ? "its run was ended before it began; begin it anew with --out and its settings"
                    : "no settings.json there; name the folder of a run"));
        var entries = Entries(path);
        var isWritten = File.Exists(Path.Combine(folder, "report.html"));
        if (isWritten && !Directory.EnumerateFiles(folder, "checkpoint-*.safetensors").Any())
            throw new AdjointException($"--resume {folder}: the run is complete; nothing is left to do "
                + "(one that was interrupted, and whose checkpoints are gone, has to begin anew: "
                + "the command is in settings.json)");
        return entries;
    }

    /// <summary>The settings of a run that goes on.</summary>
    /// <param name="folder">The run's.</param>
    /// <param name="noted">What it wrote down (<see cref="Noted"/>).</param>
    /// <param name="given">What is set anew: names and values of settings on which no result depends.</param>
    /// <exception cref="AdjointException">Somebody wrote into the settings what is none.</exception>
    internal static SettingValues ReadSettings(
        string folder, IReadOnlyDictionary<string, string> noted, IEnumerable<KeyValuePair<string, string>> given)
    {
        var entries = noted.ToDictionary();
        // A misspelled name is refused: without it the run would go on with another value. The number of threads is
        // that of this machine.
        try
        {
            foreach (var name in (string[])[.. Notes, TrainSettings.Threads.Name]) entries.Remove(name);
            foreach (var (name, value) in given) entries[name] = value;
            return TrainSettings.Table.Read(entries, isNoted: true);
        }
        catch (SettingException problem)
        {
            var path = Path.Combine(folder, Settings);
            throw new AdjointException($"{path}: {problem.Message}; set it back to go on, or begin a new run");
        }
    }

    /// <summary>Whether a run was told to measure its best model on the test set at the end.</summary>
    internal static bool IsFinal(IReadOnlyDictionary<string, string> noted) =>
        noted.GetValueOrDefault("final") == "true";

    private static Dictionary<string, string> Entries(string path) =>
        JsonFile.Read(path, "the settings of a run, each a text", json =>
            json.EnumerateObject().ToDictionary(entry => entry.Name, entry =>
                entry.Value.ValueKind == JsonValueKind.String ? entry.Value.GetString()!
                : throw new FormatException($"'{entry.Name}' is no text; write its value in quotes")));

    // Empty, or of a run that was killed before it did anything: all that it wrote is written anew.
    private static bool IsUnused(string path) => Directory.EnumerateFileSystemEntries(path).Select(Path.GetFileName)
        .All(name => name is Settings or ".lock" or ".holder"
            || name!.StartsWith(".adjoint-", StringComparison.Ordinal));

    private static string Unused(string path)
    {
        var candidate = path;
        for (var number = 2; Path.Exists(candidate); number++) candidate = $"{path}-{number}";
        return candidate;
    }
}
