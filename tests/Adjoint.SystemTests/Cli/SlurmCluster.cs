using System.Diagnostics;
using Adjoint.Cli;

namespace Adjoint.SystemTests.Cli;

/// <summary>
/// A real Slurm of one node on this machine, made by <c>tests/slurm/cluster</c>, and the tool beside it in processes of
/// their own, each on one thread.
/// </summary>
internal sealed class SlurmCluster : IDisposable
{
    private readonly string own;

    private SlurmCluster(string own, string folder) => (this.own, Folder) = (own, folder);

    /// <summary>An empty folder, on the disk that the node shares unless it is hidden from it.</summary>
    internal string Folder { get; }

    /// <summary>Starts it, or skips the test where there is no Slurm.</summary>
    /// <param name="isShared">Whether the node sees the folder of the tests.</param>
    internal static SlurmCluster Start(bool isShared = true)
    {
        if (!OperatingSystem.IsLinux() || Environment.UserName != "root")
            Assert.Skip("skipped: Slurm is started by root on Linux");
        foreach (var program in (string[])["/usr/sbin/slurmctld", "/usr/sbin/slurmd", "/usr/sbin/munged"])
            if (!File.Exists(program)) Assert.Skip($"skipped: no {program} (Debian: slurmctld slurmd munge)");
        var all = Directory.CreateTempSubdirectory("adjoint-").FullName;
        var cluster = new SlurmCluster(Path.Combine(all, "slurm"), Path.Combine(all, "work"));
        Directory.CreateDirectory(cluster.Folder);
        string[] hidden = isShared ? [] : [cluster.Folder];
        var (code, _, error) = cluster.Run(Script, ["start", cluster.own, .. hidden]);
        Assert.True(code == 0, error);
        return cluster;
    }

    private static string Script => Path.Combine(LayeringTests.Root(), "tests", "slurm", "cluster");

    /// <summary>Runs a command of Slurm, which succeeds.</summary>
    internal string Slurm(string command, params string[] arguments)
    {
        var (code, output, error) = Run(command, arguments);
        Assert.True(code == 0, $"{command} {string.Join(' ', arguments)}: {error}");
        return output;
    }

    /// <summary>Runs the tool.</summary>
    internal (int Code, string Output, string Error) Tool(params string[] arguments) =>
        Run("dotnet", [typeof(Tool).Assembly.Location, .. arguments]);

    /// <summary>Starts the tool.</summary>
    internal Process StartTool(params string[] arguments) =>
        Start("dotnet", [typeof(Tool).Assembly.Location, .. arguments]);

    /// <summary>Starts any program in the cluster's surroundings.</summary>
    internal Process Start(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Folder,
        };
        start.Environment["SLURM_CONF"] = Path.Combine(own, "slurm.conf");
        start.Environment["ADJOINT_THREADS"] = "1";
        return Process.Start(start)!;
    }

    /// <summary>Ends it, and asserts that no job and no process is left.</summary>
    internal void AssertNothingIsLeft()
    {
        Assert.Equal("", Slurm("squeue", "--noheader"));
        Assert.Empty(Processes());
    }

    public void Dispose()
    {
        Run(Script, ["stop", own]);
        foreach (var process in Processes())
            try
            {
                process.Kill();
            }
            catch (InvalidOperationException)
            {
                // It has just ended.
            }
        Directory.Delete(Path.GetDirectoryName(own)!, recursive: true);
    }

    // Workers, wherever they were started: their command lines have the folder.
    private Process[] Processes() =>
    [
        .. Process.GetProcesses().Where(process =>
        {
            try
            {
                return File.ReadAllText($"/proc/{process.Id}/cmdline").Contains(Folder, StringComparison.Ordinal);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                return false;
            }
        }),
    ];

    /// <summary>Runs any program in the cluster's surroundings.</summary>
    internal (int Code, string Output, string Error) Run(string program, params string[] arguments)
    {
        using var process = Start(program, arguments);
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        if (!process.WaitForExit(240_000))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{program} {string.Join(' ', arguments)}: still running");
        }
        return (process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
    }
}
