using static Adjoint.Tests.Ops.Naive;

namespace Adjoint.Tests.Ops;

internal static class ReductionCases
{
    private const string Cancels =
        "which numbers cancel depends on the order, and that on the width of the vectors";
    private const string Shared = "NaNs share the gradient, as in max() and min() of PyTorch; its amax() and amin() "
        + "give NaN to the whole row";

    internal static OpCase[] Rows { get; } =
    [
        OpCase.Listed("Sum", [[2, 3]], x => Rows(x[0], 3, row => [row.Sum()])) with
        {
            Types = OpCase.AnyType, Large = new([[300, 301]]),
            Goldens = [new("Sum", null, new Difference("value", x => x.Any(IsHuge), Cancels))],
            Empty =
            [
                new([[0, 3]], [0]), new([[0, 3]], [3], x => x[0].Sum(0)), new([[0]], [], x => x[0].Sum()),
            ],
            Bad =
            [
                new(() => Tensor.Zeros(2, 3).Sum(2), "Sum: axis 2 is outside (2, 3); use -2..1"),
                new(() => Tensor.Zeros(2, 3).Sum([1, -1]), "Sum: axis -1 is named twice"),
                new(() => Tensor.Scalar(1).Sum(0),
                    "Sum: axis 0 is outside (); a scalar has none: .Reshape(1) makes it a vector"),
            ],
        },
        new("Sum, of one", x => x[0].Sum(0), [[1]], x => x[0])
        {
            Types = OpCase.AnyType, SpecialPoints = SpecialPoints.Moved, Large = new([[701, 130]]),
        },
        new("Sum, of the middle axis", x => x[0].Sum([1]), [[2, 3, 2]], x =>
            [.. from i in Enumerable.Range(0, 2) from k in Enumerable.Range(0, 2)
                select x[0][i * 6 + k] + x[0][i * 6 + 2 + k] + x[0][i * 6 + 4 + k]])
        {
            Types = OpCase.AnyType, SpecialPoints = SpecialPoints.Moved,
        },
        new("Sum, of outer axes", x => x[0].Sum([0, 2]), [[2, 3, 2]], x =>
            [.. from j in Enumerable.Range(0, 3)
                select x[0][j * 2] + x[0][j * 2 + 1] + x[0][6 + j * 2] + x[0][6 + j * 2 + 1]])
        {
            Types = OpCase.AnyType, SpecialPoints = SpecialPoints.Moved, Large = new([[40_009]], Call: x => x[0].Sum()),
        },
        OpCase.Listed("CumSum", [[2, 3]], x => Rows(x[0], 3, row => [row[0], row[0] + row[1], row.Sum()])) with
        {
            Types = OpCase.AnyType, Large = new([[150, 301]]), Goldens = [new("CumSum")],
            Empty = [new([[0, 3]], [0, 3], x => x[0].CumSum(0)), new([[3, 0]], [3, 0])],
            Bad = [new(() => Tensor.Zeros(2).CumSum(1), "CumSum: axis 1 is outside (2,); use -1..0")],
        },
        new("CumSum, of one", x => x[0].CumSum(0), [[1, 1]], x => x[0])
        {
            Types = OpCase.AnyType, SpecialPoints = SpecialPoints.Moved, Large = new([[301, 150]]),
        },
        new("CumSum, of the middle axis, reversed", x => x[0].CumSum(1, reverse: true), [[2, 3, 2]],
            x => [.. x[0].Select((_, at) => Enumerable.Range(0, 3 - at / 2 % 3).Sum(k => x[0][at + 2 * k]))])
        {
            Types = OpCase.AnyType, SpecialPoints = SpecialPoints.Moved,
        },
        new("Mean", x => x[0].Mean(), [[2, 3]], x => [x[0].Average()])
        {
            Goldens = [new("Mean", x => x[0].Mean(1), new Difference("value", x => x.Any(IsHuge), Cancels))],
            Empty = [new([[0, 3]], [0], x => x[0].Mean(1))],
        },
        new("Var", x => x[0].Var(1), [[2, 3]],
            x => Rows(x[0], 3, row => [row.Sum(a => Math.Pow(a - row.Average(), 2)) / 2]))
        {
            Empty = [new([[0, 3]], [0])],
            Goldens =
            [
                new("Var", null,
                    new Difference("gradient", x => !x.All(IsModest),
                        "goes through the mean too, where ∞ meets ∞, or rounding of 10⁸ shows"),
                    new Difference("value", x => x.Any(IsHuge),
                        "squares that overflow make it ∞; PyTorch has ∞ − ∞", double.PositiveInfinity)),
                new("Var of the count", x => x[0].Var(1, correction: 4),
                    new Difference("value", x => x.Any(IsHuge), "as for Var", double.PositiveInfinity),
                    new Difference("gradient", _ => true, "goes through the mean too, where ∞ meets ∞", double.NaN)),
            ],
        },
        new("LogSumExp", x => x[0].LogSumExp(1), [[2, 3]], x => Rows(x[0], 3, row => [Math.Log(row.Sum(Math.Exp))]))
        {
            Types = OpCase.AnyType, Empty = [new([[0, 3]], [0])],
            Goldens =
            [
                new("LogSumExp", null, new Difference("gradient", x => x.Max() >= 1e4,
                    "softmax(x) itself; PyTorch exponentiates a difference of rounded numbers")),
            ],
        },
        OpCase.Listed("Max", [[2, 3]], x => Rows(x[0], 3, row => [row.Max()])) with
        {
            Types = OpCase.AnyType, Large = new([[300, 301]]), Empty = [new([[0, 3]], [0])],
            Goldens = [Extremum("Max"), Extremum("Max of all")],
            Bad = [new(() => Tensor.Zeros(0).Max(), "Max: there is no largest of no elements: found (0,)")],
        },
        new("Max, of one", x => x[0].Max(0), [[1, 1]], x => x[0])
        {
            Types = OpCase.AnyType, IsSmooth = false, SpecialPoints = SpecialPoints.Composed,
        },
        OpCase.Listed("Min", [[2, 3]], x =>
            [.. Enumerable.Range(0, 3).Select(j => Math.Min(x[0][j], x[0][3 + j]))]) with
        {
            Types = OpCase.AnyType, Large = new([[300, 301]]),
            Empty = [new([[0, 3, 2]], [0, 1, 1], x => x[0].Min([1, 2], keepDims: true))],
            Goldens = [Extremum("Min", x => x[0].Min(1)), Extremum("Min of all", x => x[0].Min(1))],
            Bad = [new(() => Tensor.Zeros(3, 0).Min(1), "Min: there is no smallest of no elements: found (3, 0)")],
        },
        new("Min, of rows", x => x[0].Min(1), [[2, 3]], x => Rows(x[0], 3, row => [row.Min()]))
        {
            Types = OpCase.AnyType, IsSmooth = false, SpecialPoints = SpecialPoints.Composed,
        },
        OpCase.Listed("Any", [[2, 3]], x => [x[0].Any(a => a != 0) ? 1 : 0]) with
        {
            Types = OpCase.AnyType, SpecialPoints = "LogicTests", Large = new([[401, 300]], Call: x => x[0].Any(1)),
            Empty = [new([[0, 3]], [0], x => x[0].Any(1)), new([[0, 3]], [3], x => x[0].Any(0))],
            Bad = [new(() => Tensor.Zeros(2, 3).Any(2), "Any: axis 2 is outside (2, 3); use -2..1")],
        },
        OpCase.Listed("All", [[2, 3]], x => [x[0].All(a => a != 0) ? 1 : 0]) with
        {
            Types = OpCase.AnyType, SpecialPoints = "LogicTests", Large = new([[401, 300]], Call: x => x[0].All(0)),
            Empty = [new([[0, 3]], [0], x => x[0].All(1))],
            Bad = [new(() => Tensor.Zeros(2, 3).All([0, 0]), "All: axis 0 is named twice")],
        },
        new("Any, of rows", x => x[0].Greater(0).Any(1), [[2, 3]],
            x => Rows(x[0], 3, row => [row.Any(a => a > 0) ? 1 : 0]))
        {
            Types = OpCase.AnyType, IsDifferentiable = false, SpecialPoints = "LogicTests",
        },
        new("All, of columns", x => x[0].Greater(0).All(0), [[2, 3]],
            x => [.. Enumerable.Range(0, 3).Select(j => x[0][j] > 0 && x[0][3 + j] > 0 ? 1.0 : 0)])
        {
            Types = OpCase.AnyType, IsDifferentiable = false, SpecialPoints = "LogicTests",
        },
        new("ArgMax", x => x[0].ArgMax(1), [[2, 3]], x => Rows(x[0], 3, row => [Array.IndexOf(row, row.Max())]))
        {
            Types = OpCase.AnyType, IsDifferentiable = false, SpecialPoints = "ArgReduceTests",
            Large = new([[300, 301]]), Empty = [new([[0, 3]], [0])],
        },
        new("ArgMin", x => x[0].ArgMin(0), [[2, 3]],
            x => [.. Enumerable.Range(0, 3).Select(j => x[0][3 + j] < x[0][j] ? 1.0 : 0)])
        {
            Types = OpCase.AnyType, IsDifferentiable = false, SpecialPoints = "ArgReduceTests",
            Large = new([[300, 301]]), Empty = [new([[2, 0]], [0])],
        },
    ];

    private static Golden Extremum(string name, Func<Tensor[], Tensor>? call = null) =>
        new(name, call, new Difference("gradient", x => x.Any(double.IsNaN), Shared));

    private static bool IsHuge(double x) => Math.Abs(x) > 1e38 && double.IsFinite(x);

    private static bool IsModest(double x) => Math.Abs(x) < 1e6;
}
