namespace Adjoint;

/// <summary>One op with inputs at which its derivative can be checked.</summary>
/// <param name="Op">The op itself, with its name, formula and derivation.</param>
/// <param name="Call">The op applied to inputs.</param>
/// <param name="Inputs">Float64 inputs away from kinks; of an op without derivative integers or truth values.</param>
/// <param name="IsSmooth">Whether a second derivative exists.</param>
/// <param name="AtZero">Float64 inputs with a 0 in each; null where the op has a kink or a pole there.</param>
/// <param name="IsSmoothAtZero">Whether finite differences around those can show a second derivative.</param>
/// <param name="IsDifferentiable">Whether there is a derivative at all: integers and truth values have none.</param>
public sealed record OpEntry(
    Op Op, Func<Tensor[], Tensor> Call, Func<Tensor[]> Inputs, bool IsSmooth = true, Func<Tensor[]>? AtZero = null,
    bool IsSmoothAtZero = true, bool IsDifferentiable = true)
{
    /// <summary>Compares the first derivative, or the second, with finite differences at all inputs.</summary>
    /// <param name="second">Whether to check the second derivative instead of the first.</param>
    /// <returns>The worst outcome; null where there is no such derivative.</returns>
    public GradCheckResult? Check(bool second = false)
    {
        if (!IsDifferentiable || second && !IsSmooth) return null;
        Func<Func<Tensor[], Tensor>, Tensor[], GradCheckResult> run = second
            ? (call, inputs) => GradCheck.RunSecondOrder(call, inputs)
            : (call, inputs) => GradCheck.Run(call, inputs);
        var away = run(Call, Inputs());
        if (AtZero is null || second && !IsSmoothAtZero) return away;
        var at = run(Call, AtZero());
        var worst = at.MaxError <= away.MaxError ? away : at with { Worst = $"at 0, {at.Worst}" };
        return worst with { Comparisons = away.Comparisons + at.Comparisons };
    }
}

/// <summary>
/// Every op, by name: an explicit list, so that trimming and ahead-of-time compilation keep what is named.
/// </summary>
public static class OpCatalogue
{
    /// <summary>All ops of the library, ordered by name.</summary>
    public static IReadOnlyList<OpEntry> All { get; } =
    [
        Of(x => x[0] + x[1], () => [Normal(2, 3), Normal(3)]),
        Of(x => x[0] - x[1], () => [Normal(2, 3), Normal(2, 1)]),
        Of(x => x[0] * x[1], () => [Normal(2, 3), Normal(3)]),
        Of(x => x[0] / x[1], () => [Normal(2, 3), Positive(3)], atZero: () => [FirstAtZero(Normal(2, 3)), Positive(3)]),
        Of(x => x[0] / 3, () => [Normal(2, 3)]),
        Of(x => 3 / x[0], () => [Positive(2, 3)], hasZero: false),
        Of(x => x[0].FloorDivide(x[1]), () => [Normal(2, 3), Positive(3)], smooth: false, hasZero: false),
        Of(x => x[0].Remainder(x[1]), () => [Normal(2, 3), Positive(3)], smooth: false, hasZero: false),
        // Beside 0 lie negative bases, whose powers have no slope along the exponent.
        Of(x => x[0].Pow(x[1]), () => [Positive(2, 3), Normal(3)], smoothAtZero: false,
            atZero: () => [FirstAtZero(Positive(2, 3)), Tensor.From([2.0, 1.5, 0])]),
        Of(x => x[0].Minimum(x[1]), () => [Normal(2, 3), Normal(2, 3)], smooth: false, hasZero: false),
        Of(x => x[0].Maximum(x[1]), () => [Normal(2, 3), Normal(2, 3)], smooth: false, hasZero: false),
        Of(x => -x[0], () => [Normal(2, 3)]),
        Of(x => x[0] * 3 + 1, () => [Normal(2, 3)]),
        Of(x => x[0].Pow(3), () => [Normal(2, 3)]),
        Of(x => x[0].Abs(), () => [AwayFromZero(2, 3)], smooth: false, hasZero: false),
        Of(x => x[0].Sign(), () => [AwayFromZero(2, 3)], smooth: false, hasZero: false),
        Of(x => x[0].Clamp(-1, 1), () => [AwayFromZero(2, 3)], smooth: false),
        Of(x => x[0].Exp(), () => [Normal(2, 3)]),
        Of(x => x[0].Log(), () => [Positive(2, 3)], hasZero: false),
        Of(x => x[0].Log1p(), () => [Positive(2, 3)]),
        Of(x => x[0].Sqrt(), () => [Positive(2, 3)], hasZero: false),
        Of(x => x[0].Square(), () => [Normal(2, 3)]),
        Of(x => x[0].Sin(), () => [Normal(2, 3)]),
        Of(x => x[0].Cos(), () => [Normal(2, 3)]),
        Of(x => x[0].Tanh(), () => [Normal(2, 3)]),
        Of(x => x[0].Sigmoid(), () => [Normal(2, 3)]),
        Of(x => x[0].Relu(), () => [AwayFromZero(2, 3)], smooth: false, hasZero: false),
        Of(x => x[0].Relu6(), () => [AwayFromZero(2, 3)], smooth: false, hasZero: false),
        Of(x => x[0].LeakyRelu(), () => [AwayFromZero(2, 3)], smooth: false, hasZero: false),
        Of(x => x[0].Elu(), () => [AwayFromZero(2, 3)], hasZero: false),
        Of(x => x[0].Gelu(), () => [Normal(2, 3)]),
        Of(x => x[0].NormalCdf(), () => [Normal(2, 3)]),
        Of(x => x[0].Erf(), () => [Normal(2, 3)]),
        Of(x => x[0].Silu(), () => [Normal(2, 3)]),
        Of(x => x[0].HardSigmoid(), () => [Normal(2, 3)], smooth: false),
        Of(x => x[0].HardSwish(), () => [Normal(2, 3)]),
        Of(x => x[0].Softplus(), () => [Normal(2, 3)]),
        Exact(x => x[0] & x[1], () => [Whole(5, 3, 12, 10), Whole(6, 9, 10, 10)]),
        Exact(x => x[0] | x[1], () => [Whole(5, 3, 12, 10), Whole(6, 9, 10, 10)]),
        Exact(x => x[0] ^ x[1], () => [Whole(5, 3, 12, 10), Whole(6, 9, 10, 10)]),
        Exact(x => ~x[0], () => [Whole(5, 0, -1)]),
        Exact(x => x[0].Any(), () => [Whole(1, 0, 1).To(DType.Bool)]),
        Exact(x => x[0].All(), () => [Whole(1, 0, 1).To(DType.Bool)]),
        Of(x => x[0].Sum(1), () => [Normal(2, 3)]),
        Of(x => x[0].CumSum(1), () => [Normal(2, 3)]),
        Of(x => x[0].Max(1), () => [Normal(2, 3)], smooth: false),
        Of(x => x[0].Min(0), () => [Normal(2, 3)], smooth: false),
        Of(x => x[0].TopK(2).Values, () => [Normal(2, 4)], smooth: false),
        Of(x => x[0].Expand(4, 3), () => [Normal(1, 3)]),
        Of(x => x[0].Reshape(3, 2), () => [Normal(2, 3)]),
        Of(x => x[0].Transpose(), () => [Normal(2, 3)]),
        Of(x => x[0].Slice(1, 1, 2), () => [Normal(2, 4)]),
        Of(x => x[0].Clone(), () => [Normal(2, 3)]),
        Of(x => Tensor.Concat([x[0], x[1]], 1), () => [Normal(2, 3), Normal(2, 1)]),
        Of(x => x[0].Gather(1, Tensor.From(new long[] { 2, 0, 1, 1 }, 2, 2)), () => [Normal(2, 3)]),
        Of(x => Tensor.Where(Tensor.From(new[] { true, false, true }), x[0], x[1]), () => [Normal(2, 3), Normal(3)]),
        Of(x => x[0].MatMul(x[1]), () => [Normal(2, 3), Normal(3, 4)]),
        Of(x => x[0].Linear(x[1], x[2]), () => [Normal(2, 3), Normal(4, 3), Normal(4)]),
        Of(x => x[0].Conv2d(x[1], x[2], stride: 2, padding: 1),
            () => [Normal(2, 2, 5, 4), Normal(3, 2, 3, 3), Normal(3)]),
        Of(x => x[0].ConvTranspose2d(x[1], stride: 2, padding: 1, outputPadding: 1),
            () => [Normal(2, 3, 3, 2), Normal(3, 2, 3, 3)]),
        Of(x => x[0].MaxPool2d(2), () => [Normal(1, 2, 4, 6)], smooth: false),
        Of(x => x[0].BatchNorm(x[1], x[2]), () => [Normal(3, 2, 4), Positive(2), Normal(2)]),
        Of(x => x[0].LayerNorm(x[1], x[2]), () => [Normal(2, 4), Positive(4), Normal(4)]),
        Of(x => x[0].GroupNorm(2, x[1], x[2]), () => [Normal(2, 4, 3), Positive(4), Normal(4)]),
        Of(x => x[0].InstanceNorm(x[1], x[2]), () => [Normal(2, 3, 4), Positive(3), Normal(3)]),
        Of(x => x[0].RmsNorm(x[1]), () => [Normal(2, 4), Positive(4)]),
        Of(x => x[0].IndexSelect(1, 2, 0, 2), () => [Normal(2, 3)]),
        Of(x => x[0].Embedding(Tensor.From(new long[] { 2, 0, 2, 1 }, 2, 2)), () => [Normal(3, 2)]),
        Of(x => x[0].RotaryEmbedding(Tensor.From(new long[] { 0, 1, 7 })), () => [Normal(2, 3, 4)]),
        Of(x => x[0].Rnn(Weights(x, 2), x[1]).Outputs,
            () => [Normal(2, 3, 2), Normal(2, 3), Normal(3, 2), Normal(3, 3), Normal(3), Normal(3)]),
        Of(x => x[0].Gru(Weights(x, 2), x[1]).Outputs,
            () => [Normal(2, 3, 2), Normal(2, 3), Normal(9, 2), Normal(9, 3), Normal(9), Normal(9)]),
        Of(x => x[0].Lstm(Weights(x, 3), x[1], x[2]).Outputs,
            () => [Normal(2, 3, 2), Normal(2, 3), Normal(2, 3), Normal(12, 2), Normal(12, 3), Normal(12), Normal(12)]),
        Of(x => x[0].Softmax(), () => [Normal(2, 3)]),
        Of(x => x[0].LogSoftmax(), () => [Normal(2, 3)]),
        Of(x => x[0].ScaledDotProductAttention(x[1], x[2]),
            () => [Normal(1, 2, 3, 2), Normal(1, 2, 4, 2), Normal(1, 2, 4, 3)]),
        Of(x => Loss.CrossEntropy(x[0], Tensor.From(new long[] { 2, 0 }), 0.1), () => [Normal(2, 3)]),
        Of(x => Loss.LinearCrossEntropy(x[0], x[1], x[2], Tensor.From(new long[] { 2, 0 }), 0.1),
            () => [Normal(2, 4), Normal(3, 4), Normal(3)]),
    ];

    private static OpEntry Of(
        Func<Tensor[], Tensor> call, Func<Tensor[]> inputs, bool smooth = true, Func<Tensor[]>? atZero = null,
        bool smoothAtZero = true, bool hasZero = true)
    {
        var leaves = inputs();
        foreach (var leaf in leaves) leaf.RequireGrad();
        var zeros = hasZero ? atZero ?? (() => Array.ConvertAll(inputs(), FirstAtZero)) : null;
        return new OpEntry(call(leaves).Source!.Op, call, inputs, smooth, zeros, smoothAtZero);
    }

    private static OpEntry Exact(Func<Tensor[], Tensor> call, Func<Tensor[]> inputs)
    {
        using var recording = new RecordGraph();
        return new OpEntry(call(inputs()).Source!.Op, call, inputs, IsSmooth: false, IsDifferentiable: false);
    }

    // Input weights, hidden weights and their biases, from a position on.
    private static RecurrentWeights Weights(Tensor[] x, int at) =>
        new(x[at], x[at + 1]) { InputBias = x[at + 2], HiddenBias = x[at + 3] };

    private static Tensor Whole(params ReadOnlySpan<long> values) => Tensor.From(values);

    private static Tensor FirstAtZero(Tensor x)
    {
        var values = x.ToArray<double>();
        values[0] = 0;
        return Tensor.Copy<double>(values, x.Shape);
    }

    private static Tensor Normal(params ReadOnlySpan<int> shape) =>
        Tensor.Randn(Shape.Create(shape), new Generator(7, (ulong)shape.Length * 31 + (ulong)shape[0]), DType.Float64);

    private static Tensor Positive(params ReadOnlySpan<int> shape) => (Normal(shape).Square() + 0.5).Detach();

    // At least 0.2 from the kinks at 0 and ±1.
    private static Tensor AwayFromZero(params ReadOnlySpan<int> shape)
    {
        var x = Normal(shape);
        return (x + x.Sign() * 0.2 + (x.Abs() - 0.8).Sign() * x.Sign() * 0.2).Detach();
    }
}
