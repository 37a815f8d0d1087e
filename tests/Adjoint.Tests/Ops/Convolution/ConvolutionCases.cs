using static Adjoint.Tests.Ops.Naive;

namespace Adjoint.Tests.Ops;

internal static class ConvolutionCases
{
    internal static OpCase[] Rows { get; } =
    [
        OpCase.Listed("Conv2d", [[2, 2, 5, 4], [3, 2, 3, 3], [3]],
            x => Conv(x[0], [2, 2, 5, 4], x[1], [3, 2, 3, 3], x[2], (2, 2), (1, 1), (1, 1), 1)) with
        {
            Large = new([[5, 16, 19, 21], [24, 16, 3, 3], [24]]),
            Empty =
            [
                new([[2, 0, 5, 5], [3, 0, 3, 3], [3]], [2, 3, 3, 3], x => x[0].Conv2d(x[1], x[2])),
                new([[2, 2, 5, 5], [0, 2, 3, 3]], [2, 0, 3, 3], x => x[0].Conv2d(x[1])),
            ],
            Bad =
            [
                new(() => Tensor.Zeros(1, 2, 5, 5).Conv2d(Tensor.Zeros(4, 3, 3, 3)),
                    "Conv2d: an input (n, 3, h, w) is needed: found (1, 2, 5, 5) for weights (4, 3, 3, 3); the "
                    + "channels must be the weights' second axis"),
                new(() => Tensor.Zeros(1, 3, 2, 2).Conv2d(Tensor.Zeros(4, 3, 3, 3)),
                    "Conv2d: a kernel 3×3 with dilation 1 is larger than the input (1, 3, 2, 2) with padding 0; use a "
                    + "smaller kernel or more padding"),
            ],
        },
        new("Conv2d, of one", x => x[0].Conv2d(x[1]), [[1, 1, 1, 1], [1, 1, 1, 1]], x => [x[0][0] * x[1][0]]),
        new("Conv2d, padded", x => x[0].Conv2d(x[1], x[2], padding: (1, 0)), [[2, 2, 4, 5], [3, 2, 3, 2], [3]],
            x => Conv(x[0], [2, 2, 4, 5], x[1], [3, 2, 3, 2], x[2], (1, 1), (1, 0), (1, 1), 1))
        {
            Large = new([[5, 16, 19, 21], [24, 16, 3, 3], [24]], Call: x => x[0].Conv2d(x[1], x[2], padding: 1)),
        },
        new("Conv2d, strided, dilated, grouped", x => x[0].Conv2d(x[1], null, (2, 1), (1, 2), (1, 2), 2),
            [[1, 4, 5, 6], [2, 2, 3, 2]],
            x => Conv(x[0], [1, 4, 5, 6], x[1], [2, 2, 3, 2], null, (2, 1), (1, 2), (1, 2), 2))
        {
            Large = new([[5, 16, 19, 21], [24, 16, 3, 3]], Call: x => x[0].Conv2d(x[1], null, 2)),
        },
        new("Conv1d", x => x[0].Conv1d(x[1], null, 2, 1), [[2, 2, 7], [3, 2, 3]],
            x => Conv(x[0], [2, 2, 1, 7], x[1], [3, 2, 1, 3], null, (1, 2), (0, 1), (1, 1), 1)),
        OpCase.Listed("ConvTranspose2d", [[2, 3, 3, 2], [3, 2, 3, 3]],
            x => ConvTransposed(x[0], [2, 3, 3, 2], x[1], [3, 2, 3, 3], [0, 0], (2, 2), (1, 1), 6, 4)) with
        {
            Empty = [new([[0, 2, 5, 5], [2, 3, 3, 3], [3]], [0, 3, 7, 7], x => x[0].ConvTranspose2d(x[1], x[2]))],
            Bad =
            [
                new(() => Tensor.Zeros(1, 2, 5, 5).ConvTranspose2d(Tensor.Zeros(3, 4, 3, 3)),
                    "ConvTranspose2d: an input (n, 3, h, w) is needed: found (1, 2, 5, 5) for weights (3, 4, 3, 3); "
                    + "the channels must be the weights' first axis"),
                new(() => Tensor.Zeros([1, 1, 3, 3], DType.Int64).ConvTranspose2d(Tensor.Zeros(1, 1, 2, 2),
                        Tensor.Zeros(1)),
                    "ConvTranspose2d: input and weight must be of one floating type: found int64 and float32; cast "
                    + "one with .To(…)"),
            ],
        },
        new("ConvTranspose2d, with a bias", x => x[0].ConvTranspose2d(x[1], x[2], (2, 1), (1, 0), (1, 0)),
            [[2, 2, 3, 2], [2, 3, 3, 2], [3]],
            x => ConvTransposed(x[0], [2, 2, 3, 2], x[1], [2, 3, 3, 2], x[2], (2, 1), (1, 0), 6, 3))
        {
            Large = new([[5, 16, 11, 13], [16, 12, 3, 3], [12]], Call: x => x[0].ConvTranspose2d(x[1], x[2], 2)),
        },
        new("ConvTranspose2d, dilated, grouped", x => x[0].ConvTranspose2d(x[1], x[2], 1, (0, 1), 0, (2, 1), 2),
            [[1, 4, 2, 3], [4, 2, 2, 3], [4]],
            x => ConvTransposed(x[0], [1, 4, 2, 3], x[1], [4, 2, 2, 3], x[2], (1, 1), (0, 1), 4, 3, (2, 1), 2)),
        new("Conv2dWeightGradient", x => Op.Apply(new Conv2dWeightGradientOp(new(1, 0, 1, 1), 2), x[0], x[1]),
            [[2, 1, 3, 3], [2, 2, 2, 2]], x => WeightGradient(x[0], x[1])),
    ];

    static ConvolutionCases() => Rows = [.. Rows.Select(row => row with { SpecialPoints = SpecialPoints.Summed })];
}
