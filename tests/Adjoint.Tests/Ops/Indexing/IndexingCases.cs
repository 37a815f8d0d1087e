using Adjoint.Distributed;
using static Adjoint.Tests.Ops.Naive;

namespace Adjoint.Tests.Ops;

internal static class IndexingCases
{
    private static readonly Tensor None = Tensor.Zeros([0], DType.Int64);

    internal static OpCase[] Rows { get; } =
    [
        OpCase.Listed("Gather", [[2, 3]], x => [x[0][2], x[0][0], x[0][4], x[0][4]]) with
        {
            Types = OpCase.AnyType, SpecialPoints = SpecialPoints.Moved,
            Large = new([[200, 10]], Call: x => x[0].Gather(1, Integers(3000, 10, 15))),
            Empty = [new([[0, 3]], [0, 2], x => x[0].Gather(1, Tensor.Zeros([0, 2], DType.Int64)))],
            Bad =
            [
                new(() => Tensor.Zeros(1, 3).Gather(1, Tensor.From(new long[] { 5 }, 1, 1)),
                    "Gather: index 5 at element 0 is outside axis 1 of (1, 3); use 0..2"),
                new(() => Tensor.Zeros(2, 3).Gather(1, Tensor.Zeros([3, 1], DType.Int64)),
                    "Gather: the index must be int64 and agree with (2, 3) in every axis but 1: found (3, 1) int64"),
            ],
        },
        new("Gather, with repetitions", x => x[0].Gather(1, Tensor.From(new long[] { 2, 2, 0, 1 }, 2, 2)), [[2, 3]],
            x => [x[0][2], x[0][2], x[0][3], x[0][4]])
        {
            Types = OpCase.AnyType, SpecialPoints = SpecialPoints.Moved,
        },
        new("Gather, of one", x => x[0].Gather(0, Tensor.From(new long[] { 0 })), [[1]], x => x[0])
        {
            Types = OpCase.AnyType, SpecialPoints = SpecialPoints.Moved,
        },
        new("SelectPerRow", x => x[0].SelectPerRow(Tensor.From(new long[] { 2, 0 })), [[2, 3]], x => [x[0][2], x[0][3]])
        {
            Types = OpCase.AnyType, SpecialPoints = SpecialPoints.Moved,
            Empty = [new([[0, 3]], [0], x => x[0].SelectPerRow(None))],
        },
        new("ScatterAdd", x => Op.Apply(new ScatterAddOp(1, (int[])[2, 3]), x[0],
            Tensor.From(new long[] { 2, 2, 0, 1 }, 2, 2)), [[2, 2]],
            x => [0, 0, x[0][0] + x[0][1], x[0][2], x[0][3], 0])
        {
            Types = OpCase.Numbers, SpecialPoints = SpecialPoints.Moved,
        },
        OpCase.Listed("Where", [[2, 3], [3]], x => [x[0][0], x[1][1], x[0][2], x[0][3], x[1][1], x[0][5]]) with
        {
            Types = OpCase.AnyType,
            Goldens = [new("Where", x => Tensor.Where(x[0].Greater(0), x[0], x[1]))],
            Large = new([[40_009], [40_009]], Call: x => Tensor.Where(x[1].Detach().Greater(0), x[0], x[1])),
            Empty = [new([[0, 3], [3]], [0, 3], x => Tensor.Where(x[0].Detach().Greater(0), x[0], x[1]))],
            Bad =
            [
                new(() => Tensor.Where(Tensor.Zeros([3], DType.Bool), Tensor.Zeros(2), Tensor.Zeros(2)),
                    "Where: shapes do not broadcast: (3,) and (2,): sizes 3 and 2 at axis -1 must be equal or 1"),
                new(() => Tensor.Where(Tensor.Zeros(2), Tensor.Zeros(2), Tensor.Zeros(2)),
                    "Where: the condition must be bool: found float32; compare first, as in x.Greater(0)"),
            ],
        },
        OpCase.Listed("IndexSelect", [[2, 3]], x => [x[0][2], x[0][0], x[0][2], x[0][5], x[0][3], x[0][5]]) with
        {
            Types = OpCase.AnyType, SpecialPoints = SpecialPoints.Moved,
            Large = new([[200, 30]], Call: x => x[0].IndexSelect(0, Integers(3000, 200))),
            Empty =
            [
                new([[0, 3]], [0, 2], x => x[0].IndexSelect(1, 2, 0)), new([[2, 3]], [2, 0], x => x[0].IndexSelect(1)),
            ],
            Bad =
            [
                new(() => Tensor.Zeros(4, 3).IndexSelect(1, 3), "IndexSelect: 3 is outside axis 1 of (4, 3); use 0..2"),
            ],
        },
        new("IndexSelect, of one", x => x[0].IndexSelect(0, 0), [[1, 1]], x => x[0])
        {
            Types = OpCase.AnyType, SpecialPoints = SpecialPoints.Moved,
        },
        new("IndexAdd", x => Op.Apply(new IndexAddOp(1, (int[])[2, 3]), x[0], Tensor.From(new long[] { 2, 0, 2 })),
            [[2, 3]], x => [x[0][1], 0, x[0][0] + x[0][2], x[0][4], 0, x[0][3] + x[0][5]])
        {
            Types = OpCase.Numbers, SpecialPoints = SpecialPoints.Moved,
        },
        OpCase.Listed("Embedding", [[3, 2]],
            x => [x[0][4], x[0][5], x[0][0], x[0][1], x[0][4], x[0][5], x[0][2], x[0][3]]) with
        {
            Types = OpCase.AnyType, SpecialPoints = SpecialPoints.Moved,
            Large = new([[200, 30]], Call: x => x[0].Embedding(Integers(3000, 200))),
            Empty = [new([[5, 2]], [0, 2], x => x[0].Embedding(None))],
            Bad =
            [
                new(() => Tensor.Zeros(4, 3).Embedding(Tensor.From(new long[] { 4 })),
                    "Embedding: index 4 at (0) is not a row of (4, 3); use 0..3"),
                new(() => Tensor.Zeros(4, 3).Embedding(Tensor.Zeros(2)),
                    "Embedding: indices must be int64: found float32; use .To(DType.Int64)"),
            ],
        },
        new("Embedding, of one", x => x[0].Embedding(Tensor.From(new long[] { 0 })), [[1, 1]], x => x[0])
        {
            Types = OpCase.AnyType, SpecialPoints = SpecialPoints.Moved,
        },
        OpCase.Listed("TopK", [[2, 4]], x => Rows(x[0], 4, row => [.. row.OrderDescending().Take(2)])) with
        {
            Types = OpCase.Numbers, SpecialPoints = SpecialPoints.Ordered,
            Large = new([[300, 301]], Call: x => x[0].TopK(7, 1).Values),
            Empty = [new([[0, 3]], [0, 2]), new([[2, 3]], [2, 0], x => x[0].TopK(0).Values)],
            Bad =
            [
                new(() => Tensor.Zeros(2, 3).TopK(4),
                    "TopK: k must be from 0 to 3, the size of axis -1 of (2, 3): found 4"),
            ],
        },
        new("TopK, of one", x => x[0].TopK(1, 0).Values, [[1]], x => x[0])
        {
            Types = OpCase.Numbers, IsSmooth = false, SpecialPoints = SpecialPoints.Ordered,
        },
        new("TopK, of the smallest, as they lie", x => x[0].TopK(2, 0, largest: false, sorted: false).Values, [[3, 1]],
            x => [.. x[0].Where((a, i) => x[0].Where((b, j) => b < a || b == a && j < i).Count() < 2)])
        {
            Types = OpCase.Numbers, IsSmooth = false, SpecialPoints = SpecialPoints.Ordered,
        },
        new("TopK, places", x => x[0].TopK(2, 1).Indices, [[2, 3]], x => Rows(x[0], 3, row =>
            [.. Enumerable.Range(0, 3).OrderByDescending(i => row[i]).Take(2).Select(i => (double)i)]))
        {
            Types = OpCase.Numbers, IsDifferentiable = false, SpecialPoints = SpecialPoints.Ordered,
        },
        new("Sort", x => x[0].Sort(0).Values, [[3, 2]],
            x => [.. from i in Enumerable.Range(0, 3) from j in Enumerable.Range(0, 2)
                     select x[0].Where((_, at) => at % 2 == j).Order().ElementAt(i)])
        {
            Types = OpCase.Numbers, IsSmooth = false, SpecialPoints = SpecialPoints.Ordered,
            Empty = [new([[2, 0]], [2, 0], x => x[0].Sort().Values)],
        },
        new("Sort, descending, places", x => x[0].Sort(1, descending: true).Indices, [[2, 3]],
            x => Rows(x[0], 3, row =>
                [.. Enumerable.Range(0, 3).OrderByDescending(i => row[i]).Select(i => (double)i)]))
        {
            Types = OpCase.Numbers, IsDifferentiable = false, SpecialPoints = SpecialPoints.Ordered,
        },
        new("Cast", x => x[0].To(DType.Float32).To(DType.Float64), [[3]], x => [.. x[0].Select(a => (double)(float)a)])
        {
            Types = OpCase.AnyType, Domain = x => Math.Round(x * 4) / 4, SpecialPoints = "CastTests",
            NoDifferences = "a cast rounds; its rule is the identity, tested in TensorTests",
            Large = new([[40_009]], Call: x => x[0].To(DType.Float64)),
        },
        new("Transfer", x => x[0].To(Backends.ReferenceDevice.First).To(Device.Cpu), [[2, 3]], x => x[0])
        {
            Types = OpCase.AnyType, SpecialPoints = SpecialPoints.Moved,
            Uncapturable = "a tensor is moved from one device to another",
        },
        new("SumOverRanks", x => x[0].SumOverRanks(Communicator.Alone), [[2, 3]], x => x[0])
        {
            SpecialPoints = "SumOverRanksTests", Large = new([[40_009]]),
            Empty = [new([[0, 3]], [0, 3])],
        },
        new("PadAxis", x => x[0].PadAxis(1, 1, 2), [[2, 1]], x => [0, x[0][0], 0, 0, 0, x[0][1], 0, 0])
        {
            Types = OpCase.AnyType, SpecialPoints = SpecialPoints.Moved, Empty = [new([[2, 0]], [2, 3])],
        },
        new("PadReflect", x => x[0].PadReflect((0, 2)), [[1, 3]],
            x => [x[0][2], x[0][1], x[0][0], x[0][1], x[0][2], x[0][1], x[0][0]])
        {
            Types = OpCase.AnyType, SpecialPoints = SpecialPoints.Moved,
        },
        new("PadReflect, of both axes", x => x[0].PadReflect((1, 2)), [[2, 2, 3]],
            x => [.. from c in Enumerable.Range(0, 2) from i in (int[])[1, 0, 1, 0]
                     from j in (int[])[2, 1, 0, 1, 2, 1, 0] select x[0][(c * 2 + i) * 3 + j]])
        {
            Types = OpCase.AnyType, SpecialPoints = SpecialPoints.Moved,
        },
        new("PadZero", x => x[0].PadZero((1, 1)), [[1, 2]], x => [0, 0, 0, 0, 0, x[0][0], x[0][1], 0, 0, 0, 0, 0])
        {
            Types = OpCase.AnyType, SpecialPoints = SpecialPoints.Moved,
            Empty = [new([[0, 2, 3]], [0, 4, 5], x => x[0].PadZero(1))],
        },
        new("InterpolateNearest", x => x[0].InterpolateNearest((1, 5)), [[1, 2]],
            x => [x[0][0], x[0][0], x[0][0], x[0][1], x[0][1]])
        {
            Types = OpCase.AnyType, SpecialPoints = SpecialPoints.Moved,
            Empty = [new([[0, 2, 5, 5]], [0, 2, 3, 2], x => x[0].InterpolateNearest((3, 2)))],
        },
        new("InterpolateNearest, to less", x => x[0].InterpolateNearest((2, 2)), [[1, 3, 5]],
            x => [x[0][0], x[0][2], x[0][5], x[0][7]])
        {
            Types = OpCase.AnyType, SpecialPoints = SpecialPoints.Moved,
        },
        new("InterpolateBilinear", x => x[0].InterpolateBilinear((1, 4)), [[1, 2]],
            x => [x[0][0], 0.75 * x[0][0] + 0.25 * x[0][1], 0.25 * x[0][0] + 0.75 * x[0][1], x[0][1]])
        {
            SpecialPoints = SpecialPoints.Summed,
            Bad =
            [
                new(() => Tensor.Zeros([1, 2], DType.UInt8).InterpolateBilinear((1, 4)),
                    "InterpolateBilinear: needs a floating type, which its result has: found uint8; cast with "
                    + ".To(DType.Float32)"),
            ],
            Empty = [new([[2, 0, 5, 5]], [2, 0, 3, 7], x => x[0].InterpolateBilinear((3, 7)))],
        },
        new("InterpolateBilinear, of both axes", x => x[0].InterpolateBilinear((3, 2)), [[2, 2, 5]],
            x => Bilinear(x[0], 2, 2, 5, 3, 2))
        {
            SpecialPoints = SpecialPoints.Summed,
        },
        .. Comparison("Less", (a, b) => a < b, (x, y) => x.Less(y), x => x.Less(2)),
        .. Comparison("LessOrEqual", (a, b) => a <= b, (x, y) => x.LessOrEqual(y), x => x.LessOrEqual(2)),
        .. Comparison("EqualTo", (a, b) => a == b, (x, y) => x.EqualTo(y), x => x.EqualTo(2)),
        .. Comparison("GreaterOrEqual", (a, b) => a >= b, (x, y) => x.GreaterOrEqual(y), x => x.GreaterOrEqual(2)),
        .. Comparison("Greater", (a, b) => a > b, (x, y) => x.Greater(y), x => x.Greater(2)),
        .. Comparison("NotEqualTo", (a, b) => a != b, (x, y) => x.NotEqualTo(y), x => x.NotEqualTo(2)),
    ];

    private static OpCase[] Comparison(
        string name, Func<double, double, bool> reference, Func<Tensor, Tensor, Tensor> call,
        Func<Tensor, Tensor> withNumber) =>
    [
        OpCase.Binary(name, (a, b) => reference(a, b) ? 1 : 0, call: call) with
        {
            IsDifferentiable = false, SpecialPoints = "CompareTests",
        },
        OpCase.Unary(name + ", a number", a => reference(a, 2) ? 1 : 0, call: withNumber) with
        {
            IsDifferentiable = false, SpecialPoints = "CompareTests",
        },
    ];
}
