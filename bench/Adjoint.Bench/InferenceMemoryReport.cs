using System.Diagnostics;
using System.Globalization;
using System.Runtime;
using Adjoint.Memory;
using Adjoint.Nn;

namespace Adjoint.Bench;

/// <summary>
/// What a process holds that computes forwards of a small convolutional network without gradients (batch 128, about
/// 8 MB of tensors each), and how long the collector stops it. With <c>--ops</c> they are written as ops, so that all
/// that they make is left to the collector; else as a <see cref="Sequential"/>, which hands back all but its result.
/// <c>--beside-gigabytes</c> keeps so much of other small objects alive, <c>--forwards</c> says how many.
/// </summary>
internal static class InferenceMemoryReport
{
    internal static int Run(ReadOnlySpan<string> args)
    {
        var (forwards, gigabytes, isOps) = (20_000, 0.0, false);
        for (var i = 0; i < args.Length; i++)
            switch (args[i])
            {
                case "--ops": isOps = true; break;
                case "--forwards" when i + 1 < args.Length:
                    forwards = int.Parse(args[++i], CultureInfo.InvariantCulture);
                    break;
                case "--beside-gigabytes" when i + 1 < args.Length:
                    gigabytes = double.Parse(args[++i], CultureInfo.InvariantCulture);
                    break;
                default:
                    Console.Error.WriteLine(
                        $"inference: [--ops] [--forwards n] [--beside-gigabytes g]: found {args[i]}");
                    return 2;
            }
        var others = Others(gigabytes);
        var concurrent = GCSettings.LatencyMode == GCLatencyMode.Interactive ? "concurrent" : "not concurrent";
        Console.WriteLine(FormattableString.Invariant(
            $"{(isOps ? "ops" : "network")}, beside {gigabytes} GB of small objects; collector {concurrent}\n"));
        Measure(isOps, forwards);
        GC.KeepAlive(others);
        return 0;
    }

    private static void Measure(bool isOps, int forwards)
    {
        var random = new Generator(1);
        var model = new Sequential(
            new Conv2d(1, 8, 5, new() { Generator = random }), new Relu(), new MaxPool2d(2),
            new Conv2d(8, 16, 5, new() { Generator = random }), new Relu(), new MaxPool2d(2),
            new Flatten(), new Linear(256, 128, generator: random), new Relu(), new Linear(128, 10, generator: random));
        var w = model.Eval().Parameters().ToArray();
        var x = Tensor.Randn([128, 1, 28, 28], random);
        Tensor Forward() => !isOps
            ? model.Forward(x)
            : (x.Conv2d(w[0], w[1]).Relu().MaxPool2d(2).Conv2d(w[2], w[3]).Relu().MaxPool2d(2).Flatten(1)
                .MatMul(w[4].Transpose()) + w[5]).Relu().MatMul(w[6].Transpose()) + w[7];

        Console.WriteLine("| forwards | process MB | tensors and pool MB | the most | collections of age 0, 1, 2 "
            + "| pauses ms | longest | longest forward ms | ms a forward |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|---|");
        using var noGrad = new NoGrad();
        // The first are compiled, and the first collection meets what making the others left over.
        for (var i = 0; i < 100; i++) Forward();
        var (before, paused) = (GC.GetGCMemoryInfo(GCKind.Any).Index, GC.GetTotalPauseDuration());
        int[] counts = [GC.CollectionCount(0), GC.CollectionCount(1), GC.CollectionCount(2)];
        var (most, longestPause, longest) = (0L, TimeSpan.Zero, TimeSpan.Zero);
        var start = Stopwatch.GetTimestamp();
        var seen = counts[0];
        for (var i = 1; i <= forwards; i++)
        {
            var begin = Stopwatch.GetTimestamp();
            Forward();
            if (Stopwatch.GetElapsedTime(begin) is var taken && taken > longest) longest = taken;
            most = Math.Max(most, BufferPool.RentedBytes + BufferPool.PooledBytes);
            if (GC.CollectionCount(0) == seen && i % 1000 != 0) continue;
            seen = GC.CollectionCount(0);
            foreach (var kind in (GCKind[])[GCKind.Ephemeral, GCKind.Background, GCKind.FullBlocking])
                if (GC.GetGCMemoryInfo(kind) is var info && info.Index > before)
                    foreach (var pause in info.PauseDurations)
                        if (pause > longestPause) longestPause = pause;
            if (i % 1000 != 0) continue;
            var held = BufferPool.RentedBytes + BufferPool.PooledBytes;
            var ran = counts.Select((count, age) => GC.CollectionCount(age) - count);
            var pauses = (GC.GetTotalPauseDuration() - paused).TotalMilliseconds;
            var mean = Stopwatch.GetElapsedTime(start).TotalMilliseconds / i;
            object[] row =
            [
                i, (ProcFiles.Bytes("VmRSS") ?? Environment.WorkingSet) / 1e6, held / 1e6, most / 1e6,
                string.Join(", ", ran), pauses,
                longestPause.TotalMilliseconds, longest.TotalMilliseconds, mean,
            ];
            Console.WriteLine(string.Format(
                CultureInfo.InvariantCulture,
                "| {0} | {1:0.0} | {2:0.0} | {3:0.0} | {4} | {5:0} | {6:0.0} | {7:0.0} | {8:0.00} |", row));
        }
    }

    private static object[][] Others(double gigabytes)
    {
        // Of 64 bytes with their headers and a reference.
        var others = new object[(int)(gigabytes * 1e9 / (1000 * (64 + 24 + 8)))][];
        for (var i = 0; i < others.Length; i++)
            others[i] = [.. Enumerable.Range(0, 1000).Select(_ => new byte[64])];
        if (others.Length > 0) GC.Collect();
        return others;
    }
}
