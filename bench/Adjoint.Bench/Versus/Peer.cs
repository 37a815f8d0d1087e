using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace Adjoint.Bench;

/// <summary>A side's process, asked over its standard input as <see cref="Server"/> says.</summary>
internal sealed class Peer : IDisposable
{
    private readonly Process process;
    private readonly ConcurrentQueue<string> complaints;

    private Peer(string name, string version, Process process, ConcurrentQueue<string> complaints) =>
        (Name, Version, this.process, this.complaints) = (name, version, process, complaints);

    internal string Name { get; }

    internal string Version { get; }

    /// <summary>Starts it.</summary>
    /// <exception cref="PeerException">It does not start or does not load: says why.</exception>
    internal static Peer Start(string name, string program, ReadOnlySpan<string> arguments, string? preload = null)
    {
        var start = new ProcessStartInfo("dotnet", [program, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (preload is not null) start.Environment["LD_PRELOAD"] = preload;
        var process = Process.Start(start)!;
        var complaints = new ConcurrentQueue<string>();
        // Read all the time: a full pipe would stop the process.
        process.ErrorDataReceived += (_, line) =>
        {
            if (!string.IsNullOrWhiteSpace(line.Data) && complaints.Count < 100) complaints.Enqueue(line.Data);
        };
        process.BeginErrorReadLine();
        var greeting = process.StandardOutput.ReadLine();
        if (greeting?.Split(' ', 2) is ["ready", var version]) return new(name, version, process, complaints);
        if (!process.HasExited) process.Kill();
        process.WaitForExit();
        process.Dispose();
        throw new PeerException(greeting?.Split(' ', 2) is ["failed", var why] ? $"{name} does not load: {why}"
            : greeting is null ? $"{name} ended before it was ready: {First(complaints)}"
            : $"{program} does not serve as a side ('{greeting}'); bench/against COMMIT builds what does");
    }

    /// <summary>Milliseconds per repetition; null where it has no such work, or fails and that is said.</summary>
    /// <exception cref="PeerException">The process has ended.</exception>
    internal double? Measure(string workload, int threads, int repetitions)
    {
        string? answer = null;
        try
        {
            process.StandardInput.WriteLine($"{workload} {threads} {repetitions}");
            process.StandardInput.Flush();
            answer = process.StandardOutput.ReadLine();
        }
        catch (IOException)
        {
            // Its end of the pipe is closed: as no answer.
        }
        switch (answer?.Split(' ', 2))
        {
            case null:
                process.WaitForExit();
                var how = $"exit code {process.ExitCode}: {First(complaints)}";
                throw new PeerException($"{Name} ended at {workload} (threads: {threads}), {how}");
            case ["unknown"]:
                return null;
            case ["failed", var why]:
                Console.Error.WriteLine($"{Name} fails at {workload}: {why}");
                return null;
            case var words:
                return double.Parse(words[0], CultureInfo.InvariantCulture);
        }
    }

    /// <summary>
    /// Waits until none of its threads runs: libraries' idle threads spin for a while after work, and would be measured
    /// with the machine.
    /// </summary>
    internal void Rest()
    {
        if (ProcFiles.IsRunning(process.Id) is null) Thread.Sleep(20);
        for (var tries = 0; tries < 100 && ProcFiles.IsRunning(process.Id) is true; tries++) Thread.Sleep(2);
    }

    private static string First(ConcurrentQueue<string> complaints) =>
        complaints.TryPeek(out var line) ? line : "it said nothing";

    public void Dispose()
    {
        if (!process.HasExited)
        {
            process.StandardInput.Close();
            process.WaitForExit(5000);
        }
        process.Dispose();
    }
}

/// <summary>A side that does not start, or has ended.</summary>
internal sealed class PeerException(string message) : Exception(message);
