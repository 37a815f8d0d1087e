using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Adjoint.Kernels;

namespace Adjoint.Bench;

/// <summary>
/// Ours against libtorch's, alternating in one run, medians of the rounds. A ratio compares libtorch at its better number of
/// threads with ours at the same or fewer.
/// </summary>
internal static class Versus
{
    private sealed record Row(string Workload, int Threads, double OursMs, double? PeerMs, double? Ratio, double? Gflops, double? FractionOfPeak, double? GigabytesPerSecond, double Goal);

    internal static int Run(string[] args)
    {
        var asJson = args.Contains("--json");
        var only = Value(args, "--only")?.Split(',');
        var rounds = int.Parse(Value(args, "--rounds") ?? "15", CultureInfo.InvariantCulture);
        var folder = Value(args, "--peer") ?? Path.Combine(AppContext.BaseDirectory, "../../../../Adjoint.Bench.Torch/bin/Release/net10.0/linux-x64");
        using var peer = args.Contains("--alone") ? null : Peer.Start(folder);
        if (peer is null && !args.Contains("--alone"))
            Console.Error.WriteLine($"no peer in {folder}: measuring ours alone; build it with `dotnet build -c Release bench/Adjoint.Bench.Torch`");
        var (peak, bandwidth) = (MachineLimits.PeakFlops(), MachineLimits.Bandwidth());
        Console.Error.WriteLine(FormattableString.Invariant($"{Processor()}, {RuntimeInformation.FrameworkDescription}, {peer?.Version ?? "no peer"}; one core: {peak / 1e9:0} GFLOP/s, {bandwidth / 1e9:0.0} GB/s"));
        var counts = Environment.ProcessorCount > 1 ? (int[])[1, 2] : [1];
        var rows = Workload.All.Where(work => only is null || only.Any(work.Name.StartsWith)).SelectMany(work => Measure(work, counts, rounds, peer, peak)).ToArray();
        if (asJson) Console.WriteLine(ToJson(rows));
        else Print(rows);
        return 0;
    }

    private static IEnumerable<Row> Measure(Workload work, int[] counts, int rounds, Peer? peer, double peak)
    {
        var run = work.Create();
        var (ours, theirs) = (counts.ToDictionary(threads => threads, _ => new List<double>()), counts.ToDictionary(threads => threads, _ => new List<double>()));
        var repetitions = Repetitions(run);
        if (work.Flops > 1e11) rounds = Math.Min(rounds, 3);
        for (var round = 0; round < rounds; round++)
            foreach (var threads in counts)
            {
                Workers.ThreadCount = threads;
                run();
                var start = Stopwatch.GetTimestamp();
                for (var i = 0; i < repetitions; i++) run();
                ours[threads].Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds / repetitions);
                // Both sides' idle threads spin for a while after work: let them come to rest.
                Thread.Sleep(5);
                if (peer is not null) theirs[threads].Add(peer.Measure(work.PeerName, threads, repetitions));
                Thread.Sleep(5);
            }
        double? best = peer is null ? null : counts.Min(threads => Median(theirs[threads]));
        foreach (var threads in counts)
        {
            var ms = Median(ours[threads]);
            yield return new(work.Name, threads, ms, peer is null ? null : Median(theirs[threads]), best / ms,
                work.Flops > 0 ? work.Flops / ms / 1e6 : null, work.Flops > 0 ? work.Flops / ms * 1000 / peak / threads : null, work.Bytes > 0 ? work.Bytes / ms / 1e6 : null, work.Goal);
        }
    }

    // Enough for about 30 ms.
    private static int Repetitions(Action run)
    {
        for (var i = 0; i < 3; i++) run();
        var start = Stopwatch.GetTimestamp();
        run();
        return Math.Clamp((int)(30 / Stopwatch.GetElapsedTime(start).TotalMilliseconds), 1, 1000);
    }

    private static double Median(List<double> values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private static void Print(Row[] rows)
    {
        Console.WriteLine("| work | threads | ours ms | libtorch ms | libtorch's best / ours | goal | GFLOP/s | of peak | GB/s |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|---|");
        foreach (var row in rows)
            Console.WriteLine(FormattableString.Invariant($"| {row.Workload} | {row.Threads} | {row.OursMs:0.000} | {row.PeerMs:0.000} | {row.Ratio:0.00} | {row.Goal:0.0} | {row.Gflops:0} | {row.FractionOfPeak:0.00} | {row.GigabytesPerSecond:0.0} |"));
    }

    private static string ToJson(Row[] rows)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartArray();
            foreach (var row in rows)
            {
                json.WriteStartObject();
                json.WriteString("workload", row.Workload);
                json.WriteNumber("threads", row.Threads);
                json.WriteNumber("oursMs", row.OursMs);
                foreach (var (name, value) in (ReadOnlySpan<(string, double?)>)[("peerMs", row.PeerMs), ("ratio", row.Ratio), ("gflops", row.Gflops), ("fractionOfPeak", row.FractionOfPeak), ("gigabytesPerSecond", row.GigabytesPerSecond)])
                    if (value is { } number) json.WriteNumber(name, number);
                    else json.WriteNull(name);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        return System.Text.Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static string? Value(string[] args, string name) => Array.IndexOf(args, name) is var at && at >= 0 && at + 1 < args.Length ? args[at + 1] : null;

    private static string Processor() => File.Exists("/proc/cpuinfo")
        ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(": ")[1] ?? "unknown processor"
        : RuntimeInformation.ProcessArchitecture.ToString();
}
