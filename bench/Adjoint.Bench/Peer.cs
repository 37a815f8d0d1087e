using System.Diagnostics;
using System.Globalization;

namespace Adjoint.Bench;

/// <summary>The peer's process: libtorch, asked over its standard input.</summary>
internal sealed class Peer : IDisposable
{
    private readonly Process process;

    private Peer(Process process, string version) => (this.process, Version) = (process, version);

    internal string Version { get; }

    /// <summary>Starts it, or returns null where it has not been built or does not load.</summary>
    internal static Peer? Start(string folder)
    {
        var program = Path.Combine(folder, "Adjoint.Bench.Torch.dll");
        if (!File.Exists(program)) return null;
        var start = new ProcessStartInfo("dotnet", [program]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        if (File.Exists(Path.Combine(folder, "libshim.so"))) start.Environment["LD_PRELOAD"] = Path.GetFullPath(Path.Combine(folder, "libshim.so"));
        var process = Process.Start(start)!;
        if (process.StandardOutput.ReadLine() is { } version) return new(process, version);
        Console.Error.WriteLine($"the peer did not start: {process.StandardError.ReadToEnd().Split('\n').FirstOrDefault(line => line.Length > 0)}");
        return null;
    }

    /// <summary>Milliseconds per repetition.</summary>
    internal double Measure(string workload, int threads, int repetitions)
    {
        process.StandardInput.WriteLine($"{workload} {threads} {repetitions}");
        return process.StandardOutput.ReadLine() is { } answer
            ? double.Parse(answer, CultureInfo.InvariantCulture)
            : throw new InvalidOperationException($"the peer ended at {workload}: {process.StandardError.ReadToEnd()}");
    }

    public void Dispose()
    {
        process.StandardInput.Close();
        process.WaitForExit(5000);
        process.Dispose();
    }
}
