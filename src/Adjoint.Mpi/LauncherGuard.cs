using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Adjoint.Mpi;

/// <summary>
/// Ends the launcher's processes on this machine, where they do not end with their ranks. mpirun and its daemons tell
/// each other when a rank has failed, and wait for an answer; where the network between them is cut, they wait for
/// many minutes, or for good. They serve this one job, so they have nothing to wait for once its ranks are gone.
/// </summary>
/// <remarks>
/// Only the nearest launcher above this process is meant, with its own parent where that is one, too (MPICH's mpirun
/// has a daemon between), each known by its id and its time of start. Slurm's daemons are not among them.
/// </remarks>
internal sealed partial class LauncherGuard
{
    private static readonly string[] Names =
    [
        "orted", "orterun", "hydra_pmi_proxy", "mpirun", "mpiexec", "mpirun.openmpi", "mpiexec.openmpi", "mpirun.mpich",
        "mpiexec.mpich", "mpiexec.hydra", "mpirun.hydra",
    ];

    // For each process its id, its time of start, and the signal to begin with. Waits 3 s for all to end, asks them to,
    // which those that wait for an answer do not heed, and ends them.
    private const string Script = """
        exec < /dev/null > /dev/null 2>&1
        trap '' HUP INT TERM
        there() {
            read -r line < "/proc/$1/stat" || return 1
            set -- "$1" "$2" ${line##*) }
            [ "${22}" = "$2" ]
        }
        each() { action=$1; shift; for one; do $action ${one}; done; }
        any() { for one; do set -- ${one}; there "$1" "$2" && return 0; done; return 1; }
        first() { there "$1" "$2" && kill "-$3" "$1"; }
        last() { there "$1" "$2" && kill -KILL "$1"; }
        for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do any "$@" || exit; sleep 0.2; done
        each first "$@"; sleep 1; each last "$@"
        """;

    private const int SetFlags = 2, CloseOnExec = 1;

    private readonly string[] launchers;
    private int armed;

    /// <summary>Notes who started this process, while it is known.</summary>
    /// <param name="family">Whose launcher it is.</param>
    internal LauncherGuard(MpiFamily family) =>
        launchers = OperatingSystem.IsLinux() ? [.. Launchers(family).Reverse()] : [];

    /// <summary>Leaves a watcher behind that ends them, unless they end by themselves: this process ends now.</summary>
    internal void Arm()
    {
        if (launchers.Length == 0 || Interlocked.Exchange(ref armed, 1) == 1) return;
        // What tells MPICH's daemon that a rank has ended is that nobody has its socket any more.
        foreach (var number in OpenFiles.Numbers().Where(number => number > 2))
            _ = SetFileFlags(number, SetFlags, CloseOnExec);
        try
        {
            // A session of its own: launchers end the process groups of their ranks.
            using var watcher = Process.Start("setsid", ["sh", "-c", Script, "watcher", .. launchers]);
        }
        catch (Win32Exception)
        {
            // No setsid, or no more processes: the launcher waits for as long as it does without this package.
        }
    }

    // The nearest one, through shells and wrappers, and from there on each next one.
    private static IEnumerable<string> Launchers(MpiFamily family)
    {
        var isFound = false;
        for (var (id, depth) = (Environment.ProcessId, 0); id > 1 && depth < 16; depth++)
        {
            if (Read(id) is not { } process) yield break;
            var isLauncher = Names.Contains(process.Name);
            // MPICH's mpirun exits with 0 when it is asked to end after its ranks.
            if (isLauncher)
                yield return $"{id} {process.Start} "
                    + (family == MpiFamily.OpenMpi || process.Name == "hydra_pmi_proxy" ? "TERM" : "KILL");
            else if (isFound) yield break;
            (isFound, id) = (isLauncher, process.Parent);
        }
    }

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int SetFileFlags(int file, int command, int flags);

    // "17 (name) S 1 …": the name may have anything in it, the parent is two fields behind it, the start 20.
    private static (string Name, int Parent, string Start)? Read(int id)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{id}/stat");
            var (open, close) = (text.IndexOf('('), text.LastIndexOf(')'));
            var fields = text[(close + 2)..].Split(' ');
            return (text[(open + 1)..close], int.Parse(fields[1], CultureInfo.InvariantCulture), fields[19]);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
