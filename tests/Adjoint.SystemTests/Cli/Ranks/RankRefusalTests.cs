using Adjoint.Cli;

namespace Adjoint.SystemTests.Cli;

/// <summary>
/// What is wrong is said once, in one line, whether it is wrong with all ranks or with one; nothing hangs.
/// </summary>
[Collection(Collections.Waiting)]
public sealed class RankRefusalTests : IDisposable
{
    private readonly RankedTool tool = new();

    public void Dispose() => tool.Dispose();

    [Fact]
    public void What_is_wrong_with_all_is_said_once()
    {
        using var run = RankedTool.By("mpirun.openmpi", 3, [.. RankedTool.Short, "--batch-size", "2"]);
        Assert.Equal(Tool.Usage, run.Wait());
        Assert.Equal("adjoint: --batch-size: 3 ranks cannot share batches of 2; use larger ones, or fewer ranks",
            Assert.Single(RankedTool.Messages(run)));
    }

    [Fact]
    public void Ranks_that_are_told_to_start_ranks_say_so_once()
    {
        using var run = RankedTool.By("mpirun.openmpi", 2, [.. RankedTool.Short, "--ranks", "2"]);
        Assert.Equal(Tool.Usage, run.Wait());
        Assert.Equal("adjoint: --ranks: mpirun has started 2 already; leave one of both out",
            Assert.Single(RankedTool.Messages(run)));
    }

    [Theory]
    [InlineData(Tool.Usage, "unknown option '--lrr'; did you mean '--lr'?", "--lrr", "0.1")]
    [InlineData(Tool.Failure, "--data nowhere.csv: no such file or folder; name a table, a text or a folder of images",
        "--data", "nowhere.csv")]
    public void What_is_wrong_with_one_names_it(int code, string message, params string[] arguments)
    {
        using var run = Two(RankedTool.Short, [.. RankedTool.Short, .. arguments]);
        Assert.Equal(code, run.Wait());
        Assert.Equal($"adjoint: rank 1 on {Environment.MachineName}: {message}",
            Assert.Single(RankedTool.Messages(run)));
    }

    [Fact]
    public void Ranks_with_other_settings_are_refused()
    {
        using var run = Two([.. RankedTool.Short, "--lr", "0.1"], [.. RankedTool.Short, "--lr", "0.2"]);
        AssertRefused(run, "--lr is 0.2, and 0.1 on rank 0 on");
    }

    [Fact]
    public void Ranks_of_another_version_are_refused()
    {
        using var run = Two(RankedTool.Short, RankedTool.Short, "ADJOINT_TEST_VERSION=9.9");
        AssertRefused(run, $"the version of Adjoint is 9.9, and {LibraryVersion.Text} on rank 0 on");
    }

    [Fact]
    public void Ranks_on_other_instructions_are_refused_with_the_remedy()
    {
        if (InstructionSet.Current != "v4") Assert.Skip("skipped: no AVX-512, which one rank would do without");
        using var run = Two(RankedTool.Short, RankedTool.Short, "DOTNET_EnableAVX512=0");
        AssertRefused(run, "computes with v3 instructions, and rank 0 on");
        Assert.Contains("--ranks 2 --instructions v3", run.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Ranks_with_other_data_are_refused()
    {
        var (one, other) = (tool.PathOf("one"), tool.PathOf("other"));
        foreach (var folder in (string[])[one, other])
        {
            Directory.CreateDirectory(folder);
            TinyMnist.Write(folder);
        }
        var labels = Path.Combine(other, "train-labels-idx1-ubyte");
        var bytes = File.ReadAllBytes(labels);
        bytes[^1] = (byte)((bytes[^1] + 1) % 10);
        bytes[8] = (byte)((bytes[8] + 1) % 10);
        File.WriteAllBytes(labels, bytes);
        string[] training = ["train", "--dataset", "mnist", "--batch-size", "4", "--timeout", "50", "--data-dir"];
        using var run = Two([.. training, one], [.. training, other]);
        AssertRefused(run, "the digest of the");
    }

    [Fact]
    public void Other_commands_are_for_one_process()
    {
        using var run = RankedTool.By("mpirun.mpich", 2, "ops");
        Assert.Equal(Tool.Usage, run.Wait());
        Assert.Equal("adjoint: ops is for one process, and mpirun started 2; leave mpirun out",
            Assert.Single(RankedTool.Messages(run)));
    }

    [Fact]
    public void A_library_that_is_not_there_is_said_once()
    {
        using var run = RankedTool.By("mpirun.openmpi",
            ["-n", "2", "env", "ADJOINT_MPI=/nowhere", .. RankedTool.Program, .. RankedTool.Short]);
        Assert.Equal(Tool.Failure, run.Wait());
        Assert.StartsWith("adjoint: ADJOINT_MPI names /nowhere, which does not exist",
            Assert.Single(RankedTool.Messages(run)), StringComparison.Ordinal);
    }

    private static void AssertRefused(Mpi.MpiRun run, string message)
    {
        Assert.Equal(Tool.Failure, run.Wait());
        var line = Assert.Single(RankedTool.Messages(run));
        Assert.StartsWith($"adjoint: rank 1 on {Environment.MachineName}", line, StringComparison.Ordinal);
        Assert.Contains(message, line, StringComparison.Ordinal);
    }

    // Two ranks, each with arguments of its own; the second also with a variable.
    private static Mpi.MpiRun Two(string[] first, string[] second, string variable = "ADJOINT_THREADS=1") =>
        RankedTool.By("mpirun.openmpi",
            ["-n", "1", .. RankedTool.Program, .. first, ":", "-n", "1", "env", variable, .. RankedTool.Program,
                .. second]);
}
