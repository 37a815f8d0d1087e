using Adjoint.Cli;
using Adjoint.SystemTests.Mpi;

namespace Adjoint.SystemTests.Cli;

/// <summary>
/// The bits of a training depend on its shards, and not on the number of ranks, or on what starts them.
/// </summary>
[Collection(Collections.Waiting)]
public sealed class RankedTrainingTests : IDisposable
{
    private readonly RankedTool tool = new();

    public void Dispose() => tool.Dispose();

    public static TheoryData<string, int> Worlds()
    {
        var all = new TheoryData<string, int>();
        foreach (var mpirun in MpiRun.Implementations)
            for (var ranks = 1; ranks <= 4; ranks++) all.Add(mpirun.Data, ranks);
        return all;
    }

    [Theory, MemberData(nameof(Worlds))]
    public void Any_number_of_ranks_gives_the_bits_of_one_process(string mpirun, int ranks)
    {
        if (!RankedTool.IsLong && (mpirun, ranks) is not (("mpirun.openmpi", 2) or ("mpirun.mpich", 3)))
            Assert.Skip("skipped: a step of .ci/run --long; set ADJOINT_LONG=1 to run it");
        // Dropout draws random numbers, and a batch norm has running means.
        TinyMnist.Write(tool.Folder);
        string[][] trainings =
        [
            ["--dataset", "brackets", "--layers", "1", "--width", "16", "--dropout", "0.1"],
            ["--dataset", "mnist", "--data-dir", tool.Folder, "--model", "lenet5", "--batch-size", "24",
                "--data-share", "1", "--ema", "0"],
        ];
        if (!RankedTool.IsLong) trainings = [trainings[ranks % 2]];
        foreach (var (training, number) in trainings.Zip(["first", "second"]))
        {
            string[] line = [.. RankedTool.Short, .. training];
            if (training.Contains("--data-share")) line = [.. line.Where((_, i) => i is not (1 or 2))];
            var (expected, digest) = tool.Alone(number, [.. line, "--shards", "12"]);
            string[] shards = ranks == 1 ? ["--shards", "12"] : [];
            using var run = RankedTool.By(mpirun, ranks,
                [.. line, .. shards, "--json", "--out", tool.PathOf($"{number} ranks")]);
            Assert.Equal(0, run.Wait());
            var result = RankedTool.Json(run);
            Assert.Equal((ranks, 12),
                (result.GetProperty("world").GetInt32(), result.GetProperty("shards").GetInt32()));
            Assert.Equal(RankedTool.Measures(expected), RankedTool.Measures(result));
            Assert.Equal(digest, tool.Digest($"{number} ranks"));
        }
    }

    [Fact]
    public void The_launcher_starts_ranks_that_say_what_they_did()
    {
        string[] training = [.. RankedTool.Short, "--schedule", "cosine", "--clip", "1", "--ema", "0.9", "--patience",
            "5", "--profile", "--tensorboard"];
        var (expected, digest) = tool.Alone("alone", [.. training, "--shards", "12"]);
        using var run = RankedTool.Launch("mpirun.openmpi", 2, [.. training, "--json", "--out", tool.PathOf("a run")]);
        Assert.Equal(0, run.Wait());
        Assert.Equal(RankedTool.Measures(expected), RankedTool.Measures(RankedTool.Json(run)));
        Assert.Equal(digest, tool.Digest("a run"));
        Assert.Equal(Files("alone"), Files("a run"));
        Assert.Contains("2 ranks, 12 shards; each with 1 thread", run.Text, StringComparison.Ordinal);
        var lines = File.ReadAllLines(tool.PathOf("a run/ranks.jsonl"));
        Assert.Equal(2, lines.Length);
        Assert.All(lines, line => Assert.Contains("\"rank\":1,\"host\":", line, StringComparison.Ordinal));
        var settings = File.ReadAllText(tool.PathOf("a run/settings.json"));
        Assert.Contains("\"shards\": \"12\"", settings, StringComparison.Ordinal);
        Assert.Contains("\"ranks\": \"2 ranks\"", settings, StringComparison.Ordinal);
        Assert.Contains("<td>ranks</td><td>2 ranks</td>", File.ReadAllText(tool.PathOf("a run/report.html")),
            StringComparison.Ordinal);

        IEnumerable<string> Files(string name) => Directory.GetFileSystemEntries(tool.PathOf(name))
            .Select(path => Path.GetFileName(path)!).Order();
    }

    [Fact]
    public void Another_number_of_ranks_goes_on_with_the_same_bits()
    {
        if (!RankedTool.IsLong) Assert.Skip("skipped: a step of .ci/run --long; set ADJOINT_LONG=1 to run it");
        // Epochs of milliseconds, so many that the signal finds the run at work.
        string[] line = [.. RankedTool.Short[..3], "--epochs", "400"];
        var (_, digest) = tool.Alone("alone", [.. line, "--shards", "12"]);
        string[] folder = ["--out", tool.PathOf("run")];
        foreach (var (ranks, reached) in ((int, string)[])[(4, "epoch   2/"), (2, "epoch ")])
        {
            string[] begin = folder[0] == "--out" ? line : ["train"];
            using var run = RankedTool.Launch("mpirun.openmpi", ranks, [.. begin, .. folder]);
            run.LineWith(reached);
            Assert.Equal(0, MpiRun.Send(run.Id, 2));
            Assert.Equal(Tool.Interrupted, run.Wait());
            Assert.Contains($"to go on: adjoint train --resume {tool.PathOf("run")} --ranks {ranks}", run.Text,
                StringComparison.Ordinal);
            folder = ["--resume", tool.PathOf("run")];
        }
        using var last = RankedTool.Launch("mpirun.mpich", 3, ["train", .. folder]);
        Assert.Equal(0, last.Wait());
        Assert.Equal(digest, tool.Digest("run"));
    }
}
