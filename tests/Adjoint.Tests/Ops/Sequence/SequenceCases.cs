namespace Adjoint.Tests.Ops;

internal static class SequenceCases
{
    private static readonly long[] Moved = [3, 0, 1_000_000];

    internal static OpCase[] Rows { get; } =
    [
        OpCase.Listed("RotaryEmbedding", [[2, 3, 4]], x => Rotated(x[0], [0, 1, 7], 4, 10000, isInterleaved: false))
            with
            {
                SpecialPoints = SpecialPoints.Summed,
                Large = new([[3, 5, 200, 24]], Call: x => x[0].RotaryEmbedding(Naive.Integers(600, 5000, 200))),
                Empty =
                [
                    new([[2, 0, 4]], [2, 0, 4], x => x[0].RotaryEmbedding(Tensor.Zeros([0], DType.Int64))),
                    new([[0, 3, 4]], [0, 3, 4]),
                ],
                Bad =
                [
                    new(() => Tensor.Zeros(2, 3).RotaryEmbedding(Tensor.Zeros([2], DType.Int64)),
                        "RotaryEmbedding: a floating input (…, t, d) is needed, d even, because features are rotated "
                        + "in pairs: found (2, 3) float32"),
                    new(() => Tensor.Zeros(5, 2, 4).RotaryEmbedding(Tensor.Zeros(2)),
                        "RotaryEmbedding: positions must be int64: found float32; use .To(DType.Int64)"),
                    new(() => Tensor.Zeros(2, 4).RotaryEmbedding(Tensor.Zeros([3], DType.Int64)),
                        "RotaryEmbedding: positions must be (2), one for each row of (2, 4): found (3,)"),
                    new(() => Tensor.Zeros(5, 2, 4).RotaryEmbedding(Tensor.Zeros([2, 2], DType.Int64)),
                        "RotaryEmbedding: positions must be (2), one for each row of (5, 2, 4), or (5, 2), for each "
                        + "sample its own: found (2, 2)"),
                    new(() => Tensor.Zeros(2, 4).RotaryEmbedding(Tensor.Zeros([2], DType.Int64), theta: 0),
                        "RotaryEmbedding: θ must be positive and finite: found 0"),
                ],
            },
        new("RotaryEmbedding, of neighbors", x => x[0].RotaryEmbedding(Tensor.From(Moved), 500, isInterleaved: true),
            [[3, 6]], x => Rotated(x[0], Moved, 6, 500, isInterleaved: true))
        {
            SpecialPoints = SpecialPoints.Composed,
        },
        new("RotaryEmbedding, for each sample its own",
            x => x[0].RotaryEmbedding(Tensor.From(new long[] { 5, 6, 0, -1 }, 2, 2)), [[2, 1, 2, 2]],
            x => Rotated(x[0], [5, 6, 0, -1], 2, 10000, isInterleaved: false))
        {
            SpecialPoints = SpecialPoints.Composed,
        },
    ];

    // Rows of so many features one after another, whose positions repeat.
    private static double[] Rotated(double[] x, long[] positions, int width, double theta, bool isInterleaved)
    {
        var y = new double[x.Length];
        for (var row = 0; row < x.Length / width; row++)
            for (var k = 0; k < width / 2; k++)
            {
                var (i, j) = isInterleaved ? (2 * k, 2 * k + 1) : (k, k + width / 2);
                var angle = positions[row % positions.Length] * Math.Pow(theta, -2.0 * k / width);
                var (a, b) = (x[row * width + i], x[row * width + j]);
                y[row * width + i] = a * Math.Cos(angle) - b * Math.Sin(angle);
                y[row * width + j] = a * Math.Sin(angle) + b * Math.Cos(angle);
            }
        return y;
    }
}
