using System.Diagnostics;

namespace Adjoint.Bench;

/// <summary>Measures the machine in about ten milliseconds, so that it can be done beside every sample.</summary>
internal sealed class Probe
{
    private const int Steps = 100_000, Tries = 4;
    private readonly TwoThreads? pair = Environment.ProcessorCount > 1 ? new() : null;
    private readonly MemoryTriad triad = new();

    internal Reading Read()
    {
        var flops = MultiplyAdds.FlopsOfStep * Steps;
        var peak1 = flops / Best(() => Seconds(() => MultiplyAdds.Run(Steps)));
        var bandwidth1 = MemoryTriad.Bytes / Seconds(() => triad.Run(0, 1));
        if (pair is null) return new(peak1, peak1, bandwidth1, bandwidth1);
        var peak2 = 2 * flops / Best(() => pair.Seconds(_ => MultiplyAdds.Run(Steps)));
        return new(peak1, peak2, bandwidth1, MemoryTriad.Bytes / pair.Seconds(part => triad.Run(part, 2)));
    }

    // An interrupt says nothing about the machine. Memory takes long enough for one pass to do.
    private static double Best(Func<double> seconds) => Enumerable.Range(0, Tries).Min(_ => seconds());

    private static double Seconds(Action work)
    {
        var start = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
