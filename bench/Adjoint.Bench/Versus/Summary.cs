namespace Adjoint.Bench;

/// <summary>
/// A side's samples of one kind: milliseconds, and medians of what it reached and of its share of the peak and of the
/// bandwidth that were measured beside each sample. Null: the workload does not count these.
/// </summary>
internal sealed record Summary(Spread Ms, double? Gflops, double? ShareOfPeak,
    double? GigabytesPerSecond, double? ShareOfBandwidth)
{
    internal static Summary Of(Workload work, IReadOnlyCollection<Sample> samples)
    {
        // Of an amount of work: the rate that its time means, in units of what is given.
        double? Rate(double amount, Func<Sample, double> unit) =>
            amount > 0 ? Spread.Of(samples.Select(sample => amount / (sample.Ms / 1000) / unit(sample))).Median : null;
        return new(Spread.Of(samples.Select(sample => sample.Ms)),
            Rate(work.Flops, _ => 1e9), Rate(work.Flops, sample => sample.Machine.Peak(sample.Threads)),
            Rate(work.Bytes, _ => 1e9), Rate(work.Bytes, sample => sample.Machine.Bandwidth(sample.Threads)));
    }
}
