using Adjoint.Data;
using Adjoint.Experiments;

namespace Adjoint.Cli;

/// <summary>A run as it is listed, or what is wrong with it.</summary>
/// <param name="Name">The path within the folder that is listed; the folder's own name for that itself.</param>
/// <param name="Folder">The path as it can be given to another command.</param>
/// <param name="Record">What its folder tells; null where that is damaged.</param>
/// <param name="Problem">What is damaged, in one line; null where nothing is.</param>
internal sealed record ListedRun(string Name, string Folder, RecordedRun? Record, string? Problem)
{
    /// <summary>Where it stands, in a word.</summary>
    internal string State => Record is null ? "damaged" : Word(Record.State);

    internal string? this[string setting] => Record?[setting];

    /// <summary>The runs in a folder; one that is damaged is among them.</summary>
    /// <exception cref="AdjointException">There is no such folder, or it may not be read.</exception>
    internal static IReadOnlyList<ListedRun> In(string folder, bool recursive) =>
        [.. RecordedRun.Find(folder, recursive).Select(path => Read(path, NameOf(folder, path)))];

    /// <summary>A run that may be damaged, or be removed while it is read.</summary>
    internal static ListedRun Read(string folder, string name)
    {
        try
        {
            return new(name, folder, RecordedRun.Load(folder), null);
        }
        catch (Exception problem) when (problem is AdjointException or IOException or UnauthorizedAccessException)
        {
            return new(name, folder, null, problem.Message);
        }
    }

    internal static string Word(RunState state) => state switch
    {
        RunState.Running => "running",
        RunState.Interrupted => "interrupted",
        RunState.Complete => "complete",
        _ => "diverged",
    };

    private static string NameOf(string folder, string path) => Path.GetRelativePath(folder, path) is var name
        && name != "." ? name.Replace('\\', '/') : Path.GetFileName(Path.GetFullPath(path));
}
