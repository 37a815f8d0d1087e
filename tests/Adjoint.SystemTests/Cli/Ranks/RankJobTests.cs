using System.Text;
using Adjoint.Cli;

namespace Adjoint.SystemTests.Cli;

/// <summary>What the launcher makes of its mpirun, which is a script here: no MPI is needed.</summary>
public sealed class RankJobTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("--lr=0.1", "--lr: --resume takes the settings of the run's folder; leave it out")]
    [InlineData("--out=b", "--out: --resume takes the settings of the run's folder; leave it out")]
    public void Ranks_that_go_on_with_a_run_take_no_other_settings(string option, string message) =>
        Assert.Equal($"adjoint: {message}", ToolRun.Refused("train", "--resume=a", option, "--ranks=2"));

    [Fact]
    public void Ranks_are_told_all_that_the_launcher_was_told()
    {
        var said = Path.Combine(folder, "said");
        Launch($"printf '%s|' \"$@\" > '{said}'; exit 1", "--debug", "train", "--resume=a b", "--final", "--quiet",
            "--tensorboard");
        Assert.EndsWith("|train|--debug|--final|--quiet|--tensorboard|--resume=a b|", File.ReadAllText(said),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_restart_goes_on_from_the_folder_that_rank_0_named()
    {
        var said = Path.Combine(folder, "said");
        var status = new RankStatus { Event = RankEvent.Folder, Rank = 0, Text = "c d" };
        var (code, _, error) = Launch(
            $"echo \"${{@: -3}}\" >> '{said}'; echo '{RankWriter.Status}{status}' >&2; exit 1",
            "train", "--lr=0.5", "--out=c d", "--quiet", "--restarts=1");
        Assert.Equal(Tool.Failure, code);
        Assert.Equal(["--lr=0.5 --out=c d --quiet", "train --quiet --resume=c d"], File.ReadAllLines(said));
        Assert.Contains("; to go on: adjoint train --resume 'c d' --ranks 2", error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_result_that_cannot_be_written_ends_in_one_line_and_stops_nothing()
    {
        var end = Path.Combine(folder, "end");
        var script = Script($"for i in $(seq 20000); do echo '{RankWriter.Message}a result'; done; touch '{end}'");
        using var output = new FullWriter();
        using var error = new StringWriter();
        Assert.Equal(Tool.Failure, Tool.Run(["train", "--ranks=2", "--mpirun", script], output, error));
        Assert.Equal("adjoint: No space left on device\n", error.ToString());
        Assert.True(File.Exists(end), "the ranks waited for somebody to read what they wrote");
    }

    [Fact]
    public void An_mpirun_that_starts_nothing_and_waits_is_ended()
    {
        var job = new RankJob(Mpirun.Find(Script("sleep 1000")), 2, ["true"], TimeSpan.FromSeconds(0.2),
            isDebug: false, TextWriter.Null, TextWriter.Null);
        Assert.NotEqual(0, job.Run(TestContext.Current.CancellationToken));
        Assert.True(job.IsLate);
    }

    [Fact]
    public void An_mpirun_that_fails_is_quoted_with_what_shows_why()
    {
        var (code, _, error) = Launch("echo; echo '== no such host =='; exit 3", "train", "--quiet");
        var mpirun = Path.Combine(folder, "mpirun");
        Assert.Equal((Tool.Failure, $"adjoint: {mpirun} could not start the ranks (exit code 3); "
            + $"{mpirun} -n 2 hostname shows whether it works\n  no such host\n"), (code, error));
    }

    [Fact]
    public void Lines_are_written_whole()
    {
        using var stream = new Writes();
        using var writer = new RankWriter(stream);
        var (text, status) = (new string('x', 5000), $"{RankWriter.Status}{{}}");
        writer.Write(text);
        writer.WriteLine(status);
        writer.WriteLine("y");
        Assert.Equal([$"{status}\n", $"{RankWriter.Message}{text}y\n"], stream.All);
    }

    private (int Code, string Output, string Error) Launch(string body, params string[] arguments) =>
        ToolRun.Of([.. arguments, "--ranks=2", $"--mpirun='{Script(body)}'"]);

    // An mpirun that does what a test wants.
    private string Script(string body)
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("skipped: a script of Unix");
        var path = Path.Combine(folder, "mpirun");
        File.WriteAllText(path, $"#!/bin/bash\n[ \"$1\" = --version ] && exit\n{body}\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return path;
    }

    // A disk without room.
    private sealed class FullWriter : TextWriter
    {
        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value) => throw new IOException("No space left on device");
    }

    private sealed class Writes : MemoryStream
    {
        internal List<string> All { get; } = [];

        public override void Write(ReadOnlySpan<byte> buffer) => All.Add(Encoding.UTF8.GetString(buffer));

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));
    }
}
