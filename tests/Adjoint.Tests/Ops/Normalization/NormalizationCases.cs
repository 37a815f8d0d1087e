using static Adjoint.Tests.Ops.Naive;

namespace Adjoint.Tests.Ops;

internal static class NormalizationCases
{
    private const string Composed = "DivisionTests, and the rows of the ops that it is made of";

    private const string Constant = "DivisionTests, rows of one value";

    private static readonly Difference
        ConstantRow = new("value", x => x.Distinct().Count() == 1, "a constant row is 0; PyTorch rounds its mean", 0),
        HugeRow = new("", x => x.Max() >= 1e8, "the mean has its last digit; squares that overflow give 0, not NaN");

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
                new("LayerNorm", x => x[0].LayerNorm(Tensor.Full([4], 1, x[0].DType)), ConstantRow, HugeRow),
            ],
        },
        new("LayerNorm, without shift", x => x[0].LayerNorm(x[1], epsilon: 0.1), [[3, 4], [4]],
            x => Normalized(x[0], i => i / 4, i => i % 4, x[1], new double[4], 0.1))
        {
            SpecialPoints = Constant, Large = new([[7, 8200], [8200]]),
        },
        // 37 elements: whole vectors of every width, and what is left.
        new("LayerNorm, over two axes", x => x[0].LayerNorm(x[1], x[2]), [[2, 1, 37], [1, 37], [1, 37]],
            x => Normalized(x[0], i => i / 37, i => i % 37, x[1], x[2], 1e-5))
        {
            SpecialPoints = Constant, Large = new([[9000, 1, 4], [1, 4], [1, 4]]),
        },
        new("LayerNorm, of one", x => x[0].LayerNorm(x[1], x[2]), [[3, 1], [1], [1]],
            x => [x[2][0], x[2][0], x[2][0]])
        {
            SpecialPoints = Constant,
        },
        OpCase.Listed("GroupNorm", [[2, 4, 3], [4], [4]],
            x => Normalized(x[0], i => i / 6, i => i / 3 % 4, x[1], x[2], 1e-5)) with
        {
            Large = new([[5, 12, 15, 16], [12], [12]]),
            Empty =
            [
                new([[0, 4, 3], [4], [4]], [0, 4, 3]), new([[2, 4, 0], [4], [4]], [2, 4, 0]),
                new([[2, 0, 3], [0], [0]], [2, 0, 3]),
            ],
            Bad =
            [
                new(() => Tensor.Zeros(2, 3, 4).GroupNorm(2, Tensor.Zeros(3), Tensor.Zeros(3)),
                    "GroupNorm: the groups must divide the channels: found 2 groups for (2, 3, 4)"),
                new(() => Tensor.Zeros(4).GroupNorm(1, Tensor.Zeros(4), Tensor.Zeros(4)),
                    "GroupNorm: the groups must divide the channels: found 1 groups for (4,)"),
                new(() => Tensor.Zeros(2, 4, 3).GroupNorm(2, Tensor.Zeros(4), Tensor.Zeros(2)),
                    "GroupNorm: scale and shift must be (4), one for each channel of (2, 4, 3): found (4,) and (2,)"),
                new(() => Tensor.Zeros([2, 4], DType.Int32).GroupNorm(2, Tensor.Zeros(4), Tensor.Zeros(4)),
                    "GroupNorm: a floating input is needed: found (2, 4) int32; cast with .To(DType.Float32)"),
            ],
            Goldens = [new("GroupNorm", x => Grouped(x[0]), ConstantRow, HugeRow)],
        },
        // 37 positions: whole vectors of every width, and what is left.
        new("GroupNorm, of one group", x => x[0].GroupNorm(1, x[1], x[2], 0.1), [[2, 2, 37], [2], [2]],
            x => Normalized(x[0], i => i / 74, i => i / 37 % 2, x[1], x[2], 0.1))
        {
            SpecialPoints = Constant, Large = new([[3, 2, 9000], [2], [2]]),
        },
        new("GroupNorm, without positions", x => x[0].GroupNorm(2, x[1], x[2]), [[3, 4], [4], [4]],
            x => Normalized(x[0], i => i / 2, i => i % 4, x[1], x[2], 1e-5))
        {
            SpecialPoints = Constant,
        },
        OpCase.Listed("InstanceNorm", [[2, 3, 4], [3], [3]],
            x => Normalized(x[0], i => i / 4, i => i / 4 % 3, x[1], x[2], 1e-5)) with
        {
            Large = new([[5, 12, 15, 16], [12], [12]]),
            Empty =
            [
                new([[0, 4, 3], [4], [4]], [0, 4, 3]), new([[2, 4, 0], [4], [4]], [2, 4, 0]),
                new([[2, 0, 3], [0], [0]], [2, 0, 3]),
            ],
            Bad =
            [
                new(() => Tensor.Zeros(2, 3).InstanceNorm(),
                    "InstanceNorm: an input (n, channels, positions…) is needed: found (2, 3); without positions there "
                    + "is one value to each channel, and nothing to normalize"),
                new(() => Tensor.Zeros(2, 3, 4).InstanceNorm(Tensor.Zeros(4)),
                    "InstanceNorm: scale and shift must be (3), one for each channel of (2, 3, 4): found (4,) and "
                    + "(3,)"),
                new(() => Tensor.Zeros([2, 3, 4], DType.UInt8).InstanceNorm(),
                    "InstanceNorm: a floating input is needed: found (2, 3, 4) uint8; cast with .To(DType.Float32)"),
            ],
            Goldens = [new("InstanceNorm", x => x[0].Unsqueeze(1).InstanceNorm().Squeeze(1), ConstantRow, HugeRow)],
        },
        new("InstanceNorm, without scale and shift", x => x[0].InstanceNorm(epsilon: 0.1), [[2, 2, 1, 19]],
            x => Normalized(x[0], i => i / 19, _ => 0, [1], [0], 0.1))
        {
            SpecialPoints = Constant,
        },
        OpCase.Listed("RmsNorm", [[2, 4], [4]], x => Rooted(x[0], 4, x[1], 1e-6)) with
        {
            Large = new([[300, 301], [301]]),
            Goldens =
            [
                new("RmsNorm", x => x[0].RmsNorm(Tensor.Full([4], 1, x[0].DType)),
                    new Difference("gradient", x => x.Max() > 1e38, "squares that overflow give 0, not NaN", 0),
                    new Difference("gradient", x => x is [> 0 and < 1e-39, 0, 1, 2],
                        "h − x̂·mean(h·x̂) is 0 but for ε: both round")),
            ],
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
            SpecialPoints = "the row RmsNorm", Large = new([[5, 8200, 1], [8200, 1]]),
        },
    ];

    // Two channels of two positions.
    private static Tensor Grouped(Tensor x)
    {
        var (ones, zeros) = (Tensor.Full([2], 1, x.DType), Tensor.Zeros([2], x.DType));
        return x.Reshape(-1, 2, 2).GroupNorm(1, ones, zeros).Reshape(-1, 4);
    }

    private static double[] Rooted(double[] x, int columns, double[] gamma, double epsilon) => Rows(x, columns, row =>
        [.. row.Select((a, i) => a / Math.Sqrt(row.Average(b => b * b) + epsilon) * gamma[i])]);
}
