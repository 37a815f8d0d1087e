using static Adjoint.Tests.Ops.Naive;

namespace Adjoint.Tests.Ops;

internal static class NormalizationCases
{
    private const string Composed = "DivisionTests, and the rows of the ops that it is made of";

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
        new("LayerNorm", x => x[0].LayerNorm(x[1], x[2]), [[2, 5], [5], [5]],
            x => Normalized(x[0], i => i / 5, i => i % 5, x[1], x[2], 1e-5))
        {
            Large = new([[300, 301], [301], [301]]),
            Goldens =
            [
                new("LayerNorm", x => x[0].LayerNorm(Tensor.Full([4], 1, x[0].DType)),
                    new Difference("value", x => x.Distinct().Count() == 1,
                        "a constant row is 0; PyTorch rounds its mean", 0),
                    new Difference("", x => x.Max() >= 1e8,
                        "the mean has its last digit; squares that overflow give 0, not NaN")),
            ],
        },
        new("GroupNorm", x => x[0].GroupNorm(2, x[1], x[2]), [[2, 4, 3], [4], [4]],
            x => Normalized(x[0], i => i / 6, i => i / 3 % 4, x[1], x[2], 1e-5))
        {
            SpecialPoints = Composed,
        },
        new("RmsNorm", x => x[0].RmsNorm(x[1]), [[2, 4], [4]],
            x => Rows(x[0], 4, row =>
                [.. row.Select((a, i) => a / Math.Sqrt(row.Average(b => b * b) + 1e-6) * x[1][i])]))
        {
            SpecialPoints = Composed,
        },
    ];
}
