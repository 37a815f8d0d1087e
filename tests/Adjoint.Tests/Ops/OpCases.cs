namespace Adjoint.Tests.Ops;

/// <summary>
/// A row per op: how it is called, at which inputs, and its value by an independent, naive float64 formula over flat arrays.
/// </summary>
public sealed record OpCase(
    string Name, Func<Tensor[], Tensor> Call, int[][] Shapes, Func<double[][], double[]> Reference,
    Func<double, double>? Domain = null, bool Smooth = true, bool Elementwise = false, bool Differentiable = true)
{
    public override string ToString() => Name;

    /// <summary>Fixed pseudo-random inputs, moved into the op's domain; others for each number.</summary>
    public double[][] Inputs(int number = 0)
    {
        var random = new Random(20260101 + Shapes.Length + 1000 * number);
        return [.. Shapes.Select(shape => Enumerable.Range(0, shape.Aggregate(1, (a, b) => a * b)).Select(_ =>
        {
            var x = Math.Round(random.NextDouble() * 4 - 2, 3) + 0.0005;
            return Domain is null ? x : Domain(x);
        }).ToArray())];
    }

    /// <summary>The inputs as tensors of a type.</summary>
    public Tensor[] Tensors(double[][] inputs, DType dtype) =>
        [.. inputs.Select((values, i) => Tensor.From(values.AsSpan(), Shapes[i]).To(dtype).Detach())];
}

public static class OpCases
{
    private static readonly Func<double, double> Positive = x => Math.Abs(x) + 0.3;

    // At least 0.1 from 0 and ±1.
    private static readonly Func<double, double> AwayFromKinks = x => Math.Sign(x) * (Math.Abs(x) < 1 ? 0.1 + 0.8 * Math.Abs(x) : 1.1 + Math.Abs(x));

    public static IReadOnlyList<OpCase> All { get; } =
    [
        new("Add", x => x[0] + x[1], [[2, 3], [3]], x => Map2(x[0], x[1], (a, b) => a + b), Elementwise: true),
        new("Subtract", x => x[0] - x[1], [[2, 3], [3]], x => Map2(x[0], x[1], (a, b) => a - b), Elementwise: true),
        new("Multiply", x => x[0] * x[1], [[2, 3], [3]], x => Map2(x[0], x[1], (a, b) => a * b), Elementwise: true),
        new("Divide", x => x[0] / x[1], [[2, 3], [3]], x => Map2(x[0], x[1], (a, b) => a / b), AwayFromKinks, Elementwise: true),
        new("FloorDivide", x => x[0].FloorDivide(x[1]), [[2, 3], [3]],
            x => Map2(x[0], x[1], (a, b) => double.IsInfinity(a) ? double.NaN : Math.Floor(a / b)), AwayFromKinks,
            Smooth: false, Elementwise: true),
        new("Remainder", x => x[0].Remainder(x[1]), [[2, 3], [3]],
            x => Map2(x[0], x[1], (a, b) => a - b * Math.Floor(a / b)), AwayFromKinks,
            Smooth: false, Elementwise: true),
        Exact("And", x => x[0] & x[1], (a, b) => a & b),
        Exact("Or", x => x[0] | x[1], (a, b) => a | b),
        Exact("Xor", x => x[0] ^ x[1], (a, b) => a ^ b),
        Exact("Not", x => ~x[0] + x[1] * 0, (a, _) => ~a),
        new("Any", x => x[0].Greater(0).Any(1).To(DType.Float64), [[2, 3]],
            x => Rows(x[0], 3, row => [row.Any(a => a > 0) ? 1 : 0]), Differentiable: false),
        new("All", x => x[0].Greater(0).All(0).To(DType.Float64), [[2, 3]],
            x => [.. Enumerable.Range(0, 3).Select(j => x[0][j] > 0 && x[0][3 + j] > 0 ? 1.0 : 0)],
            Differentiable: false),
        new("PowerOfTensors", x => x[0].Pow(x[1]), [[2, 3], [3]], x => Map2(x[0], x[1], Math.Pow), Positive, Elementwise: true),
        new("Minimum", x => x[0].Minimum(x[1]), [[2, 3], [3]], x => Map2(x[0], x[1], Math.Min), Smooth: false, Elementwise: true),
        new("Maximum", x => x[0].Maximum(x[1]), [[2, 3], [3]], x => Map2(x[0], x[1], Math.Max), Smooth: false, Elementwise: true),
        Unary("Negate", x => -x, a => -a),
        Unary("Affine", x => 2 - x * 3, a => 2 - a * 3),
        Unary("DivideByNumber", x => x / 3, a => a / 3),
        Unary("Reciprocal", x => 1 / x, a => 1 / a, AwayFromKinks),
        Unary("Power", x => x.Pow(3), a => a * a * a),
        Unary("Abs", x => x.Abs(), Math.Abs, AwayFromKinks, smooth: false),
        Unary("Sign", x => x.Sign(), a => double.IsNaN(a) ? a : Math.Sign(a), AwayFromKinks, smooth: false),
        Unary("Clamp", x => x.Clamp(-1, 1), a => Math.Clamp(a, -1, 1), AwayFromKinks, smooth: false),
        Unary("Exp", x => x.Exp(), Math.Exp),
        Unary("Log", x => x.Log(), Math.Log, Positive),
        Unary("Log1p", x => x.Log1p(), a => Math.Log(1 + a), Positive),
        Unary("Sqrt", x => x.Sqrt(), Math.Sqrt, Positive),
        Unary("Square", x => x.Square(), a => a * a),
        Unary("Sin", x => x.Sin(), Math.Sin),
        Unary("Cos", x => x.Cos(), Math.Cos),
        Unary("Tanh", x => x.Tanh(), Math.Tanh),
        Unary("Sigmoid", x => x.Sigmoid(), a => 1 / (1 + Math.Exp(-a))),
        Unary("Relu", x => x.Relu(), a => Math.Max(a, 0), AwayFromKinks, smooth: false),
        Unary("LeakyRelu", x => x.LeakyRelu(0.1), a => a > 0 ? a : 0.1 * a, AwayFromKinks, smooth: false),
        Unary("Elu", x => x.Elu(), a => a > 0 ? a : Math.Exp(a) - 1, AwayFromKinks),
        Unary("Gelu", x => x.Gelu(), a => a * Phi(a)),
        Unary("GeluTanh", x => x.GeluTanh(), a => 0.5 * a * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (a + 0.044715 * a * a * a)))),
        Unary("NormalCdf", x => x.NormalCdf(), Phi),
        Unary("Erf", x => x.Erf(), a => 2 * Phi(a * Math.Sqrt(2)) - 1),
        Unary("Silu", x => x.Silu(), a => a / (1 + Math.Exp(-a))),
        Unary("Softplus", x => x.Softplus(), a => Math.Log(1 + Math.Exp(a))),
        new("Sum", x => x[0].Sum([1]), [[2, 3]], x => Rows(x[0], 3, row => [row.Sum()])),
        new("Sum of the middle axis", x => x[0].Sum([1]), [[2, 3, 2]], x => [.. from i in Enumerable.Range(0, 2) from k in Enumerable.Range(0, 2) select x[0][i * 6 + k] + x[0][i * 6 + 2 + k] + x[0][i * 6 + 4 + k]]),
        new("Sum of outer axes", x => x[0].Sum([0, 2]), [[2, 3, 2]], x => [.. from j in Enumerable.Range(0, 3) select x[0][j * 2] + x[0][j * 2 + 1] + x[0][6 + j * 2] + x[0][6 + j * 2 + 1]]),
        new("CumSum", x => x[0].CumSum(-1), [[2, 3]], x => Rows(x[0], 3, row => [row[0], row[0] + row[1], row.Sum()])),
        new("CumSum of the middle axis, reversed", x => x[0].CumSum(1, reverse: true), [[2, 3, 2]],
            x => [.. x[0].Select((_, at) => Enumerable.Range(0, 3 - at / 2 % 3).Sum(k => x[0][at + 2 * k]))]),
        new("Mean", x => x[0].Mean(), [[2, 3]], x => [x[0].Average()]),
        new("Var", x => x[0].Var(1), [[2, 3]], x => Rows(x[0], 3, row => [row.Sum(a => Math.Pow(a - row.Average(), 2)) / 2])),
        new("LogSumExp", x => x[0].LogSumExp(1), [[2, 3]], x => Rows(x[0], 3, row => [Math.Log(row.Sum(Math.Exp))])),
        new("Max", x => x[0].Max(1), [[2, 3]], x => Rows(x[0], 3, row => [row.Max()]), Smooth: false),
        new("Min", x => x[0].Min(1), [[2, 3]], x => Rows(x[0], 3, row => [row.Min()]), Smooth: false),
        new("TopK", x => x[0].TopK(2, 1).Values, [[2, 3]], x => Rows(x[0], 3, row =>
            [.. row.OrderDescending().Take(2)]), Smooth: false),
        new("TopK of the smallest, as they lie", x => x[0].TopK(2, 0, largest: false, sorted: false).Values, [[3,
            1]], x => [.. x[0].Where(a => a < x[0].Max())], Smooth: false),
        new("Sort", x => x[0].Sort(0).Values, [[3, 2]], x => [.. from i in Enumerable.Range(0,
            3) from j in Enumerable.Range(0, 2) select x[0].Where((_, at) => at % 2 == j).Order().ElementAt(i)], Smooth: false),
        new("Split", x => Tensor.Concat([.. x[0].Split(2, 1).Reverse()], 1), [[2, 3]], x => Rows(x[0], 3, row =>
            [row[2], row[0], row[1]])),
        new("Expand", x => x[0].Expand(2, 16), [[2, 1]], x => [.. x[0].SelectMany(a => Enumerable.Repeat(a, 16))]),
        new("Reshape", x => x[0].Reshape(3, -1), [[2, 3]], x => x[0]),
        new("Permute", x => x[0].Transpose(), [[2, 3]], x => [x[0][0], x[0][3], x[0][1], x[0][4], x[0][2], x[0][5]]),
        new("Slice", x => x[0].Slice(1, 0, 2, step: 2), [[2, 3]], x => [x[0][0], x[0][2], x[0][3], x[0][5]]),
        new("Place", x => Op.Apply(new PlaceOp((int[])[2, 3], 1, 0, 2, 2), x[0]), [[2, 2]], x => [x[0][0], 0, x[0][1], x[0][2], 0, x[0][3]]),
        new("Contiguous", x => x[0].Clone(), [[2, 3]], x => x[0]),
        new("Concat", x => Tensor.Concat([x[0], x[1]], 1), [[2, 2], [2, 1]], x => [x[0][0], x[0][1], x[1][0], x[0][2], x[0][3], x[1][1]]),
        new("Stack", x => Tensor.Stack([x[0], x[1]]), [[2], [2]], x => [.. x[0], .. x[1]]),
        new("Gather", x => x[0].Gather(1, Tensor.From(new long[] { 2, 2, 0, 1 }, 2, 2)), [[2, 3]], x => [x[0][2], x[0][2], x[0][3], x[0][4]]),
        new("ScatterAdd", x => Op.Apply(new ScatterAddOp(1, (int[])[2, 3]), x[0], Tensor.From(new long[] { 2, 2, 0, 1 }, 2, 2)), [[2, 2]], x => [0, 0, x[0][0] + x[0][1], x[0][2], x[0][3], 0]),
        new("Where", x => Tensor.Where(Tensor.From(new[] { true, false, true }), x[0], x[1]), [[2, 3], [3]], x => [x[0][0], x[1][1], x[0][2], x[0][3], x[1][1], x[0][5]]),
        new("Mask", x => x[0].MaskedBy(new ReluOp.Vjp(), x[1].Detach()), [[4], [4]], x => [.. x[0].Zip(x[1], (g, y) => y > 0 ? g : 0)], AwayFromKinks),
        new("Accumulate", x => Op.Apply(Accumulate.Instance, x[0], x[1]), [[3], [3]], x => [.. x[0].Zip(x[1], (a, b) => a + b)]),
        new("Cast", x => x[0].To(DType.Float32).To(DType.Float64), [[3]], x => [.. x[0].Select(a => (double)(float)a)], x => Math.Round(x * 4) / 4),
        new("MatMul", x => x[0].MatMul(x[1]), [[2, 3], [3, 2]], x => MatMul(x[0], x[1], 2, 3, 2)),
        new("MatMul of a batch", x => x[0].MatMul(x[1]), [[2, 2, 3], [2, 3, 1]], x => [.. MatMul(x[0][..6], x[1][..3], 2, 3, 1), .. MatMul(x[0][6..], x[1][3..], 2, 3, 1)]),
        new("MatMul of matrix and vector", x => x[0].MatMul(x[1]), [[2, 3], [3]], x => MatMul(x[0], x[1], 2, 3, 1)),
        new("MatMul of vectors", x => x[0].MatMul(x[1]), [[3], [3]], x => MatMul(x[0], x[1], 1, 3, 1)),
        new("Linear", x => x[0].Linear(x[1], x[2]), [[2, 3], [2, 3], [2]], x => [.. from i in Enumerable.Range(0, 2) from j in Enumerable.Range(0, 2) select x[2][j] + Enumerable.Range(0, 3).Sum(k => x[0][i * 3 + k] * x[1][j * 3 + k])]),
        new("Softmax", x => x[0].Softmax(), [[2, 3]], x => Rows(x[0], 3, row => [.. row.Select(a => Math.Exp(a) / row.Sum(Math.Exp))])),
        new("LogSoftmax", x => x[0].LogSoftmax(), [[2, 3]], x => Rows(x[0], 3, row => [.. row.Select(a => a - Math.Log(row.Sum(Math.Exp)))])),
        new("Normalize", x => x[0].Normalize(), [[2, 3]], x => Rows(x[0], 3, row => [.. row.Select(a => a / row.Sum())]), Positive),
        new("Conv2d", x => x[0].Conv2d(x[1], x[2], padding: (1, 0)), [[2, 2, 4, 5], [3, 2, 3, 2], [3]], x => Conv(x[0], [2, 2, 4, 5], x[1], [3, 2, 3, 2], x[2], (1, 1), (1, 0), (1, 1), 1)),
        new("Conv2d strided, dilated, grouped", x => x[0].Conv2d(x[1], null, (2, 1), (1, 2), (1, 2), 2), [[1, 4, 5, 6], [2, 2, 3, 2]], x => Conv(x[0], [1, 4, 5, 6], x[1], [2, 2, 3, 2], null, (2, 1), (1, 2), (1, 2), 2)),
        new("Conv1d", x => x[0].Conv1d(x[1], null, 2, 1), [[2, 2, 7], [3, 2, 3]], x => Conv(x[0], [2, 2, 1, 7], x[1], [3, 2, 1, 3], null, (1, 2), (0, 1), (1, 1), 1)),
        new("ConvTranspose2d", x => x[0].ConvTranspose2d(x[1], x[2], (2, 1), (1, 0), (1, 0)), [[2, 2, 3, 2], [2, 3, 3, 2], [3]], x => ConvTransposed(x[0], [2, 2, 3, 2], x[1], [2, 3, 3, 2], x[2], (2, 1), (1, 0), 6, 3)),
        new("ConvTranspose2d dilated, grouped", x => x[0].ConvTranspose2d(x[1], x[2], 1, (0, 1), 0, (2, 1), 2), [[1, 4, 2, 3], [4, 2, 2, 3], [4]], x => ConvTransposed(x[0], [1, 4, 2, 3], x[1], [4, 2, 2, 3], x[2], (1, 1), (0, 1), 4, 3, (2, 1), 2)),
        new("Conv2dWeightGradient", x => Op.Apply(new Conv2dWeightGradientOp(new(1, 0, 1, 1), 2), x[0], x[1]), [[2, 1, 3, 3], [2, 2, 2, 2]], x => WeightGradient(x[0], x[1])),
        new("MaxPool2d", x => x[0].MaxPool2d(2), [[1, 2, 4, 5]], x => Pool(x[0], 2, 4, 5, 2, 2, 0, 2, 2, w => w.Max()), Smooth: false),
        new("MaxPool2d overlapping, padded, ceil", x => x[0].MaxPool2d(3, 2, 1, ceil: true), [[1, 2, 4, 5]], x => Pool(x[0], 2, 4, 5, 3, 2, 1, 3, 3, w => w.Max()), Smooth: false),
        new("MaxSelect2d", x => Op.Apply(new MaxSelect2dOp(new(1, 2, 2, 2, 2, 2, 2, 0, 0, 1, 1), (int[])[1, 1, 1, 1],
            Tensor.From(new[] { true })), x[0]), [[1, 1, 2, 2]], x => [x[0][1]]),
        new("MaxUnpool2d", x => Op.Apply(new MaxUnpool2dOp(new(1, 2, 2, 2, 2, 2, 2, 0, 0, 1, 1), (int[])[1, 1, 2, 2], Tensor.From(new[] { false })), x[0]), [[1, 1, 1, 1]], x => [x[0][0], 0, 0, 0]),
        new("AvgPool2d", x => x[0].AvgPool2d(2), [[1, 2, 4, 5]], x => Pool(x[0], 2, 4, 5, 2, 2, 0, 2, 2, w => w.Average())),
        new("AvgPool2d overlapping, padded, ceil", x => x[0].AvgPool2d(3, 2, 1, ceil: true), [[1, 2, 4, 5]], x => AveragePadded(x[0], 2, 4, 5)),
        new("AdaptiveAvgPool2d to more", x => x[0].AdaptiveAvgPool2d((1, 3)), [[1, 1, 1, 2]], x => [x[0][0], (x[0][0] + x[0][1]) / 2, x[0][1]]),
        new("AdaptiveAvgPool2d", x => x[0].AdaptiveAvgPool2d((2, 2)), [[1, 1, 4, 3]], x => [Mean(x[0], 0, 1, 3, 4), Mean(x[0], 1, 2, 4, 5), Mean(x[0], 6, 7, 9, 10), Mean(x[0], 7, 8, 10, 11)]),
        new("GlobalAvgPool2d", x => x[0].GlobalAvgPool2d(), [[2, 2, 2, 3]], x => Rows(x[0], 6, row => [row.Average()])),
        new("BatchNorm", x => x[0].BatchNorm(x[1], x[2]), [[3, 2, 4], [2], [2]], x => Normalised(x[0], i => i / 4 % 2, i => i / 4 % 2, x[1], x[2], 1e-5)),
        new("BatchNorm of columns", x => x[0].BatchNorm(x[1], x[2], 0.1), [[5, 3], [3], [3]], x => Normalised(x[0], i => i % 3, i => i % 3, x[1], x[2], 0.1)),
        new("LayerNorm", x => x[0].LayerNorm(x[1], x[2]), [[2, 5], [5], [5]], x => Normalised(x[0], i => i / 5, i => i % 5, x[1], x[2], 1e-5)),
        new("GroupNorm", x => x[0].GroupNorm(2, x[1], x[2]), [[2, 4, 3], [4], [4]], x => Normalised(x[0], i => i / 6, i => i / 3 % 4, x[1], x[2], 1e-5)),
        new("RmsNorm", x => x[0].RmsNorm(x[1]), [[2, 4], [4]], x => Rows(x[0], 4, row => [.. row.Select((a, i) => a / Math.Sqrt(row.Average(b => b * b) + 1e-6) * x[1][i])])),
        new("IndexSelect", x => x[0].IndexSelect(1, 2, 0, 2), [[2, 3]], x => [x[0][2], x[0][0], x[0][2], x[0][5], x[0][3], x[0][5]]),
        new("Embedding", x => x[0].Embedding(Tensor.From(new long[] { 2, 0, 2, 1 }, 2, 2)), [[3, 2]],
            x => [x[0][4], x[0][5], x[0][0], x[0][1], x[0][4], x[0][5], x[0][2], x[0][3]]),
        new("IndexAdd", x => Op.Apply(new IndexAddOp(1, (int[])[2, 3]), x[0], Tensor.From(new long[] { 2, 0, 2 })),
            [[2, 3]], x => [x[0][1], 0, x[0][0] + x[0][2], x[0][4], 0, x[0][3] + x[0][5]]),
        new("Transfer", x => x[0].To(Backends.ReferenceDevice.First).To(Device.Cpu), [[2, 3]], x => x[0]),
        new("PadReflect", x => x[0].PadReflect((0, 2)), [[1, 3]], x => [x[0][2], x[0][1], x[0][0], x[0][1], x[0][2], x[0][1], x[0][0]]),
        new("PadZero", x => x[0].PadZero((1, 1)), [[1, 2]], x => [0, 0, 0, 0, 0, x[0][0], x[0][1], 0, 0, 0, 0, 0]),
        new("InterpolateNearest", x => x[0].InterpolateNearest((1, 5)), [[1, 2]], x => [x[0][0], x[0][0], x[0][0], x[0][1], x[0][1]]),
        new("PadReflect of both axes", x => x[0].PadReflect((1, 2)), [[2, 2, 3]], x => [.. from c in Enumerable.Range(0, 2) from i in (int[])[1, 0, 1, 0] from j in (int[])[2, 1, 0, 1, 2, 1, 0] select x[0][(c * 2 + i) * 3 + j]]),
        new("InterpolateNearest to less", x => x[0].InterpolateNearest((2, 2)), [[1, 3, 5]], x => [x[0][0], x[0][2], x[0][5], x[0][7]]),
        new("InterpolateBilinear of both axes", x => x[0].InterpolateBilinear((3, 2)), [[2, 2, 5]], x => Bilinear(x[0], 2, 2, 5, 3, 2)),
        new("InterpolateBilinear", x => x[0].InterpolateBilinear((1, 4)), [[1, 2]], x => [x[0][0], 0.75 * x[0][0] + 0.25 * x[0][1], 0.25 * x[0][0] + 0.75 * x[0][1], x[0][1]]),
        new("CrossEntropy", x => Loss.CrossEntropy(x[0], Tensor.From(new long[] { 2, 0 })), [[2, 3]], x => [(Nll(x[0][..3], 2) + Nll(x[0][3..], 0)) / 2]),
        new("CrossEntropy, sum, smoothed", x => Loss.CrossEntropy(x[0], Tensor.From(new long[] { 2, 0 }), 0.3, Reduction.Sum), [[2, 3]],
            x => [0.7 * (Nll(x[0][..3], 2) + Nll(x[0][3..], 0)) + 0.1 * Enumerable.Range(0, 3).Sum(k => Nll(x[0][..3], k) + Nll(x[0][3..], k))]),
        new("Nll", x => Loss.Nll(x[0], Tensor.From(new long[] { 2, 0 })), [[2, 3]], x => [-(x[0][2] + x[0][3]) / 2]),
        new("Mse", x => Loss.Mse(x[0], x[1]), [[4], [4]], x => [x[0].Zip(x[1], (a, b) => (a - b) * (a - b)).Average()]),
        new("L1", x => Loss.L1(x[0], x[1]), [[4], [4]], x => [x[0].Zip(x[1], (a, b) => Math.Abs(a - b)).Average()], Smooth: false),
        new("Huber", x => Loss.Huber(x[0], x[1], 0.5), [[4], [4]], x => [x[0].Zip(x[1], (a, b) => Math.Abs(a - b) <= 0.5 ? (a - b) * (a - b) / 2 : 0.5 * (Math.Abs(a - b) - 0.25)).Average()], Smooth: false),
        new("BceWithLogits", x => Loss.BceWithLogits(x[0], x[1]), [[4], [4]], x => [x[0].Zip(x[1], (a, t) => -t * Math.Log(1 / (1 + Math.Exp(-a))) - (1 - t) * Math.Log(1 - 1 / (1 + Math.Exp(-a)))).Average()], x => Math.Abs(x) / 3 + 0.1),
    ];

    private static OpCase Unary(string name, Func<Tensor, Tensor> call, Func<double, double> reference, Func<double, double>? domain = null, bool smooth = true) =>
        new(name, x => call(x[0]), [[3, 7]], x => [.. x[0].Select(reference)], domain, smooth, Elementwise: true);

    // Of whole numbers; their gradient ends at the cast.
    private static OpCase Exact(string name, Func<Tensor[], Tensor> call, Func<long, long, long> reference) =>
        new(name, x => call([.. x.Select(one => (one * 100).To(DType.Int64))]).To(DType.Float64), [[2, 3], [3]],
            x => Map2(x[0], x[1], (a, b) => reference((long)(a * 100), (long)(b * 100))), Differentiable: false);

    private static double[] Map2(double[] a, double[] b, Func<double, double, double> f) => [.. a.Select((value, i) => f(value, b[i % b.Length]))];

    private static double[] Rows(double[] x, int width, Func<double[], double[]> f) => [.. x.Chunk(width).SelectMany(f)];

    private static double Mean(double[] x, params int[] at) => at.Average(i => x[i]);

    private static double[] Conv(double[] x, int[] xs, double[] w, int[] ws, double[]? b, (int H, int W) stride, (int H, int W) pad, (int H, int W) dilation, int groups)
    {
        var (oh, ow) = ((xs[2] + 2 * pad.H - dilation.H * (ws[2] - 1) - 1) / stride.H + 1, (xs[3] + 2 * pad.W - dilation.W * (ws[3] - 1) - 1) / stride.W + 1);
        return [.. from n in Enumerable.Range(0, xs[0]) from f in Enumerable.Range(0, ws[0]) from i in Enumerable.Range(0, oh) from j in Enumerable.Range(0, ow)
            select (b?[f] ?? 0) + (from c in Enumerable.Range(0, ws[1]) from ky in Enumerable.Range(0, ws[2]) from kx in Enumerable.Range(0, ws[3])
                let row = i * stride.H + ky * dilation.H - pad.H
                let column = j * stride.W + kx * dilation.W - pad.W
                where row >= 0 && row < xs[2] && column >= 0 && column < xs[3]
                select x[((n * xs[1] + f / (ws[0] / groups) * ws[1] + c) * xs[2] + row) * xs[3] + column] * w[((f * ws[1] + c) * ws[2] + ky) * ws[3] + kx]).Sum()];
    }

    private static double[] ConvTransposed(double[] x, int[] xs, double[] w, int[] ws, double[] b, (int H, int W) stride, (int H, int W) pad, int height, int width, (int H, int W)? dilated = null, int groups = 1)
    {
        var dilation = dilated ?? (1, 1);
        var filters = ws[1] * groups;
        var y = new double[xs[0] * filters * height * width];
        for (var i = 0; i < y.Length; i++) y[i] = b[i / (height * width) % filters];
        for (var n = 0; n < xs[0]; n++)
            for (var f = 0; f < xs[1]; f++)
                for (var i = 0; i < xs[2]; i++)
                    for (var j = 0; j < xs[3]; j++)
                        for (var c = 0; c < ws[1]; c++)
                            for (var ky = 0; ky < ws[2]; ky++)
                                for (var kx = 0; kx < ws[3]; kx++)
                                {
                                    var (row, column) = (i * stride.H + ky * dilation.H - pad.H, j * stride.W + kx * dilation.W - pad.W);
                                    if (row >= 0 && row < height && column >= 0 && column < width)
                                        y[((n * filters + f / (xs[1] / groups) * ws[1] + c) * height + row) * width + column] += x[((n * xs[1] + f) * xs[2] + i) * xs[3] + j] * w[((f * ws[1] + c) * ws[2] + ky) * ws[3] + kx];
                                }
        return y;
    }

    // x (2, 1, 3, 3), g (2, 2, 2, 2) → (2, 1, 2, 2)
    private static double[] WeightGradient(double[] x, double[] g) =>
        [.. from f in Enumerable.Range(0, 2) from ky in Enumerable.Range(0, 2) from kx in Enumerable.Range(0, 2)
            select (from n in Enumerable.Range(0, 2) from i in Enumerable.Range(0, 2) from j in Enumerable.Range(0, 2) select g[((n * 2 + f) * 2 + i) * 2 + j] * x[(n * 3 + i + ky) * 3 + j + kx]).Sum()];

    private static double[] Pool(double[] x, int planes, int h, int w, int kernel, int stride, int pad, int oh, int ow, Func<IEnumerable<double>, double> f) =>
        [.. from p in Enumerable.Range(0, planes) from i in Enumerable.Range(0, oh) from j in Enumerable.Range(0, ow)
            select f(from ky in Enumerable.Range(0, kernel) from kx in Enumerable.Range(0, kernel)
                let row = i * stride + ky - pad
                let column = j * stride + kx - pad
                where row >= 0 && row < h && column >= 0 && column < w
                select x[(p * h + row) * w + column])];

    // Windows of 3 with stride 2 and padding 1, rounded up: padding counts, what lies beyond it does not.
    private static double[] AveragePadded(double[] x, int planes, int h, int w) =>
        [.. from p in Enumerable.Range(0, planes) from i in Enumerable.Range(0, 3) from j in Enumerable.Range(0, 3)
            select (from row in Enumerable.Range(2 * i - 1, 3) from column in Enumerable.Range(2 * j - 1, 3)
                where row >= 0 && row < h && column >= 0 && column < w select x[(p * h + row) * w + column]).Sum() / ((Math.Min(2 * i + 2, h + 1) - 2 * i + 1) * (Math.Min(2 * j + 2, w + 1) - 2 * j + 1))];

    // The tent of each pixel centre, cut off at the edges.
    private static double[] Bilinear(double[] x, int planes, int h, int w, int height, int width)
    {
        double Weight(int i, int size, int k, int old) => Math.Max(0, 1 - Math.Abs(Math.Clamp((i + 0.5) * old / size - 0.5, 0, old - 1) - k));
        return [.. from p in Enumerable.Range(0, planes) from i in Enumerable.Range(0, height) from j in Enumerable.Range(0, width)
            select (from k in Enumerable.Range(0, h) from l in Enumerable.Range(0, w) select Weight(i, height, k, h) * Weight(j, width, l, w) * x[(p * h + k) * w + l]).Sum()];
    }

    private static double[] Normalised(double[] x, Func<int, int> group, Func<int, int> parameter, double[] gamma, double[] beta, double epsilon)
    {
        var groups = Enumerable.Range(0, x.Length).GroupBy(group).ToDictionary(g => g.Key, g => (Mean: g.Average(i => x[i]), Var: g.Average(i => Math.Pow(x[i] - g.Average(k => x[k]), 2))));
        return [.. x.Select((a, i) => gamma[parameter(i)] * (a - groups[group(i)].Mean) / Math.Sqrt(groups[group(i)].Var + epsilon) + beta[parameter(i)])];
    }

    private static double Nll(double[] row, int label) => Math.Log(row.Sum(Math.Exp)) - row[label];

    private static double[] MatMul(double[] a, double[] b, int m, int k, int n)
    {
        var c = new double[m * n];
        for (var i = 0; i < m; i++)
            for (var j = 0; j < n; j++)
                for (var l = 0; l < k; l++) c[i * n + j] += a[i * k + l] * b[l * n + j];
        return c;
    }

    // Φ by its power series (Marsaglia 2004), which converges for every x used here.
    private static double Phi(double x)
    {
        double sum = x, term = x;
        for (var i = 3; i < 200; i += 2) sum += term *= x * x / i;
        return 0.5 + sum * Math.Exp(-0.5 * x * x) / Math.Sqrt(2 * Math.PI);
    }
}
