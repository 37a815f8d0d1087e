using System.Globalization;
using System.Text;
using Adjoint.Data;
using Adjoint.Experiments;
using Adjoint.Explorer;
using Adjoint.IO;

namespace Adjoint.Cli;

/// <summary>
/// The runs of a folder for the page that watches them. Their files are read again when they have changed; runs that
/// begin are found.
/// </summary>
/// <param name="folder">The folder of a run, or of runs.</param>
internal sealed class WatchedRuns(string folder) : IWatchedRuns
{
    private readonly List<Watched> runs = [];
    private readonly Lock gate = new();
    private readonly bool isOne = RecordedRun.IsRun(folder) || !HasRuns(folder);
    private bool wasUnderWay, isDelivered;

    /// <summary>
    /// Whether the one run that is watched has ended since: it is complete, or has diverged, and was not before. A
    /// folder of runs never ends.
    /// </summary>
    internal bool HasEnded { get; private set; }

    /// <summary>When the page asked last; null while it never did.</summary>
    internal DateTime? Asked { get; private set; }

    /// <summary>Whether a page has got the curves of the run that ended.</summary>
    internal bool IsDelivered
    {
        get
        {
            lock (gate) return isDelivered;
        }
    }

    /// <summary>The runs as they are now.</summary>
    /// <exception cref="AdjointException">The folder is gone, or may not be read.</exception>
    internal IReadOnlyList<ListedRun> Look()
    {
        lock (gate)
        {
            Refresh();
            return [.. runs.Select(run => run.Run)];
        }
    }

    public byte[] List()
    {
        lock (gate)
        {
            Asked = DateTime.UtcNow;
            Refresh();
            return Encoding.UTF8.GetBytes(RunJson.Text(json =>
            {
                json.WriteStartObject();
                json.WriteString("folder", Printable.Line(folder));
                json.WriteBoolean("isOne", isOne);
                json.WriteBoolean("hasEnded", HasEnded);
                json.WriteStartArray("runs");
                for (var id = 0; id < runs.Count; id++)
                {
                    if (runs[id].IsGone) continue;
                    RunJson.Begin(json, runs[id].Run);
                    json.WriteNumber("id", id);
                    json.WriteString("version", runs[id].Stamp);
                    json.WriteEndObject();
                }
                json.WriteEndArray();
                json.WriteEndObject();
            }));
        }
    }

    public byte[]? Run(int id)
    {
        lock (gate)
        {
            if (id < 0 || id >= runs.Count) return null;
            var (run, steps, ranks) = (runs[id].Run, runs[id].Steps, runs[id].Ranks);
            if (HasEnded) isDelivered = true;
            return Encoding.UTF8.GetBytes(RunJson.Text(json =>
            {
                RunJson.Begin(json, run);
                json.WriteString("version", runs[id].Stamp);
                if (run.Record is { } record) RunJson.Curves(json, record.Metrics);
                json.WriteStartArray("steps");
                foreach (var point in steps)
                {
                    json.WriteStartArray();
                    json.WriteNumberValue(Math.Round(point.Position, 5));
                    json.WriteNumberValue(point.Loss);
                    json.WriteEndArray();
                }
                json.WriteEndArray();
                RunJson.Ranks(json, ranks);
                json.WriteEndObject();
            }));
        }
    }

    private void Refresh()
    {
        IReadOnlyList<string> found = isOne ? [folder] : RecordedRun.Find(folder, recursive: false);
        foreach (var path in found.Where(path => runs.All(run => run.Folder != path)))
            runs.Add(new(path, Printable.Line(isOne ? Path.GetFileName(Path.GetFullPath(path))
                : Path.GetRelativePath(folder, path))));
        foreach (var run in runs)
        {
            run.IsGone = !found.Contains(run.Folder);
            if (!run.IsGone) run.Refresh();
        }
        if (!isOne) return;
        var hasEnded = runs[0].Run.Record?.State is RunState.Complete or RunState.Diverged;
        HasEnded = hasEnded && wasUnderWay;
        wasUnderWay |= !hasEnded;
    }

    // The folder of a run that has just begun holds nothing but its lock.
    private static bool HasRuns(string folder) =>
        !FolderLock.IsMarked(folder) && (RecordedRun.IsSweep(folder) || Directory.GetDirectories(folder).Length > 0);

    private sealed class Watched(string folder, string name)
    {
        internal string Folder => folder;
        internal string Stamp { get; private set; } = "";
        internal bool IsGone { get; set; }
        internal ListedRun Run { get; private set; } = new(name, folder, null, null);
        internal IReadOnlyList<StepLoss> Steps { get; private set; } = [];
        internal RankEpochs? Ranks { get; private set; }

        internal void Refresh()
        {
            // The files first: what changes while they are read is found at the next look.
            var stamp = StampOf(folder);
            if (stamp == Stamp) return;
            Run = RecordedRun.IsRun(folder) ? ListedRun.Read(folder, name)
                : new(name, folder, null, "has not begun yet");
            Run = Run with { Problem = Run.Problem is { } problem ? Printable.Line(problem) : null };
            try
            {
                Steps = StepLog.Read(folder);
            }
            catch (Exception damage) when (damage is DataFormatException or IOException)
            {
                // Not part of the run: without them the curves have fewer points.
                Steps = [];
            }
            Ranks = RankEpochs.Load(folder);
            Stamp = stamp;
        }

        // Names, lengths and times of the files, and whether the run is under way.
        private static string StampOf(string folder)
        {
            var hash = new HashCode();
            try
            {
                foreach (var file in new DirectoryInfo(folder).EnumerateFiles().OrderBy(file => file.Name))
                    hash.Add((file.Name, file.Length, file.LastWriteTimeUtc));
            }
            catch (IOException)
            {
                hash.Add("gone");
            }
            hash.Add(FolderLock.IsTaken(folder));
            return hash.ToHashCode().ToString("x8", CultureInfo.InvariantCulture);
        }
    }
}
