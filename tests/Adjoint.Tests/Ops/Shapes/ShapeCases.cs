using static Adjoint.Tests.Ops.Naive;

namespace Adjoint.Tests.Ops;

internal static class ShapeCases
{
    internal static OpCase[] Rows { get; } =
    [
        OpCase.Listed("Expand", [[1, 3]], x => [.. Enumerable.Repeat(x[0], 4).SelectMany(row => row)]) with
        {
            Large = new([[300, 1]], Call: x => x[0].Expand(300, 301)),
            Empty = [new([[1, 3]], [0, 3], x => x[0].Expand(0, 3))],
            Bad =
            [
                new(() => Tensor.Zeros(2, 3).Expand(2, 4),
                    "Expand: (2, 3) does not expand to (2, 4); sizes, aligned at the last axis, must be equal or 1"),
            ],
        },
        new("Expand, of columns", x => x[0].Expand(2, 16), [[2, 1]],
            x => [.. x[0].SelectMany(a => Enumerable.Repeat(a, 16))]),
        OpCase.Listed("Reshape", [[2, 3]], x => x[0]) with
        {
            Large = new([[300, 301]], Call: x => x[0].Reshape(-1) * 2),
            Empty =
            [
                new([[0, 3]], [3, 0, 5], x => x[0].Reshape(3, 0, 5)), new([[0, 6]], [0, 3], x => x[0].Reshape(-1, 3)),
            ],
            Bad =
            [
                new(() => Tensor.Zeros(2, 3).Reshape(4, 2),
                    "Reshape: (2, 3) has 6 elements, (4, 2) has 8; the product of the sizes must stay"),
                new(() => Tensor.Zeros(2, 3).Reshape(4, -1),
                    "Reshape: 6 elements of (2, 3) do not fill (4, -1); the sizes must divide them, with at most one "
                    + "−1"),
            ],
        },
        new("Reshape, to the rest", x => x[0].Reshape(3, -1), [[2, 3]], x => x[0]),
        new("Flatten", x => x[0].Flatten(1), [[2, 3, 2]], x => x[0])
        {
            Empty = [new([[0, 3]], [0], x => x[0].Flatten()), new([[0, 3, 4]], [0, 12])],
        },
        new("Squeeze", x => x[0].Squeeze(1).Unsqueeze(0), [[2, 1, 3]], x => x[0]),
        OpCase.Listed("Permute", [[2, 3]], x => [x[0][0], x[0][3], x[0][1], x[0][4], x[0][2], x[0][5]]) with
        {
            Large = new([[41, 43, 47]], Call: x => x[0].Permute(2, 0, 1).Clone()),
            Empty = [new([[0, 3, 4]], [4, 0, 3], x => x[0].Permute(2, 0, 1))],
            Bad = [new(() => Tensor.Zeros(2, 3).Permute(0, 0), "Permute: (0, 0) is not an order of the 2 axes of (2, " +
                "3)")],
        },
        new("Permute, of three axes", x => x[0].Permute(2, 0, 1), [[2, 1, 3]],
            x => [x[0][0], x[0][3], x[0][1], x[0][4], x[0][2], x[0][5]]),
        OpCase.Listed("Slice", [[2, 4]], x => [x[0][1], x[0][2], x[0][5], x[0][6]]) with
        {
            Large = new([[300, 301]], Call: x => x[0].Slice(1, 3, 200, step: 1)),
            Empty = [new([[0, 3]], [0, 2]), new([[4, 3]], [0, 3], x => x[0].Slice(0, 2, 0))],
            Bad =
            [
                new(() => Tensor.Zeros(2, 3).Slice(1, 2, 2),
                    "Slice: 2 elements from 2 in steps of 1 are not inside axis 1 of (2, 3), of size 3"),
            ],
        },
        new("Slice, in steps", x => x[0].Slice(1, 0, 2, step: 2), [[2, 3]], x => [x[0][0], x[0][2], x[0][3], x[0][5]]),
        new("Select", x => x[0].Select(1, 2), [[2, 3]], x => [x[0][2], x[0][5]]),
        new("Place", x => Op.Apply(new PlaceOp((int[])[2, 3], 1, 0, 2, 2), x[0]), [[2, 2]],
            x => [x[0][0], 0, x[0][1], x[0][2], 0, x[0][3]]),
        OpCase.Listed("Contiguous", [[2, 3]], x => x[0]) with
        {
            Empty = [new([[0, 3]], [3, 0], x => x[0].Transpose().Clone())],
        },
        new("Contiguous, of a view", x => x[0].Transpose().Contiguous(), [[2, 3]],
            x => [x[0][0], x[0][3], x[0][1], x[0][4], x[0][2], x[0][5]]),
        OpCase.Listed("Concat", [[2, 3], [2, 1]], x => [.. x[0][..3], x[1][0], .. x[0][3..], x[1][1]]) with
        {
            Large = new([[300, 301], [300, 77]]),
            Empty =
            [
                new([[0, 3], [2, 3]], [2, 3], x => Tensor.Concat([x[0], x[1]])), new([[0, 3], [0, 2]], [0, 5]),
            ],
            Bad =
            [
                new(() => Tensor.Concat([Tensor.Zeros(2, 3), Tensor.Zeros(3, 2)], 1),
                    "Concat: tensors must agree in type and in every axis but 1: found (2, 3) float32 and (3, 2) "
                    + "float32"),
                new(() => Tensor.Concat([]), "Concat: at least one tensor is needed"),
            ],
        },
        new("Concat, of one", x => Tensor.Concat([x[0], x[1]]), [[1], [1]], x => [x[0][0], x[1][0]]),
        new("Stack", x => Tensor.Stack([x[0], x[1]]), [[2], [2]], x => [.. x[0], .. x[1]])
        {
            Empty = [new([[0, 3], [0, 3]], [2, 0, 3])],
        },
        new("Split", x => Tensor.Concat([.. x[0].Split(2, 1).Reverse()], 1), [[2, 3]],
            x => Rows(x[0], 3, row => [row[2], row[0], row[1]]))
        {
            Large = new([[300, 301]], Call: x => x[0].Split(100, 1)[1]),
        },
        new("Split, by sizes", x => Tensor.Concat([.. x[0].Split([1, 0, 2], 1).Reverse()], 1), [[2, 3]],
            x => Rows(x[0], 3, row => [row[1], row[2], row[0]])),
        new("ChannelShuffle", x => x[0].ChannelShuffle(2), [[1, 6, 2]],
            x => [.. ((int[])[0, 3, 1, 4, 2, 5]).SelectMany(c => x[0][(2 * c)..(2 * c + 2)])])
        {
            Empty = [new([[0, 6, 2]], [0, 6, 2]), new([[2, 4, 0]], [2, 4, 0])],
            Bad =
            [
                new(() => Tensor.Zeros(2, 3, 4).ChannelShuffle(2),
                    "ChannelShuffle: an input (n, channels, …) whose channels the groups divide is needed: found "
                    + "(2, 3, 4) and 2 groups"),
            ],
        },
        new("Chunk", x => Tensor.Concat([.. x[0].Chunk(2, 1).Reverse()], 1), [[2, 3]],
            x => Rows(x[0], 3, row => [row[2], row[0], row[1]])),
    ];

    static ShapeCases() => Rows =
        [.. Rows.Select(row => row with { Types = OpCase.AnyType, SpecialPoints = SpecialPoints.Moved })];
}
