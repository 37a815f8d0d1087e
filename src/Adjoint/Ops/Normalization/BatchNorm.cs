namespace Adjoint;

/// <summary>Normalization per channel by the statistics of the batch.</summary>
internal sealed class BatchNormOp(double epsilon) : Op
{
    public override string Name => "BatchNorm";
    public override string Formula =>
        "y = γ·x̂ + β, x̂ = (x − μ)/√(σ² + ε); μ and σ² over all axes but that of the channels";
    public override string Derivation =>
        "μ and σ depend on x too: ∂L/∂x = γ/√(σ² + ε) · (g − mean(g) − x̂ · mean(g·x̂)); ∂L/∂γ = Σ g·x̂; ∂L/∂β = Σ g";
    public override Saves Saves => Saves.Inputs;
    public override IReadOnlyList<OpAttribute> Attributes => [new("epsilon", epsilon)];

    /// <summary>The mean of the batch to which the op was applied, per channel.</summary>
    internal Tensor? Mean { get; private set; }

    /// <summary>The variance of the batch, per channel, divided by the count.</summary>
    internal Tensor? Variance { get; private set; }

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs)
    {
        var x = inputs[0];
        if (x.Rank < 2 || !x.DType.IsFloating())
            throw new AdjointException(
                $"{Name}: a floating input (n, channels, …) is needed: found {x.Shape} {x.DType.Label()}");
        foreach (var parameter in inputs[1..])
            if (parameter.Rank != 1 || parameter.Shape[0] != x.Shape[1] || parameter.DType != x.DType)
                throw new AdjointException(
                    $"{Name}: scale and shift must be ({x.Shape[1]}) {x.DType.Label()}, one for each channel: found " +
                    $"{parameter.Shape} {parameter.DType.Label()}");
        return new(x.Shape, x.DType);
    }

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output)
    {
        var channels = inputs[1].Shape;
        var type = output.DType.Computing();
        var (mean, variance, inverse) = (context.Allocate(channels, type), context.Allocate(channels, type),
            context.Allocate(channels, type));
        Backend.Run(new Primitives.BatchNorm(epsilon), inputs[0], inputs[1], inputs[2], mean, variance, inverse,
            output);
        context.Save(mean, inverse, variance);
        (Mean, Variance) = (mean, variance);
    }

    public override Tensor?[] FusedBackward(OpNode node, Tensor gradient)
    {
        var (x, gamma) = (node.Inputs[0], node.Inputs[1]);
        var (dx, dgamma, dbeta) = (Tensor.Empty(x.Shape, x.DType), Tensor.Empty(gamma.Shape, x.DType),
            Tensor.Empty(gamma.Shape, x.DType));
        Backend.Run(new Primitives.BatchNormGradient(), x, gradient, node.Saved[0], node.Saved[1], gamma, dx, dgamma,
            dbeta);
        return [dx, dgamma, dbeta];
    }

    public override Tensor?[] Backward(OpNode node, Tensor gradient)
    {
        var (x, gamma) = (node.Inputs[0], node.Inputs[1]);
        var axes = Enumerable.Range(0, x.Rank).Where(axis => axis != 1).ToArray();
        int[] shape = [.. Enumerable.Range(0, x.Rank).Select(axis => axis == 1 ? x.Shape[1] : 1)];
        var deviation = x - x.Mean(axes, keepDims: true);
        var inverse = (deviation.Square().Mean(axes, keepDims: true) + epsilon).Pow(-0.5);
        var normalized = deviation * inverse;
        var centered = gradient - gradient.Mean(axes, keepDims: true)
            - normalized * (gradient * normalized).Mean(axes, keepDims: true);
        return [centered * inverse * gamma.Reshape(shape), (gradient * normalized).Sum(axes), gradient.Sum(axes)];
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// Normalizes each channel of x (n, c, …) by the batch's mean and variance, then scales by γ (c) and shifts by
        /// β (c): γ·(x − μ)/√(σ² + ε) + β (Ioffe and Szegedy 2015), the variance divided by the count. A channel with
        /// one value becomes β.
        /// </summary>
        /// <param name="gamma">Scale γ (c), one number per channel.</param>
        /// <param name="beta">Shift β (c), one number per channel.</param>
        /// <param name="epsilon">The number ε added to the variance before its root is taken.</param>
        /// <returns>A tensor of x's shape and type.</returns>
        /// <exception cref="AdjointException">
        /// The input has no axis of channels, or scale and shift do not fit it.
        /// </exception>
        public Tensor BatchNorm(Tensor gamma, Tensor beta, double epsilon = 1e-5) =>
            Op.Apply(new BatchNormOp(epsilon), x, gamma, beta);
    }
}
