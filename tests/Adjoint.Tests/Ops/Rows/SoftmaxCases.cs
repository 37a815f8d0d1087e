using static Adjoint.Tests.Ops.Naive;

namespace Adjoint.Tests.Ops;

internal static class SoftmaxCases
{
    internal static OpCase[] Rows { get; } =
    [
        OpCase.Listed("Softmax", [[2, 3]],
            x => Rows(x[0], 3, row => [.. row.Select(a => Math.Exp(a) / row.Sum(Math.Exp))])) with
        {
            Large = new([[300, 301]]), Goldens = [new("Softmax")],
            Empty = [new([[0, 3]], [0, 3], x => x[0].Softmax(0))],
            Bad = [new(() => Tensor.Zeros(4, 3).Softmax(2), "Softmax: axis 2 is outside (4, 3); use -2..1")],
        },
        new("Softmax, of one", x => x[0].Softmax(), [[1, 1]], _ => [1]) { SpecialPoints = SpecialPoints.Composed },
        new("Softmax, of columns", x => x[0].Softmax(0), [[2, 3]],
            x => [.. x[0].Select((a, i) => Math.Exp(a) / (Math.Exp(x[0][i % 3]) + Math.Exp(x[0][3 + i % 3])))])
        {
            HalfUnits = 3, SpecialPoints = SpecialPoints.Composed,
        },
        OpCase.Listed("LogSoftmax", [[2, 3]],
            x => Rows(x[0], 3, row => [.. row.Select(a => a - Math.Log(row.Sum(Math.Exp)))])) with
        {
            Large = new([[300, 301]]), Goldens = [new("LogSoftmax")], Empty = [new([[2, 0]], [2, 0])],
            Bad = [new(() => Tensor.Zeros(4, 3).LogSoftmax(-3), "LogSoftmax: axis -3 is outside (4, 3); use -2..1")],
        },
        new("LogSoftmax, of one", x => x[0].LogSoftmax(), [[1, 1]], _ => [0])
        {
            SpecialPoints = SpecialPoints.Composed,
        },
        new("Normalize", x => x[0].Normalize(), [[2, 3]],
            x => Rows(x[0], 3, row => [.. row.Select(a => a / row.Sum())]))
        {
            Domain = Positive, HalfUnits = 3, Types = OpCase.AnyType, SpecialPoints = SpecialPoints.Composed,
            Empty = [new([[0, 3]], [0, 3])],
        },
    ];
}
