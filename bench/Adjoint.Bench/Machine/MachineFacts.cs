using System.Runtime.InteropServices;

namespace Adjoint.Bench;

/// <summary>
/// The machine as the readings beside all samples found it: medians, those of two threads where they lay apart. How
/// many samples on two threads there were, and of them apart and together.
/// </summary>
internal sealed record MachineFacts(string Runtime, string System, int Processors, int VectorBits, double? Gflops1,
    double? Gflops2, double? GigabytesPerSecond1, double? GigabytesPerSecond2,
    int OnTwoThreads, int Apart, int Together)
{
    internal static MachineFacts Of(IReadOnlyCollection<Sample> samples)
    {
        double? Median(IReadOnlyCollection<Sample> of, Func<Reading, double> value) =>
            of.Count > 0 ? Spread.Of(of.Select(sample => value(sample.Machine))).Median / 1e9 : null;
        int Count(Cores cores) => samples.Count(sample => sample.Cores == cores);
        var apart = samples.Where(sample => sample.Cores == Cores.Apart).ToArray();
        return new(RuntimeInformation.FrameworkDescription, RuntimeInformation.OSDescription,
            Environment.ProcessorCount, MultiplyAdds.Bits,
            Median(samples, machine => machine.Peak1), Median(apart, machine => machine.Peak2),
            Median(samples, machine => machine.Bandwidth1), Median(apart, machine => machine.Bandwidth2),
            samples.Count(sample => sample.Threads == 2), Count(Cores.Apart), Count(Cores.Together));
    }
}
