using static Adjoint.Tests.Ops.Naive;

namespace Adjoint.Tests.Ops;

internal static class LossCases
{
    private static readonly Tensor Labels = Tensor.From(new long[] { 2, 0 });
    private static readonly Tensor None = Tensor.Zeros([0], DType.Int64);
    // Of samples, and what they are in the references.
    private static readonly double[] Given = [0.5, 2, 0.25];
    private static readonly Tensor Weights = Tensor.From(Given);
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
                    "CrossEntropy: label 3 of row 0 is not a class of logits (1, 3); use 0..2, or -100 to leave a row "
                    + "out"),
                new(() => Loss.CrossEntropy(Tensor.Zeros(1, 3), Tensor.From(new long[] { -1 })),
                    "CrossEntropy: label -1 of row 0 is not a class of logits (1, 3); use 0..2, or -100 to leave a row "
                    + "out"),
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
        new("CrossEntropy, a label left out",
            x => Loss.CrossEntropy(x[0], Tensor.From(new long[] { 2, -100, 0 }), 0.1), [[3, 3]],
            x => [(0.9 * (Nll(x[0][..3], 2) + Nll(x[0][6..], 0)) + 0.1 / 3 * NllOfAll([.. x[0][..3], .. x[0][6..]]))
                / 2])
        {
            SpecialPoints = SpecialPoints.Composed,
        },
        new("CrossEntropy, of each", x => Loss.CrossEntropy(x[0], Tensor.From(new long[] { 2, -100, 0 }), 0,
            Reduction.None), [[3, 3]], x => [Nll(x[0][..3], 2), 0, Nll(x[0][6..], 0)])
        {
            SpecialPoints = SpecialPoints.Composed,
            Large = new([[3000, 10]], Call: x => Loss.CrossEntropy(x[0], Many, 0.1, Reduction.None)),
            Empty = [new([[0, 3]], [0], x => Loss.CrossEntropy(x[0], None, 0.1, Reduction.None))],
        },
        new("CrossEntropy, weighted", x => Loss.CrossEntropy(x[0], Tensor.From(new long[] { 2, -100, 0 }), 0,
            weights: Weights), [[3, 3]],
            x => [(0.5 * Nll(x[0][..3], 2) + 0.25 * Nll(x[0][6..], 0)) / 0.75])
        {
            Domain = Positive, HalfUnits = 6, RoundsOnce = false, SpecialPoints = SpecialPoints.Composed,
            Bad =
            [
                new(() => Loss.CrossEntropy(Tensor.Zeros(2, 3), Labels, weights: Tensor.Ones(3)),
                    "CrossEntropy: one weight per sample (n), or per loss (2,), is needed: found (3,); use " +
                        ".Reshape(…)"),
            ],
        },
        OpCase.Listed("LinearCrossEntropy", [[2, 4], [3, 4], [3]], x =>
        {
            var logits = Logits(x, 2, 4, 3);
            return [(0.9 * (Nll(logits[..3], 2) + Nll(logits[3..], 0)) + 0.1 / 3 * NllOfAll(logits)) / 2];
        }) with
        {
            HalfUnits = 2,
            SpecialPoints = SpecialPoints.Composed,
            Large = new([[600, 20], [3000, 20], [3000]],
                Call: x => Loss.LinearCrossEntropy(x[0], x[1], x[2], Integers(600, 3000), 0.1)),
            Empty =
            [
                new([[0, 4], [3, 4], [3]], [],
                    x => Loss.LinearCrossEntropy(x[0], x[1], x[2], None, 0.1, Reduction.Sum)),
            ],
            Bad =
            [
                new(() => Loss.LinearCrossEntropy(Tensor.Zeros(2, 4), Tensor.Zeros(3, 4), null,
                    Tensor.From(new long[] { 2, 3 })),
                    "LinearCrossEntropy: label 3 of row 1 is not a class of weight (3, 4); use 0..2, or -100 to leave "
                    + "a row out"),
                new(() => Loss.LinearCrossEntropy(Tensor.Zeros(2, 4), Tensor.Zeros(3, 4), null,
                    Tensor.From(new long[] { 1 })),
                    "LinearCrossEntropy: hidden (n, width) and labels (n) are needed: found (2, 4) and (1,); use "
                    + ".Reshape(…) on one of them"),
                new(() => Loss.LinearCrossEntropy(Tensor.Zeros(2, 4), Tensor.Zeros(4, 3), null, Labels),
                    "LinearCrossEntropy: weights (classes, 4) are needed for hidden (2, 4): found (4, 3); use "
                    + ".Transpose() where the classes are the last axis"),
                new(() => Loss.LinearCrossEntropy(Tensor.Zeros(2, 4), Tensor.Zeros(3, 4), Tensor.Zeros(4), Labels),
                    "LinearCrossEntropy: the bias must be (3,): found (4,)"),
                new(() => Loss.LinearCrossEntropy(
                    Tensor.Zeros(2, 4), Tensor.Zeros([3, 4], DType.Float64), null, Labels),
                    "LinearCrossEntropy: hidden, weights and bias must have one type: found float32, float64; cast "
                    + "with .To(…)"),
                new(() => Loss.LinearCrossEntropy(Tensor.Zeros(2, 4), Tensor.Zeros(3, 4), null, Tensor.Zeros(2)),
                    "LinearCrossEntropy: hidden must be floating and labels int64 class indices: found float32 and "
                    + "float32; cast with .To(DType.Int64)"),
                new(() => Loss.LinearCrossEntropy(Tensor.Zeros(2, 4), Tensor.Zeros(3, 4), null, Labels, 1),
                    "LinearCrossEntropy: label smoothing must be in [0, 1): found 1"),
                new(() => Loss.LinearCrossEntropy(
                    Tensor.Zeros(2, 4), Tensor.Zeros(3, 4), null, Labels, weights: Tensor.Ones(3)),
                    "LinearCrossEntropy: one weight per sample (n), or per loss (2,), is needed: found (3,); use "
                    + ".Reshape(…)"),
            ],
        },
        new("LinearCrossEntropy, without bias, sum, a label left out", x => Loss.LinearCrossEntropy(
            x[0], x[1], null, Tensor.From(new long[] { 2, -100, 0 }), 0.3, Reduction.Sum), [[3, 4], [3, 4]], x =>
            {
                var logits = Logits(x, 3, 4, 3);
                return [0.7 * (Nll(logits[..3], 2) + Nll(logits[6..], 0))
                    + 0.1 * NllOfAll([.. logits[..3], .. logits[6..]])];
            })
        {
            HalfUnits = 2, SpecialPoints = SpecialPoints.Composed,
        },
        new("LinearCrossEntropy, of each", x => Loss.LinearCrossEntropy(
            x[0], x[1], x[2], Tensor.From(new long[] { 2, -100, 0 }), 0, Reduction.None), [[3, 4], [3, 4], [3]], x =>
            {
                var logits = Logits(x, 3, 4, 3);
                return [Nll(logits[..3], 2), 0, Nll(logits[6..], 0)];
            })
        {
            HalfUnits = 2,
            SpecialPoints = SpecialPoints.Composed,
            Empty =
            [
                new([[0, 4], [3, 4], [3]], [0],
                    x => Loss.LinearCrossEntropy(x[0], x[1], x[2], None, 0.1, Reduction.None)),
            ],
        },
        new("LinearCrossEntropy, weighted", x => Loss.LinearCrossEntropy(
            x[0], x[1], x[2], Tensor.From(new long[] { 2, -100, 0 }), weights: Weights), [[3, 4], [3, 4], [3]], x =>
            {
                var logits = Logits(x, 3, 4, 3);
                return [(0.5 * Nll(logits[..3], 2) + 0.25 * Nll(logits[6..], 0)) / 0.75];
            })
        {
            HalfUnits = 6, RoundsOnce = false, SpecialPoints = SpecialPoints.Composed,
        },
        new("CrossEntropy, of soft targets", x => Loss.CrossEntropy(x[0], x[1], 0.1), [[2, 3], [2, 3]],
            x => [(Soft(x[0][..3], x[1][..3], 0.1) + Soft(x[0][3..], x[1][3..], 0.1)) / 2])
        {
            Domain = Positive, HalfUnits = 6, RoundsOnce = false, SpecialPoints = SpecialPoints.Composed,
            Empty = [new([[0, 3], [0, 3]], [], x => Loss.CrossEntropy(x[0], x[1], 0.1, Reduction.Sum))],
            Bad =
            [
                new(() => Loss.CrossEntropy(Tensor.Zeros(2, 3), Tensor.Zeros(2, 4)),
                    "CrossEntropy: logits and probabilities must have one shape (n, classes) and type: found (2, 3) "
                    + "float32 and (2, 4) float32; use .Reshape(…) or .To(…) on one of them"),
            ],
        },
        new("CrossEntropy, of soft targets, weighted", x => Loss.CrossEntropy(x[0], x[1], weights: Weights[..2]),
            [[2, 3], [2, 3]], x => [(0.5 * Soft(x[0][..3], x[1][..3], 0)
                + 2 * Soft(x[0][3..], x[1][3..], 0)) / 2.5])
        {
            Domain = Positive, HalfUnits = 6, RoundsOnce = false, SpecialPoints = SpecialPoints.Composed,
        },
        new("Nll", x => Loss.Nll(x[0], Labels), [[2, 3]], x => [-(x[0][2] + x[0][3]) / 2])
        {
            Empty = [new([[0, 3]], [], x => Loss.Nll(x[0], None, Reduction.Sum))],
            Goldens =
            [
                new("Nll", x => PerRow(x[0], row => Loss.Nll(row.LogSoftmax(), Tensor.From(new long[] { 0 })))),
            ],
        },
        new("Nll, weighted", x => Loss.Nll(x[0], Labels, weights: Weights[..2]), [[2, 3]],
            x => [-(0.5 * x[0][2] + 2 * x[0][3]) / 2.5])
        {
            Domain = Positive, HalfUnits = 6, RoundsOnce = false, SpecialPoints = SpecialPoints.Composed,
        },
        Weighted("Mse", (x, y, w) => Loss.Mse(x, y, weights: w), (a, b) => (a - b) * (a - b)),
        Weighted("L1", (x, y, w) => Loss.L1(x, y, weights: w), (a, b) => Math.Abs(a - b)) with { IsSmooth = false },
        Weighted("Huber", (x, y, w) => Loss.Huber(x, y, weights: w),
            (a, b) => Math.Abs(a - b) <= 1 ? (a - b) * (a - b) / 2 : Math.Abs(a - b) - 0.5) with { IsSmooth = false },
        Weighted("BceWithLogits", (x, y, w) => Loss.BceWithLogits(x, y, weights: w),
            (a, t) => t * Math.Log(1 + Math.Exp(-a)) + (1 - t) * Math.Log(1 + Math.Exp(a))),
        new("BceWithLogits, of weighted positives", x => Loss.BceWithLogits(x[0], x[1], Reduction.None,
            positiveWeight: x[2]), [[2, 3], [2, 3], [3]], x => [.. x[0].Select((a, i) =>
                x[2][i % 3] * x[1][i] * Math.Log(1 + Math.Exp(-a)) + (1 - x[1][i]) * Math.Log(1 + Math.Exp(a)))])
        {
            Domain = Positive, HalfUnits = 6, RoundsOnce = false, SpecialPoints = SpecialPoints.Composed,
            Bad =
            [
                new(() => Loss.BceWithLogits(Tensor.Zeros(2, 3), Tensor.Zeros(2, 3), positiveWeight: Tensor.Ones(2)),
                    "BceWithLogits: a positive weight for each of 3 labels (3,), or one, is needed: found (2,); use "
                    + ".Reshape(…)"),
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
                        .Expand(x[0].Shape[0], 4)], (x, y, reduction) => Loss.BceWithLogits(x, y, reduction)),
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

    // Samples of two values each, whose weight counts for both.
    private static OpCase Weighted(
        string name, Func<Tensor, Tensor, Tensor, Tensor> loss, Func<double, double, double> reference) =>
        new($"{name}, weighted", x => loss(x[0], x[1], Weights), [[3, 2], [3, 2]],
            x => [x[0].Select((a, i) => Given[i / 2] * reference(a, x[1][i])).Sum() / (2 * Given.Sum())])
        {
            Domain = Positive,
            HalfUnits = 6,
            RoundsOnce = false,
            SpecialPoints = SpecialPoints.Composed,
            Bad =
            [
                new(() => loss(Tensor.Zeros(3, 2), Tensor.Zeros(3, 2), Tensor.Ones(2)),
                    $"{name}: one weight per sample (n), or per loss (3, 2), is needed: found (2,); use .Reshape(…)"),
            ],
        };

    private static double Positive(double x) => Math.Abs(x) / 3 + 0.1;

    private static double Soft(double[] x, double[] t, double smoothing) => Enumerable.Range(0, 3)
        .Sum(k => ((1 - smoothing) * t[k] + smoothing / 3) * Nll(x, k));

    // Of hidden (n, d), weights (c, d) and perhaps a bias (c).
    private static double[] Logits(double[][] x, int n, int d, int c) => [.. Enumerable.Range(0, n * c).Select(i =>
        Enumerable.Range(0, d).Sum(k => x[0][i / c * d + k] * x[1][i % c * d + k]) + (x.Length > 2 ? x[2][i % c] : 0))];

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
