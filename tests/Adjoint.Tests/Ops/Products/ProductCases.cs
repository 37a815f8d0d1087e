using static Adjoint.Tests.Ops.Naive;

namespace Adjoint.Tests.Ops;

internal static class ProductCases
{
    private static readonly Func<Tensor[], Tensor> Product = x => x[0].MatMul(x[1]);

    internal static OpCase[] Rows { get; } =
    [
        OpCase.Listed("MatMul", [[2, 3], [3, 4]], x => MatMul(x[0], x[1], 2, 3, 4)) with
        {
            Types = OpCase.Numbers, Large = new([[130, 257], [257, 190]]),
            Goldens =
            [
                new("MatMul",
                    x => x[0].MatMul(Tensor.From([1.0, 0, 0, 1, -1, 2, 0.5, -1], 4, 2).To(x[0].DType))),
            ],
            Empty =
            [
                new([[0, 3], [3, 4]], [0, 4]), new([[0, 2, 3], [0, 3, 4]], [0, 2, 4]),
                    new([[2, 0, 3], [3, 4]], [2, 0, 4]),
                new([[2, 5, 0], [0, 4]], [2, 5, 4]), new([[0, 2, 3], [3]], [0, 2]),
            ],
            Bad =
            [
                new(() => Tensor.Zeros(128, 784).MatMul(Tensor.Zeros(785, 10)),
                    "MatMul: inner dimensions differ: (128, 784) · (785, 10); the last axis of the left must equal "
                    + "the second last of the right"),
                new(() => Tensor.Zeros(2, 3).MatMul(Tensor.Zeros(4, 3)),
                    "MatMul: inner dimensions differ: (2, 3) · (4, 3); transpose the right operand?"),
                new(() => Tensor.Zeros(2, 3).MatMul(Tensor.Zeros([3, 2], DType.Float64)),
                    "MatMul: both operands must be of one floating or integer type: found float32 and float64; cast "
                    + "one with .To(…)"),
                new(() => Tensor.Zeros(2, 3, 4).MatMul(Tensor.Zeros(3, 4, 5)),
                    "MatMul: shapes do not broadcast: (2,) and (3,): sizes 2 and 3 at axis -1 must be equal or 1"),
                new(() => Tensor.Scalar(1).MatMul(Tensor.Zeros(2)),
                    "MatMul: a scalar has no rows: found () · (2,); multiply with *"),
            ],
        },
        Other("MatMul, of one", [[1, 1], [1, 1]], x => [x[0][0] * x[1][0]]),
        Other("MatMul, narrow", [[2, 3], [3, 2]], x => MatMul(x[0], x[1], 2, 3, 2)),
        Other("MatMul, of a batch", [[2, 2, 3], [2, 3, 1]],
            x => [.. MatMul(x[0][..6], x[1][..3], 2, 3, 1), .. MatMul(x[0][6..], x[1][3..], 2, 3, 1)]) with
        {
            Large = new([[19, 30, 40], [19, 40, 50]]),
        },
        Other("MatMul, of matrix and vector", [[2, 3], [3]], x => MatMul(x[0], x[1], 2, 3, 1)),
        Other("MatMul, of vectors", [[3], [3]], x => MatMul(x[0], x[1], 1, 3, 1)),
        OpCase.Listed("Linear", [[2, 3], [4, 3], [4]], x => Linear(x, 2, 3, 4)) with
        {
            SpecialPoints = SpecialPoints.Summed, Large = new([[300, 130], [70, 130], [70]]),
            Empty = [new([[2, 5, 0], [4, 0], [4]], [2, 5, 4])],
            Bad =
            [
                new(() => Tensor.Scalar(1).Linear(Tensor.Zeros(4, 3), Tensor.Zeros(4)),
                    "Linear: an input (n, 3) is needed: found () for weights (4, 3); the last axis must be the number "
                    + "of inputs"),
                new(() => Tensor.Zeros(2, 3).Linear(Tensor.Zeros(4, 3), Tensor.Zeros(3)),
                    "Linear: the bias must be (4,): found (3,)"),
            ],
        },
        new("Linear, narrow", x => x[0].Linear(x[1], x[2]), [[2, 3], [2, 3], [2]], x => Linear(x, 2, 3, 2))
        {
            SpecialPoints = SpecialPoints.Summed,
        },
        new("Linear, of one", x => x[0].Linear(x[1], x[2]), [[1, 1], [1, 1], [1]],
            x => [x[0][0] * x[1][0] + x[2][0]])
        {
            SpecialPoints = SpecialPoints.Summed,
        },
    ];

    private static OpCase Other(string name, int[][] shapes, Func<double[][], double[]> reference) =>
        new(name, Product, shapes, reference) { Types = OpCase.Numbers, SpecialPoints = SpecialPoints.Composed };

    private static double[] Linear(double[][] x, int rows, int inputs, int outputs) =>
        [.. from i in Enumerable.Range(0, rows) from j in Enumerable.Range(0, outputs)
            select x[2][j] + Enumerable.Range(0, inputs).Sum(k => x[0][i * inputs + k] * x[1][j * inputs + k])];
}
