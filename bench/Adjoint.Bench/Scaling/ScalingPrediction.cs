using System.Globalization;

namespace Adjoint.Bench;

/// <summary>The tables of docs/scaling.md for clusters that nobody here has: what the model says of them.</summary>
internal static class ScalingPrediction
{
    // A server of 32 cores at .6 of the 118 GFLOP/s that a core of this machine peaks at, which sums at 10 GB/s.
    private const double Flops = 32 * 0.6 * 118e9, Additions = 10e9;

    private static readonly int[] Ranks = [1, 4, 16, 64, 256, 1024];

    private static readonly (string Name, double Latency, double Bandwidth)[] Links =
    [
        ("10 Gb/s Ethernet", 30e-6, 1.1e9),
        ("100 Gb/s", 10e-6, 11e9),
    ];

    // He et al. 2016: 4.1 billion multiply-adds forward, thrice that with backward. Radford et al. 2019: six operations
    // for each parameter and token, 1,024 windows of as many tokens.
    private static readonly ScaledNetwork[] Networks =
    [
        new("ResNet-50", 25.6e6, 2 * 3 * 4.1e9, 8192),
        new("GPT-2, 124 M", 124e6, 6 * 124e6 * 1024, 1024),
        new("GPT-2, 1.5 B", 1558e6, 6 * 1558e6 * 1024, 1024),
    ];

    internal static int Run()
    {
        foreach (var (name, latency, bandwidth) in Links)
        {
            Console.WriteLine($"{name}: seconds of a step, and the share of N times one rank's speed");
            Console.WriteLine(
                $"| network | buckets | {string.Join(" | ", Ranks.Select(ranks => $"N = {ranks:N0}"))} |");
            Console.WriteLine($"|---|---|{string.Concat(Enumerable.Repeat("---|", Ranks.Length))}");
            foreach (var network in Networks)
                foreach (var mebibytes in (int[])[4, 64])
                {
                    var model = new ScalingModel(network, new(Flops, latency, bandwidth, Additions))
                    {
                        BucketBytes = (long)mebibytes << 20,
                    };
                    // With more ranks than samples, there would be ranks without any.
                    var cells = Ranks.Select(ranks => ranks > network.Batch ? "–" : string.Create(
                        CultureInfo.InvariantCulture, $"{Digits(model.Step(ranks))} ({model.Efficiency(ranks):0.00})"));
                    Console.WriteLine($"| {network.Name} | {mebibytes} MiB | {string.Join(" | ", cells)} |");
                }
            Console.WriteLine();
        }
        return 0;
    }

    // A model has no more than three.
    private static string Digits(double seconds) => seconds.ToString(
        seconds switch { >= 100 => "0", >= 10 => "0.0", >= 1 => "0.00", _ => "0.000" }, CultureInfo.InvariantCulture);
}
