using System.Text.Json;
using Adjoint.Data;
using Adjoint.IO;

namespace Adjoint.Experiments;

/// <summary>Where a run stands.</summary>
public enum RunState
{
    /// <summary>A process trains in the run's folder.</summary>
    Running,

    /// <summary>The run was ended before its last epoch, and can go on.</summary>
    Interrupted,

    /// <summary>The run reached its end.</summary>
    Complete,

    /// <summary>The run ended by itself: its loss was not finite.</summary>
    Diverged,
}

/// <summary>A value of a measure, and the epoch after which it was measured.</summary>
/// <param name="Epoch">The number of the epoch; 0 is the network before training.</param>
/// <param name="Value">The value, always finite.</param>
public readonly record struct MeasuredValue(int Epoch, double Value);

/// <summary>
/// A run as its folder tells it: settings, the measures of every epoch, and where it stands. Runs of older versions are
/// read as well, and runs that are under way, whose files may end in half a line.
/// </summary>
public sealed record RecordedRun
{
    private const string SettingsFile = "settings.json", TrialsFolder = "trials";

    // What settings.json says beside the settings.
    private static readonly string[] Notes = ["final", "version", "runtime", "system", "command"];

    private RecordedRun(string folder, IReadOnlyList<(string Name, string Value)> settings, RunMetrics metrics) =>
        (Folder, Settings, Metrics) = (folder, settings, metrics);

    /// <summary>The path of the run's folder.</summary>
    public string Folder { get; }

    /// <summary>Name and value of each setting, in the order of the file, without notes about the machine.</summary>
    public IReadOnlyList<(string Name, string Value)> Settings { get; }

    /// <summary>What was measured, epoch by epoch.</summary>
    public RunMetrics Metrics { get; }

    /// <summary>Where the run stands.</summary>
    public required RunState State { get; init; }

    /// <summary>Why the run diverged, or null.</summary>
    public string? Problem { get; init; }

    /// <summary>When the run began: the time of its settings; null where it has none.</summary>
    public DateTime? Began { get; init; }

    /// <summary>The number of epochs that the run was asked for; null where its settings do not say.</summary>
    public int? EpochsAsked => int.TryParse(this["epochs"], out var epochs) && epochs >= 0 ? epochs : null;

    /// <summary>The measure by which the best epoch is chosen.</summary>
    public string Score => this["metric"] is { } own && Metrics.Names.Contains(own) ? own
        : MetricNames.Score(Metrics.Names);

    /// <summary>The best value of the score; null where none was measured.</summary>
    public MeasuredValue? Best => Metrics.Best(Score);

    /// <summary>The value of a setting; null where the run does not state it.</summary>
    /// <param name="setting">The name of the setting.</param>
    /// <returns>The value as it was written, or null.</returns>
    public string? this[string setting] =>
        Settings.Where(one => one.Name == setting).Select(one => one.Value).FirstOrDefault();

    /// <summary>Whether a folder is that of a run.</summary>
    /// <param name="folder">The path of the folder.</param>
    /// <returns>True if it holds settings or metrics of a run.</returns>
    public static bool IsRun(string folder) =>
        File.Exists(Path.Combine(folder, SettingsFile)) || File.Exists(Path.Combine(folder, RunMetrics.FileName));

    /// <summary>Whether a folder is that of a sweep, whose trials are runs.</summary>
    /// <param name="folder">The path of the folder.</param>
    /// <returns>True if it holds a folder of trials.</returns>
    public static bool IsSweep(string folder) => Directory.Exists(Path.Combine(folder, TrialsFolder));

    /// <summary>Reads the folder of a run.</summary>
    /// <param name="folder">The path of the folder.</param>
    /// <returns>What the folder tells now.</returns>
    /// <exception cref="DataFormatException">A file of the run is damaged.</exception>
    /// <exception cref="AdjointException">The folder is not that of a run.</exception>
    public static RecordedRun Load(string folder)
    {
        if (!IsRun(folder))
            throw new AdjointException(Directory.Exists(folder)
                ? $"{folder}: is not the folder of a run (it holds neither {SettingsFile} nor {RunMetrics.FileName}); "
                    + "adjoint runs lists those that are"
                : $"{folder}: no such folder; adjoint runs lists the runs");
        // The lock first: a run that ends meanwhile is found complete at the next look, never interrupted.
        var isRunning = FolderLock.IsTaken(folder);
        var settings = ReadSettings(folder, out var began);
        var metrics = RunMetrics.Load(folder);
        var result = TrialResult.Load(folder);
        var problem = result?.Problem ?? metrics.Problem;
        return new(folder, settings, metrics)
        {
            Began = began,
            Problem = problem,
            State = isRunning ? RunState.Running
                : problem is not null ? RunState.Diverged
                : result is not null || IsReported(folder) ? RunState.Complete : RunState.Interrupted,
        };
    }

    /// <summary>
    /// The folders of runs in a folder, in the order of their names: the folder itself if it is that of a run, else
    /// those in it. Trials of a sweep are runs too.
    /// </summary>
    /// <param name="folder">The path of the folder.</param>
    /// <param name="recursive">Whether to look into folders of folders too, such as sweeps.</param>
    /// <returns>The paths of the runs.</returns>
    /// <exception cref="AdjointException">There is no such folder, or it may not be read.</exception>
    public static IReadOnlyList<string> Find(string folder, bool recursive)
    {
        if (IsRun(folder)) return [folder];
        try
        {
            var inner = Directory.GetDirectories(folder).Where(path => new DirectoryInfo(path).LinkTarget is null)
                .Order(StringComparer.Ordinal).ToArray();
            return [.. inner.SelectMany(path =>
                IsRun(path) ? [path]
                // The folder of a sweep was meant by its name.
                : recursive || Path.GetFileName(path) == TrialsFolder ? Find(path, recursive) : [])];
        }
        catch (DirectoryNotFoundException)
        {
            throw new AdjointException($"{folder}: no such folder; adjoint train makes runs in runs/");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new AdjointException($"{folder}: cannot be read: {error.Message}", error);
        }
    }

    // Complete is what has a report and nothing left to go on from.
    private static bool IsReported(string folder) => File.Exists(Path.Combine(folder, "report.html"))
        && !Directory.EnumerateFiles(folder, "checkpoint-*.safetensors").Any();

    private static IReadOnlyList<(string, string)> ReadSettings(string folder, out DateTime? began)
    {
        var path = Path.Combine(folder, SettingsFile);
        began = null;
        if (!File.Exists(path)) return [];
        began = File.GetLastWriteTime(path);
        return JsonFile.Read(path, "the settings of a run, each a text", json =>
            json.EnumerateObject().Where(entry => !Notes.Contains(entry.Name)).Select(entry => (entry.Name,
                entry.Value.ValueKind == JsonValueKind.String ? entry.Value.GetString()!
                : throw new FormatException($"'{entry.Name}' is no text"))).ToArray());
    }
}
