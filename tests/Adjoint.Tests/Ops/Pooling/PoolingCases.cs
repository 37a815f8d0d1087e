using static Adjoint.Tests.Ops.Naive;

namespace Adjoint.Tests.Ops;

internal static class PoolingCases
{
    internal static OpCase[] Rows { get; } =
    [
        OpCase.Listed("MaxPool2d", [[1, 2, 4, 6]], x => Pool(x[0], 2, 4, 6, 2, 2, 0, 2, 3, w => w.Max())) with
        {
            Goldens =
            [
                new("MaxPool2d", x => x[0].Reshape(-1, 1, 2, 2).MaxPool2d(2),
                    new Difference("gradient", x => x.Count(double.IsNaN) > 1,
                        "the first NaN wins; in PyTorch the last")),
            ],
            Large = new([[5, 16, 31, 33]], Call: x => x[0].MaxPool2d(3, 2, 1)),
            Empty = [new([[0, 2, 5, 5]], [0, 2, 2, 2])],
            Bad =
            [
                new(() => Tensor.Zeros(1, 2, 5, 5).MaxPool2d(6),
                    "MaxPool2d: a window 6 is larger than the input (1, 2, 5, 5) with padding 0; use a smaller window"),
            ],
        },
        new("MaxPool2d, of one", x => x[0].MaxPool2d(1), [[1, 1, 1, 1]], x => x[0])
        {
            IsSmooth = false, SpecialPoints = SpecialPoints.Composed,
        },
        new("MaxPool2d, with a rest", x => x[0].MaxPool2d(2), [[1, 2, 4, 5]],
            x => Pool(x[0], 2, 4, 5, 2, 2, 0, 2, 2, w => w.Max()))
        {
            IsSmooth = false, SpecialPoints = SpecialPoints.Composed,
        },
        new("MaxPool2d, overlapping, padded, ceil", x => x[0].MaxPool2d(3, 2, 1, ceilMode: true), [[1, 2, 4, 5]],
            x => Pool(x[0], 2, 4, 5, 3, 2, 1, 3, 3, w => w.Max()))
        {
            IsSmooth = false, SpecialPoints = SpecialPoints.Composed,
        },
        new("MaxSelect2d", x => Op.Apply(new MaxSelect2dOp(new(1, 2, 2, 2, 2, 2, 2, 0, 0, 1, 1), (int[])[1, 1, 1, 1],
            Tensor.From(new[] { true })), x[0]), [[1, 1, 2, 2]], x => [x[0][1]])
        {
            SpecialPoints = SpecialPoints.Moved,
            Large = new([[5, 16, 30, 32], [5, 16, 15, 16]], Call: x =>
                Differentiation.Gradients(x[0].MaxPool2d(2), [x[0]], x[1], createGraph: true)[0]!),
        },
        new("MaxUnpool2d", x => Op.Apply(new MaxUnpool2dOp(new(1, 2, 2, 2, 2, 2, 2, 0, 0, 1, 1), (int[])[1, 1, 2, 2],
            Tensor.From(new[] { false })), x[0]), [[1, 1, 1, 1]], x => [x[0][0], 0, 0, 0])
        {
            SpecialPoints = SpecialPoints.Moved,
        },
        new("AvgPool2d", x => x[0].AvgPool2d(2), [[1, 2, 4, 5]],
            x => Pool(x[0], 2, 4, 5, 2, 2, 0, 2, 2, w => w.Average()))
        {
            Goldens = [new("AvgPool2d", x => x[0].Reshape(-1, 1, 2, 2).AvgPool2d(2))], Large = new([[5, 16, 31, 33]]),
        },
        new("AvgPool2d, of one", x => x[0].AvgPool2d(1), [[1, 1, 1, 1]], x => x[0])
        {
            SpecialPoints = SpecialPoints.Summed,
        },
        new("AvgPool2d, overlapping, padded, ceil", x => x[0].AvgPool2d(3, 2, 1, ceilMode: true), [[1, 2, 4, 5]],
            x => AveragePadded(x[0], 2, 4, 5))
        {
            SpecialPoints = SpecialPoints.Summed,
        },
        new("AdaptiveAvgPool2d", x => x[0].AdaptiveAvgPool2d((2, 2)), [[1, 1, 4, 3]],
            x => [Mean(x[0], 0, 1, 3, 4), Mean(x[0], 1, 2, 4, 5), Mean(x[0], 6, 7, 9, 10), Mean(x[0], 7, 8, 10, 11)])
        {
            SpecialPoints = SpecialPoints.Summed,
        },
        new("AdaptiveAvgPool2d, to more", x => x[0].AdaptiveAvgPool2d((1, 3)), [[1, 1, 1, 2]],
            x => [x[0][0], (x[0][0] + x[0][1]) / 2, x[0][1]])
        {
            SpecialPoints = SpecialPoints.Summed,
        },
        new("GlobalAvgPool2d", x => x[0].GlobalAvgPool2d(), [[2, 2, 2, 3]],
            x => Rows(x[0], 6, row => [row.Average()]))
        {
            SpecialPoints = SpecialPoints.Summed,
        },
    ];
}
