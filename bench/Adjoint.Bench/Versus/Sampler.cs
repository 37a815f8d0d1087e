using System.Diagnostics;

namespace Adjoint.Bench;

/// <summary>
/// Takes samples of one workload: all sides in turn, on one thread and on two, the machine measured before and after
/// each. A side that ends is taken out, and that is said.
/// </summary>
internal sealed class Sampler(Probe probe, List<Peer> sides, VersusOptions options)
{
    // A sample lasts about so long, however long one repetition is.
    private const double TargetMs = 30;
    private static readonly int[] ThreadCounts = Environment.ProcessorCount > 1 ? [1, 2] : [1];

    private readonly record struct Turn(Peer Side, int Threads, int Repetitions);

    internal List<Sample> Take(Workload work)
    {
        var samples = new List<Sample>();
        // Of what takes seconds, few.
        var rounds = work.Flops > 1e11 ? Math.Min(options.Rounds, 3) : options.Rounds;
        var turns = Turns(work);
        if (turns is []) return samples;
        var before = probe.Read();
        for (var round = 0; round < rounds; round++)
            foreach (var turn in turns.Skip(round % turns.Count).Concat(turns.Take(round % turns.Count))) One(turn);
        var time = Stopwatch.StartNew();
        while (time.Elapsed.TotalSeconds < options.UntilApart && turns.Any(Lacks))
            foreach (var turn in turns.Where(Lacks))
                if (CoresRule.Of(before) == Cores.Apart) One(turn);
                else
                {
                    Thread.Sleep(50);
                    before = probe.Read();
                }
        return samples;

        bool Lacks(Turn turn) => turn.Threads > 1 && sides.Contains(turn.Side)
            && samples.Count(sample => sample.Side == turn.Side.Name && sample.Cores == Cores.Apart) < rounds;

        void One(Turn turn)
        {
            if (!sides.Contains(turn.Side)) return;
            if (Ask(turn.Side, work, turn.Threads, turn.Repetitions) is not { } ms) return;
            turn.Side.Rest();
            var after = probe.Read();
            var cores = CoresRule.Of(turn.Threads, before, after);
            samples.Add(new(turn.Side.Name, turn.Threads, ms, cores, Reading.Between(before, after)));
            before = after;
        }
    }

    // Of the sides that have such work.
    private List<Turn> Turns(Workload work)
    {
        var turns = new List<Turn>();
        foreach (var threads in ThreadCounts)
            foreach (var side in sides.ToArray())
                if (Repetitions(side, work, threads) is { } repetitions) turns.Add(new(side, threads, repetitions));
        return turns;
    }

    // The first request sets the work up, so it says little.
    private int? Repetitions(Peer side, Workload work, int threads)
    {
        if (Ask(side, work, threads, 1) is not { } ms) return null;
        if (ms < TargetMs) ms = Ask(side, work, threads, 3) ?? ms;
        side.Rest();
        return (int)Math.Clamp(TargetMs / ms, 1, 10_000);
    }

    private double? Ask(Peer side, Workload work, int threads, int repetitions)
    {
        try
        {
            return side.Measure(work.Name, threads, repetitions);
        }
        catch (PeerException error) when (side.Name != Side.Ours)
        {
            Console.Error.WriteLine($"{error.Message}; going on without it");
            sides.Remove(side);
            side.Dispose();
            return null;
        }
    }
}
