using System.Diagnostics;
using System.Globalization;
using Adjoint.Data;
using Adjoint.Distributed;
using Adjoint.Kernels;
using Adjoint.Mpi;
using Adjoint.Training;

namespace Adjoint.Bench;

/// <summary>
/// Ranks against threads on this machine, as docs/scaling.md has it: two ranks of one thread, one rank of two threads,
/// one of one, and what shards cost where there is one rank. Each sample is a process, or two under mpirun; the sides
/// take turns, and readings beside each sample tell whether two threads had two cores.
/// </summary>
internal static class ScalingReport
{
    private const int Skipped = 15;

    private static readonly (string Name, int Ranks, int Threads, int Shards)[] Sides =
    [
        ("1 rank, 1 thread", 1, 1, 1),
        ("1 rank, 1 thread, 12 shards", 1, 1, 12),
        ("1 rank, 2 threads", 1, 2, 1),
        ("2 ranks, 1 thread each", 2, 1, 2),
        ("2 ranks, 1 thread each, 12 shards", 2, 1, 12),
    ];

    /// <param name="arguments">
    /// Nothing for all networks; their names, perhaps after a number of rounds; <c>--predict</c> for the tables of the
    /// model; <c>--link</c>, under mpirun with two ranks, for latency and bandwidth.
    /// </param>
    internal static int Run(string[] arguments)
    {
        if (arguments is ["--here", var own, var shards]) return Measure(own, int.Parse(shards, Culture));
        if (arguments is ["--predict", ..]) return ScalingPrediction.Run();
        if (arguments is ["--link"]) return LinkReport.Run();
        var rounds = 5;
        if (arguments is [var first, ..] && int.TryParse(first, Culture, out var given))
            (rounds, arguments) = (given, arguments[1..]);
        foreach (var network in arguments is [] ? ["mlp", "lenet", "gpt"] : arguments) Report(network, rounds);
        return 0;
    }

    private static CultureInfo Culture => CultureInfo.InvariantCulture;

    private static void Report(string network, int rounds)
    {
        var probe = new Probe();
        var samples = Sides.Select(_ => new List<(Cores Cores, double[] Values)>()).ToArray();
        for (var round = 0; round < rounds; round++)
            for (var i = 0; i < Sides.Length; i++)
            {
                var before = probe.Read();
                var values = Child(network, Sides[i]);
                samples[i].Add((CoresRule.Of(2, before, probe.Read()), values));
            }
        foreach (var cores in (Cores[])[Cores.Apart, Cores.Together])
        {
            var alone = Median(0, cores, 0);
            if (double.IsNaN(alone)) continue;
            Console.WriteLine($"{network}, two cores {cores.ToString().ToLowerInvariant()}:");
            Console.WriteLine(
                "| side | samples | a step ms | times as fast | MB sent | waiting ms | exchange ms | hidden |");
            Console.WriteLine("|---|---|---|---|---|---|---|---|");
            for (var i = 0; i < Sides.Length; i++)
            {
                var step = Median(i, cores, 0);
                var (waiting, exchange, hidden) = (Median(i, cores, 2), Median(i, cores, 3), Median(i, cores, 4));
                var share = exchange > 0 ? (hidden / exchange).ToString("P0", Culture) : "";
                var count = samples[i].Count(one => one.Cores == cores);
                Console.WriteLine(string.Create(Culture,
                    $"| {Sides[i].Name} | {count} | {step * 1e3:0.0} | {alone / step:0.00} "
                    + $"| {Median(i, cores, 1) / 1e6:0.0} | {waiting * 1e3:0.0} | {exchange * 1e3:0.0} | {share} |"));
            }
            Console.WriteLine();
        }

        double Median(int side, Cores cores, int value)
        {
            var found = samples[side].Where(one => one.Cores == cores).Select(one => one.Values[value]).ToArray();
            return found.Length == 0 ? double.NaN : Spread.Of(found).Median;
        }
    }

    // Seconds of a step, bytes sent, seconds waiting, of exchanges, and hidden, each per step.
    private static double[] Child(string network, (string Name, int Ranks, int Threads, int Shards) side)
    {
        var assembly = typeof(ScalingReport).Assembly.Location;
        string[] own = [Environment.ProcessPath!, assembly, "scaling", "--here", network, $"{side.Shards}"];
        string[] line = side.Ranks == 1 ? own
            : ["mpirun", "-n", $"{side.Ranks}", "--allow-run-as-root", "--bind-to", "none", "--oversubscribe", .. own];
        ProcessStartInfo start = new(line[0], line[1..]) { RedirectStandardOutput = true };
        start.Environment["ADJOINT_THREADS"] = $"{side.Threads}";
        // mpirun gives ranks a terminal, to which .NET would write control characters.
        start.Environment["TERM"] = "dumb";
        using var child = Process.Start(start)!;
        var text = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        if (child.ExitCode != 0) throw new InvalidOperationException($"{network}, {side.Name} failed");
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1].Split('\t')
            .Select(word => double.Parse(word, Culture))];
    }

    private static int Measure(string network, int shards)
    {
        using var world = MpiCommunicator.Open();
        var trainer = Trainings.All[network]();
        if (world.Size > 1 || shards > 1) _ = new DataParallel(trainer, world, new() { Shards = shards });
        StepTimes times = new(world);
        trainer.Callbacks.Add(times);
        trainer.Fit(2);
        if (world.Rank > 0) return 0;
        var statistics = world.Statistics;
        var steps = times.Seconds.Count - Skipped;
        Console.WriteLine(string.Join('\t', new[]
        {
            Spread.Of(times.Seconds.Skip(Skipped)).Median,
            (statistics.BytesSent - times.Begin.BytesSent) / (double)steps,
            (statistics.WaitTime - times.Begin.WaitTime).TotalSeconds / steps,
            (statistics.TransferTime - times.Begin.TransferTime).TotalSeconds / steps,
            (statistics.HiddenTime - times.Begin.HiddenTime).TotalSeconds / steps,
        }.Select(value => value.ToString("R", Culture))));
        return 0;
    }

    private sealed class StepTimes(Communicator world) : Callback
    {
        private long started;

        internal List<double> Seconds { get; } = [];

        internal CommunicationStatistics Begin { get; private set; }

        public override void BeforeBatch(Trainer trainer, Batch batch)
        {
            if (Seconds.Count == Skipped) Begin = world.Statistics;
        }

        public override void AfterBatch(Trainer trainer, StepInfo step)
        {
            var now = Stopwatch.GetTimestamp();
            // An epoch's first step has the validation and the loader's begin before it.
            if (started != 0 && step.Step > 1) Seconds.Add(Stopwatch.GetElapsedTime(started, now).TotalSeconds);
            started = now;
        }
    }
}
