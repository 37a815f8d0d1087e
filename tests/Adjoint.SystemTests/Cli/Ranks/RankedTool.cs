using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Adjoint.Cli;
using Adjoint.SystemTests.Mpi;

namespace Adjoint.SystemTests.Cli;

/// <summary>The tool in several processes, by mpirun or by its own launcher, in a folder that is removed.</summary>
internal sealed class RankedTool : IDisposable
{
    // A short training, on a machine that may be busy with others.
    internal static readonly string[] Short = ["train", "--data-share", "0.01", "--epochs", "2", "--timeout", "50"];

    internal string Folder { get; } = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    /// <summary>Whether the longer tests were asked for.</summary>
    internal static bool IsLong => Environment.GetEnvironmentVariable("ADJOINT_LONG") is not null;

    /// <summary>The command of the tool.</summary>
    internal static string[] Program => ["dotnet", typeof(Tool).Assembly.Location];

    internal string PathOf(string name) => Path.Combine(Folder, name);

    /// <summary>Starts ranks by mpirun; skips the test where it is not installed.</summary>
    internal static MpiRun By(string mpirun, int ranks, params string[] arguments) =>
        By(mpirun, ["-n", $"{ranks}", .. Program, .. arguments]);

    /// <summary>Starts what mpirun is told to; skips the test where it is not installed.</summary>
    internal static MpiRun By(string mpirun, IReadOnlyList<string> line)
    {
        Require(mpirun);
        return MpiRun.Start([mpirun, .. line], []);
    }

    /// <summary>Starts the launcher; skips the test where its mpirun is not installed.</summary>
    internal static MpiRun Launch(string mpirun, int ranks, params string[] arguments)
    {
        Require(mpirun);
        return MpiRun.Start([.. Program, .. arguments, "--ranks", $"{ranks}", "--mpirun", mpirun], []);
    }

    /// <summary>The process of a rank.</summary>
    internal static int ProcessOf(MpiRun run, int rank)
    {
        var wanted = new[] { $"OMPI_COMM_WORLD_RANK={rank}", $"PMI_RANK={rank}" };
        return run.Left.Single(one => one.Name == "dotnet"
            && File.ReadAllText($"/proc/{one.Id}/environ").Split('\0').Intersect(wanted).Any()).Id;
    }

    /// <summary>Runs in one process, and returns the JSON and the digest of its models.</summary>
    internal (JsonElement Result, string Digest) Alone(string name, params string[] arguments)
    {
        using var run = MpiRun.Start([.. Program, .. arguments, "--json", "--quiet", "--out", PathOf(name)], []);
        Assert.True(run.Wait() == 0, run.Text);
        return (Json(run), Digest(name));
    }

    /// <summary>The one JSON object that a run printed.</summary>
    internal static JsonElement Json(MpiRun run) => JsonDocument.Parse(
        Assert.Single(run.Text.Split('\n'), line => line.StartsWith('{'))).RootElement;

    /// <summary>The lines of the tool's own messages.</summary>
    internal static string[] Messages(MpiRun run) =>
        [.. run.Text.Split('\n').Where(line => line.StartsWith("adjoint: ", StringComparison.Ordinal))];

    /// <summary>SHA-256 of the best and the last model of a run.</summary>
    internal string Digest(string name) => string.Join(' ', ((string[])["best", "last"]).Select(model =>
        Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(PathOf($"{name}/{model}.safetensors"))))));

    /// <summary>The measures of a run's epochs, without how long they took.</summary>
    internal static string Measures(JsonElement result) => string.Join('\n', result.GetProperty("epochs")
        .EnumerateArray().Select(epoch => string.Join(' ', epoch.EnumerateObject()
            .Where(one => one.Name != "seconds").Select(one => one.Value.GetRawText()))));

    private static void Require(string mpirun)
    {
        if (!File.Exists($"/usr/bin/{mpirun}"))
            Assert.Skip($"skipped: no {mpirun}; install Debian's package "
                + (mpirun.EndsWith("mpich", StringComparison.Ordinal) ? "mpich" : "openmpi-bin"));
    }
}
