using Adjoint.Kernels;
using static Adjoint.Tests.Ops.Naive;

namespace Adjoint.Tests.Ops;

/// <summary>Attention by its definition, pair by pair, in float64: the reference of all its tests.</summary>
/// <param name="N">Samples.</param>
/// <param name="H">Heads of the queries.</param>
/// <param name="G">Heads of keys and values.</param>
/// <param name="T">Queries.</param>
/// <param name="S">Keys.</param>
/// <param name="D">Features of queries and keys.</param>
/// <param name="E">Features of values.</param>
internal sealed record NaiveAttention(int N, int H, int G, int T, int S, int D, int E)
{
    /// <summary>The factor of the products; 1/√d where null.</summary>
    public double? Scale { get; init; }

    /// <summary>Whether later keys are hidden.</summary>
    public bool IsCausal { get; init; }

    /// <summary>Whether query i of head h of sample n sees key j.</summary>
    public Func<int, int, int, int, bool> Sees { get; init; } = (_, _, _, _) => true;

    /// <summary>What is added to the score of (n, h, i, j).</summary>
    public Func<int, int, int, int, double> Bias { get; init; } = (_, _, _, _) => 0;

    /// <summary>What the weight of (n, h, i, j) is multiplied by.</summary>
    public Func<int, int, int, int, double> Factor { get; init; } = (_, _, _, _) => 1;

    internal int[][] Shapes => [[N, H, T, D], [N, G, S, D], [N, G, S, E]];

    internal bool SeesAt(int n, int h, int i, int j) => Sees(n, h, i, j) && (!IsCausal || j <= i + S - T);

    /// <summary>The weights of a query, 0 for keys that it does not see, before dropout.</summary>
    internal double[] Weights(double[][] x, int n, int h, int i)
    {
        var scale = Scale ?? 1 / Math.Sqrt(D);
        var scores = Enumerable.Range(0, S).Select(j => SeesAt(n, h, i, j)
            ? Enumerable.Range(0, D).Sum(c => x[0][At(n, h, i, c)] * x[1][KeyAt(n, h, j, c, D)]) * scale
                + Bias(n, h, i, j)
            : double.NegativeInfinity).ToArray();
        var max = scores.Append(double.NegativeInfinity).Max();
        if (double.IsNegativeInfinity(max)) return new double[S];
        var terms = scores.Select(score => Math.Exp(score - max)).ToArray();
        var sum = terms.Sum();
        return [.. terms.Select(term => term / sum)];
    }

    /// <summary>The value; what a query does not see does not take part in its sum.</summary>
    internal double[] Value(double[][] x)
    {
        var y = new double[N * H * T * E];
        foreach (var (n, h, i) in Queries())
        {
            var weights = Weights(x, n, h, i);
            for (var c = 0; c < E; c++)
                y[((n * H + h) * T + i) * E + c] = Enumerable.Range(0, S).Where(j => SeesAt(n, h, i, j))
                    .Sum(j => weights[j] * Factor(n, h, i, j) * x[2][KeyAt(n, h, j, c, E)]);
        }
        return y;
    }

    /// <summary>
    /// The gradients of queries, keys, values, and of every score (n, h, t, s), from that of the value.
    /// </summary>
    internal double[][] Gradients(double[][] x, double[] g)
    {
        var scale = Scale ?? 1 / Math.Sqrt(D);
        double[] dq = new double[x[0].Length], dk = new double[x[1].Length], dv = new double[x[2].Length],
            ds = new double[N * H * T * S];
        foreach (var (n, h, i) in Queries())
        {
            var weights = Weights(x, n, h, i);
            var seen = Enumerable.Range(0, S).Where(j => SeesAt(n, h, i, j)).ToArray();
            double Above(int c) => g[((n * H + h) * T + i) * E + c];
            var dweights = seen.ToDictionary(j => j, j => Factor(n, h, i, j)
                * Enumerable.Range(0, E).Sum(c => Above(c) * x[2][KeyAt(n, h, j, c, E)]));
            var mean = seen.Sum(j => weights[j] * dweights[j]);
            foreach (var j in seen)
            {
                var slope = weights[j] * (dweights[j] - mean);
                ds[((n * H + h) * T + i) * S + j] = slope;
                for (var c = 0; c < E; c++)
                    dv[KeyAt(n, h, j, c, E)] += weights[j] * Factor(n, h, i, j) * Above(c);
                for (var c = 0; c < D; c++)
                {
                    dq[At(n, h, i, c)] += scale * slope * x[1][KeyAt(n, h, j, c, D)];
                    dk[KeyAt(n, h, j, c, D)] += scale * slope * x[0][At(n, h, i, c)];
                }
            }
        }
        return [dq, dk, dv, ds];
    }

    /// <summary>The factors of dropout, from the two numbers that it draws.</summary>
    internal static Func<int, int, int, int, double> Dropped(
        double probability, double first, double second, int heads, int queries, int keys) => (n, h, i, j) =>
    {
        var (seed, stream) = ((ulong)(first * (1L << 53)), (ulong)(second * (1L << 53)));
        var block = (ulong)(((n * heads + h) * queries + i) * ((keys + 3) / 4) + j / 4);
        var (a, b, c, d) = Philox.Block((uint)block, (uint)(block >> 32), (uint)stream, (uint)(stream >> 32),
            (uint)seed, (uint)(seed >> 32));
        uint[] four = [a, b, c, d];
        return (four[j % 4] >> 8) / (double)(1 << 24) < 1 - probability ? 1 / (1 - probability) : 0;
    };

    private IEnumerable<(int N, int H, int I)> Queries() =>
        from n in To(N) from h in To(H) from i in To(T) select (n, h, i);

    private int At(int n, int h, int i, int c) => ((n * H + h) * T + i) * D + c;

    private int KeyAt(int n, int h, int j, int c, int width) => ((n * G + h / (H / G)) * S + j) * width + c;
}
