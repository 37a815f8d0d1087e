namespace Adjoint.Bench;

/// <summary>Starts the sides; one that is absent is said once, and the others go on.</summary>
internal static class Peers
{
    private const string Torch = "Adjoint.Bench.Torch", Onnx = "Adjoint.Bench.Onnx", Bench = "Adjoint.Bench";

    /// <summary>Ours first.</summary>
    internal static List<Peer> Start(VersusOptions options, IReadOnlyCollection<Workload> works, string models)
    {
        var itself = typeof(Peers).Assembly.Location;
        List<Peer> peers = [Peer.Start(Side.Ours, itself, ["serve"])];
        try
        {
            // What was asked for by name must be there.
            if (options.Against is { } folder) peers.Add(Peer.Start(Side.Before, Program(folder, Bench), ["serve"]));
        }
        catch
        {
            foreach (var peer in peers) peer.Dispose();
            throw;
        }
        if (options.Alone) return peers;
        Add(() => StartTorch(options.Torch));
        if (works.Any(work => work.Name.StartsWith("matmul-", StringComparison.Ordinal)))
            Add(() => Peer.Start(Side.OpenBlas, itself, ["serve", "openblas"]));
        if (works.Any(work => work.Name.Contains("-infer-", StringComparison.Ordinal)))
            Add(() =>
            {
                var program = options.Onnx is { } where ? Program(where, Onnx) : Find(Onnx);
                Inference.Export(models);
                return Peer.Start(Side.Onnx, program, [models]);
            });
        return peers;

        void Add(Func<Peer> start)
        {
            try
            {
                peers.Add(start());
            }
            catch (PeerException error)
            {
                Console.Error.WriteLine($"{error.Message}; going on without it");
            }
        }
    }

    private static Peer StartTorch(string? folder)
    {
        var program = folder is null ? Find(Torch) : Program(folder, Torch);
        var shim = Path.Combine(Path.GetDirectoryName(program)!, "libshim.so");
        return Peer.Start(Side.Torch, program, [], File.Exists(shim) ? shim : null);
    }

    // In the repository that this program, or else the current folder, lies in.
    private static string Find(string project)
    {
        foreach (var start in (string[])[AppContext.BaseDirectory, Directory.GetCurrentDirectory()])
            for (var folder = new DirectoryInfo(start); folder is not null; folder = folder.Parent)
                if (Directory.Exists(Path.Combine(folder.FullName, "bench", project)))
                    return Program(folder.FullName, project);
        throw new PeerException($"there is no bench/{project} above {AppContext.BaseDirectory}");
    }

    // A folder of the build's output, or the repository that it belongs to.
    private static string Program(string folder, string project)
    {
        var build = Path.Combine("bench", project, "bin", "Release", "net10.0");
        string[] places = ["", build, Path.Combine(build, "linux-x64")];
        return places.Select(place => Path.GetFullPath(Path.Combine(folder, place, $"{project}.dll")))
            .FirstOrDefault(File.Exists) ?? throw new PeerException(
                $"{project} is not built in {folder}, nor in its {build}; build it: {HowToBuild(project)}");
    }

    private static string HowToBuild(string project) => project switch
    {
        Torch => $"dotnet build -c Release bench/{project}, or on Debian 12 bench/{project}/on-debian12",
        Bench => "bench/against COMMIT",
        _ => $"dotnet build -c Release bench/{project}",
    };
}
