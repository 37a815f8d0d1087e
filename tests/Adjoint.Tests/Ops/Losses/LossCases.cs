using static Adjoint.Tests.Ops.Naive;

namespace Adjoint.Tests.Ops;

internal static class LossCases
{
    private static readonly Tensor Labels = Tensor.From(new long[] { 2, 0 });
    private static readonly Tensor None = Tensor.Zeros([0], DType.Int64);
    private static readonly Tensor Many = Integers(3000, 10);

    internal static OpCase[] Rows { get; } =
    [
        OpCase.Listed("CrossEntropy", [[2, 3]],
            x => [(0.9 * (Nll(x[0][..3], 2) + Nll(x[0][3..], 0)) + 0.1 / 3 * NllOfAll(x[0])) / 2]) with
        {
            Large = new([[3000, 10]], Call: x => Loss.CrossEntropy(x[0], Many, 0.1)),
            Empty = [new([[0, 3]], [], x => Loss.CrossEntropy(x[0], None, 0.1, Reduction.Sum))],
            Goldens =
            [
                new("CrossEntropy", x =>
                    PerRow(x[0], row => Loss.CrossEntropy(row, Tensor.From(new long[] { 0 })))),
                new("CrossEntropy, smoothed", x =>
                    PerRow(x[0], row => Loss.CrossEntropy(row, Tensor.From(new long[] { 1 }), 0.2))),
            ],
            Bad =
            [
                new(() => Loss.CrossEntropy(Tensor.Zeros(1, 3), Tensor.From(new long[] { 3 })),
                    "CrossEntropy: label 3 is not a class of logits (1, 3); use 0..2"),
                new(() => Loss.CrossEntropy(Tensor.Zeros(2, 3), Tensor.From(new long[] { 1 })),
                    "CrossEntropy: logits (n, classes) and labels (n) are needed: found (2, 3) and (1,); use "
                    + ".Reshape(…) on one of them"),
            ],
        },
        new("CrossEntropy, of one", x => Loss.CrossEntropy(x[0], Tensor.From(new long[] { 0 })), [[1, 1]], _ => [0])
        {
            SpecialPoints = SpecialPoints.Composed,
        },
        new("CrossEntropy, sharp", x => Loss.CrossEntropy(x[0], Labels), [[2, 3]],
            x => [(Nll(x[0][..3], 2) + Nll(x[0][3..], 0)) / 2])
        {
            SpecialPoints = SpecialPoints.Composed,
        },
        new("CrossEntropy, sum, smoothed", x => Loss.CrossEntropy(x[0], Labels, 0.3, Reduction.Sum), [[2, 3]],
            x => [0.7 * (Nll(x[0][..3], 2) + Nll(x[0][3..], 0)) + 0.1 * NllOfAll(x[0])])
        {
            SpecialPoints = SpecialPoints.Composed,
        },
        new("Nll", x => Loss.Nll(x[0], Labels), [[2, 3]], x => [-(x[0][2] + x[0][3]) / 2])
        {
            Empty = [new([[0, 3]], [], x => Loss.Nll(x[0], None, Reduction.Sum))],
            Goldens =
            [
                new("Nll", x => PerRow(x[0], row => Loss.Nll(row.LogSoftmax(), Tensor.From(new long[] { 0 })))),
            ],
        },
        OfTwo("Mse", (x, y, reduction) => Loss.Mse(x, y, reduction), (a, b) => (a - b) * (a - b)),
        OfTwo("L1", (x, y, reduction) => Loss.L1(x, y, reduction), (a, b) => Math.Abs(a - b),
            new Difference("gradient", x => double.IsNaN(x[0] - x[1]), "as for Abs", double.NaN)) with
        {
            IsSmooth = false,
        },
        OfTwo("Huber", (x, y, reduction) => Loss.Huber(x, y, reduction: reduction),
            (a, b) => Math.Abs(a - b) <= 1 ? (a - b) * (a - b) / 2 : Math.Abs(a - b) - 0.5) with
        {
            IsSmooth = false,
        },
        new("Huber, of delta 0.5", x => Loss.Huber(x[0], x[1], 0.5), [[4], [4]],
            x => [x[0].Zip(x[1], (a, b) => Math.Abs(a - b) <= 0.5
                ? (a - b) * (a - b) / 2
                : 0.5 * (Math.Abs(a - b) - 0.25)).Average()])
        {
            IsSmooth = false, SpecialPoints = SpecialPoints.Composed,
        },
        OfTwo("BceWithLogits", (x, y, reduction) => Loss.BceWithLogits(x, y, reduction),
            (a, t) => -t * Math.Log(1 / (1 + Math.Exp(-a))) - (1 - t) * Math.Log(1 - 1 / (1 + Math.Exp(-a)))) with
        {
            HalfUnits = 3, Domain = x => Math.Abs(x) / 3 + 0.1,
            Goldens =
            [
                new("BceWithLogits", x => Each([x[0], Tensor.From([0, 1, 0.25, 1]).To(x[0].DType)
                        .Expand(x[0].Shape[0], 4)], Loss.BceWithLogits),
                    new Difference("value", x => x.Any(double.IsInfinity), "the limit, ∞; PyTorch has 0 · ∞",
                        double.PositiveInfinity)),
            ],
        },
    ];

    private static OpCase OfTwo(
        string name, Func<Tensor, Tensor, Reduction, Tensor> loss, Func<double, double, double> reference,
        params Difference[] differences) =>
        new(name, x => loss(x[0], x[1], Reduction.Mean), [[4], [4]], x => [x[0].Zip(x[1], reference).Average()])
        {
            Goldens = [new(name, x => Each(x, loss), differences)],
            Empty = [new([[0, 3], [0, 3]], [], x => loss(x[0], x[1], Reduction.Sum))],
            Bad =
            [
                new(() => loss(Tensor.Arange(3), Tensor.Arange(3), Reduction.Mean),
                    $"{name}: prediction and target must be of a floating type: found int64; cast both with "
                    + ".To(DType.Float32)"),
            ],
        };

    private static double NllOfAll(double[] x) =>
        Enumerable.Range(0, 3).Sum(k => Nll(x[..3], k) + Nll(x[3..], k));

    private static Tensor Each(Tensor[] x, Func<Tensor, Tensor, Reduction, Tensor> loss)
    {
        var (left, right) = (x[0].Reshape(-1), x[1].Reshape(-1));
        var each = Enumerable.Range(0, left.Length).Select(i =>
            loss(left.Slice(0, i, 1), right.Slice(0, i, 1), Reduction.Sum));
        return Tensor.Stack([.. each]).Reshape(x[0].Shape.Sizes);
    }

    private static Tensor PerRow(Tensor x, Func<Tensor, Tensor> loss) =>
        Tensor.Stack([.. Enumerable.Range(0, x.Shape[0]).Select(i => loss(x.Slice(0, i, 1)))]);
}
