using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Adjoint.SystemTests.Mpi;

/// <summary>
/// The program of tests/Adjoint.RankProgram under mpirun. All processes of a run carry a mark in their environment, so
/// that what outlives it is found on whichever side, and ended, whatever a test throws.
/// </summary>
internal sealed partial class MpiRun : IDisposable
{
    internal const int Kill = 9, Stop = 19;

    private const string Mark = "ADJOINT_RANKS_MARK";

    // A hung mpirun must not hang the suite.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(100), Moment = TimeSpan.FromSeconds(10);

    private readonly string mark = Guid.NewGuid().ToString("N");
    private readonly List<string> lines = [];
    private readonly Process process;
    private readonly Stopwatch watch = Stopwatch.StartNew();

    private MpiRun(ProcessStartInfo start)
    {
        start.RedirectStandardOutput = start.RedirectStandardError = start.RedirectStandardInput = true;
        start.Environment[Mark] = mark;
        start.Environment["ADJOINT_THREADS"] = "1";
        // Open MPI gives ranks a terminal, on which .NET would begin with an escape sequence.
        start.Environment["TERM"] = "dumb";
        start.Environment["OMPI_ALLOW_RUN_AS_ROOT"] = start.Environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1";
        start.Environment["OMPI_MCA_rmaps_base_oversubscribe"] = "1";
        process = Process.Start(start)!;
        process.StandardInput.Close();
        process.OutputDataReceived += (_, line) => Add(line.Data);
        process.ErrorDataReceived += (_, line) => Add(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>The implementations, by what Debian calls their mpirun.</summary>
    public static TheoryData<string> Implementations => ["mpirun.openmpi", "mpirun.mpich"];

    /// <summary>The program to be started in ranks, without its arguments.</summary>
    internal static string[] Program => ["dotnet", Path.Combine(AppContext.BaseDirectory, "Adjoint.RankProgram.dll")];

    /// <summary>The process that was started.</summary>
    internal int Id => process.Id;

    /// <summary>What was written so far, by all ranks and by mpirun.</summary>
    internal string Text
    {
        get
        {
            lock (lines) return string.Join('\n', lines);
        }
    }

    /// <summary>Processes of this run that are there, mpirun and its daemons among them.</summary>
    internal (int Id, string Name)[] Left => [.. Marked(mark)];

    /// <summary>Starts ranks; skips the test where that mpirun is not installed.</summary>
    internal static MpiRun Start(string mpirun, int ranks, string[] arguments, params string[] options) =>
        Start(mpirun, ranks, arguments, new Dictionary<string, string>(), options);

    /// <summary>Starts ranks with an environment; skips the test where that mpirun is not installed.</summary>
    internal static MpiRun Start(
        string mpirun, int ranks, string[] arguments, Dictionary<string, string> environment, params string[] options)
    {
        if (!File.Exists($"/usr/bin/{mpirun}"))
            Assert.Skip($"skipped: no {mpirun}; install Debian's package "
                + (mpirun.EndsWith("mpich", StringComparison.Ordinal) ? "mpich" : "openmpi-bin"));
        return Start([mpirun, .. options, "-n", $"{ranks}", .. Program, .. arguments], environment);
    }

    /// <summary>Starts any command.</summary>
    internal static MpiRun Start(string[] command, Dictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(command[0], command[1..]);
        foreach (var (name, value) in environment) start.Environment[name] = value;
        return new(start);
    }

    /// <summary>Waits for a line that contains a text.</summary>
    internal string LineWith(string text)
    {
        while (true)
        {
            lock (lines)
                if (lines.FirstOrDefault(line => line.Contains(text, StringComparison.Ordinal)) is { } found)
                    return found;
            Assert.True(!process.HasExited || watch.Elapsed < Limit, $"ended without '{text}':\n{Text}");
            Assert.True(watch.Elapsed < Limit, $"no '{text}' in {Limit.TotalSeconds} s:\n{Text}");
            Thread.Sleep(10);
        }
    }

    /// <summary>Sends a signal to a rank, once all have begun.</summary>
    internal void Signal(int rank, int signal)
    {
        LineWith($"{rank} begins");
        Assert.Equal(0, Send(int.Parse(LineWith($"{rank} pid ").Split(' ')[2]), signal));
    }

    /// <summary>Waits for the end; a moment later none of its processes may be there.</summary>
    /// <returns>The exit code.</returns>
    internal int Wait()
    {
        Assert.True(process.WaitForExit(Limit), $"does not end in {Limit.TotalSeconds} s:\n{Text}");
        process.WaitForExit();
        var since = Stopwatch.StartNew();
        while (Left.Length > 0 && since.Elapsed < Moment) Thread.Sleep(20);
        Assert.True(Left.Length == 0, $"orphans: {string.Join(", ", Left)}\n{Text}");
        return process.ExitCode;
    }

    public void Dispose()
    {
        foreach (var (id, _) in Left) Send(id, Kill);
        process.Dispose();
    }

    /// <summary>Sends a signal to a process.</summary>
    [LibraryImport("libc", EntryPoint = "kill")]
    internal static partial int Send(int process, int signal);

    private static IEnumerable<(int Id, string Name)> Marked(string mark)
    {
        var wanted = Encoding.ASCII.GetBytes($"{Mark}={mark}");
        foreach (var folder in Directory.GetDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), out var id)) continue;
            string? name = null;
            try
            {
                if (File.ReadAllBytes($"{folder}/environ").AsSpan().IndexOf(wanted) >= 0)
                    name = File.ReadAllText($"{folder}/comm").Trim();
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // Ended meanwhile, or another user's.
            }
            if (name is not null) yield return (id, name);
        }
    }

    private void Add(string? line)
    {
        if (line is null) return;
        lock (lines) lines.Add(line.TrimEnd('\r'));
    }
}
