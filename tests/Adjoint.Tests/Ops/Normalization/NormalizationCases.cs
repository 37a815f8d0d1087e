using static Adjoint.Tests.Ops.Naive;

namespace Adjoint.Tests.Ops;

internal static class NormalizationCases
{
    private const string Composed = "DivisionTests, and the rows of the ops that it is made of";

    private const string LayerNorm = "DivisionTests";

    internal static OpCase[] Rows { get; } =
    [
        OpCase.Listed("BatchNorm", [[3, 2, 4], [2], [2]],
            x => Normalized(x[0], i => i / 4 % 2, i => i / 4 % 2, x[1], x[2], 1e-5)) with
        {
            SpecialPoints = Composed, Large = new([[17, 12, 15, 16], [12], [12]]),
            Empty = [new([[0, 3, 4], [3], [3]], [0, 3, 4])],
            Bad =
            [
                new(() => Tensor.Zeros(4, 3).BatchNorm(Tensor.Zeros(2), Tensor.Zeros(2)),
                    "BatchNorm: scale and shift must be (3) float32, one for each channel: found (2,) float32"),
            ],
        },
        new("BatchNorm, of one channel", x => x[0].BatchNorm(x[1], x[2]), [[3, 1], [1], [1]],
            x => Normalized(x[0], _ => 0, _ => 0, x[1], x[2], 1e-5))
        {
            SpecialPoints = Composed,
        },
        new("BatchNorm, of columns", x => x[0].BatchNorm(x[1], x[2], 0.1), [[5, 3], [3], [3]],
            x => Normalized(x[0], i => i % 3, i => i % 3, x[1], x[2], 0.1))
        {
            SpecialPoints = Composed,
        },
        OpCase.Listed("LayerNorm", [[2, 5], [5], [5]],
            x => Normalized(x[0], i => i / 5, i => i % 5, x[1], x[2], 1e-5)) with
        {
            Large = new([[300, 301], [301], [301]]),
            Empty =
            [
                new([[0, 5], [5], [5]], [0, 5]), new([[3, 0], [0], [0]], [3, 0]),
                new([[2, 0, 3], [0, 3], [0, 3]], [2, 0, 3]),
            ],
            Bad =
            [
                new(() => Tensor.Zeros(2, 3).LayerNorm(Tensor.Zeros(4)),
                    "LayerNorm: the last axes of the input must be those of the scale (4,): found (2, 3)"),
                new(() => Tensor.Zeros(3).LayerNorm(Tensor.Zeros(2, 3)),
                    "LayerNorm: the last axes of the input must be those of the scale (2, 3): found (3,)"),
                new(() => Tensor.Zeros(2, 3).LayerNorm(Tensor.Zeros(3), Tensor.Zeros(1)),
                    "LayerNorm: scale and shift must have one shape: found (3,) and (1,)"),
                new(() => Tensor.Zeros([2, 3], DType.Int64).LayerNorm(Tensor.Zeros(3)),
                    "LayerNorm: a floating input is needed: found (2, 3) int64; cast with .To(DType.Float32)"),
            ],
            Goldens =
            [
                new("LayerNorm", x => x[0].LayerNorm(Tensor.Full([4], 1, x[0].DType)),
                    new Difference("value", x => x.Distinct().Count() == 1,
                        "a constant row is 0; PyTorch rounds its mean", 0),
                    new Difference("", x => x.Max() >= 1e8,
                        "the mean has its last digit; squares that overflow give 0, not NaN")),
            ],
        },
        new("LayerNorm, without shift", x => x[0].LayerNorm(x[1], epsilon: 0.1), [[3, 4], [4]],
            x => Normalized(x[0], i => i / 4, i => i % 4, x[1], new double[4], 0.1))
        {
            SpecialPoints = LayerNorm, Large = new([[7, 8200], [8200]]),
        },
        // 37 elements: whole vectors of every width, and what is left.
        new("LayerNorm, over two axes", x => x[0].LayerNorm(x[1], x[2]), [[2, 1, 37], [1, 37], [1, 37]],
            x => Normalized(x[0], i => i / 37, i => i % 37, x[1], x[2], 1e-5))
        {
            SpecialPoints = LayerNorm, Large = new([[9000, 1, 4], [1, 4], [1, 4]]),
        },
        new("LayerNorm, of one", x => x[0].LayerNorm(x[1], x[2]), [[3, 1], [1], [1]],
            x => [x[2][0], x[2][0], x[2][0]])
        {
            SpecialPoints = LayerNorm,
        },
        new("GroupNorm", x => x[0].GroupNorm(2, x[1], x[2]), [[2, 4, 3], [4], [4]],
            x => Normalized(x[0], i => i / 6, i => i / 3 % 4, x[1], x[2], 1e-5))
        {
            SpecialPoints = Composed,
        },
        OpCase.Listed("RmsNorm", [[2, 4], [4]], x => Rooted(x[0], 4, x[1], 1e-6)) with
        {
            SpecialPoints = "DivisionTests", Large = new([[300, 301], [301]]),
            Empty = [new([[0, 5], [5]], [0, 5]), new([[3, 0], [0]], [3, 0])],
            Bad =
            [
                new(() => Tensor.Zeros(2, 3).RmsNorm(Tensor.Zeros(2)),
                    "RmsNorm: the last axes of the input must be those of the scale (2,): found (2, 3)"),
                new(() => Tensor.Zeros([2, 3], DType.Bool).RmsNorm(Tensor.Zeros(3)),
                    "RmsNorm: a floating input is needed: found (2, 3) bool; cast with .To(DType.Float32)"),
            ],
        },
        new("RmsNorm, over two axes", x => x[0].RmsNorm(x[1], 0.1), [[2, 37, 1], [37, 1]],
            x => Rooted(x[0], 37, x[1], 0.1))
        {
            SpecialPoints = "DivisionTests", Large = new([[5, 8200, 1], [8200, 1]]),
        },
    ];

    private static double[] Rooted(double[] x, int columns, double[] gamma, double epsilon) => Rows(x, columns, row =>
        [.. row.Select((a, i) => a / Math.Sqrt(row.Average(b => b * b) + epsilon) * gamma[i])]);
}
