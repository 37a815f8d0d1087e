namespace Adjoint;

/// <summary>
/// Normalization of each channel of each sample: group normalization with as many groups as channels.
/// </summary>
internal sealed class InstanceNormOp(double epsilon) : Op
{
    public override string Name => "InstanceNorm";
    public override string Formula =>
        "y = γ·x̂ + β, x̂ = (x − μ)/√(σ² + ε); μ and σ² over all positions of each channel of a sample";
    public override string Derivation =>
        "μ and σ depend on x too: with the means over positions, ∂L/∂x = γ · (g − mean(g) − x̂ · mean(g·x̂))/√(σ² " +
        "+ ε); over samples and positions ∂L/∂γ = Σ g·x̂, ∂L/∂β = Σ g";
    public override Saves Saves => Saves.Inputs;
    public override IReadOnlyList<OpAttribute> Attributes => [new("epsilon", epsilon)];

    protected override Tensor[]? Promote(ReadOnlySpan<Tensor> inputs) => NormOperands.Promote(inputs);

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs)
    {
        NormOperands.CheckFloating(Name, inputs[0]);
        CheckInput(inputs[0]);
        return GroupNormOp.InferChannels(Name, inputs);
    }

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
        GroupNormOp.Forward(context, inputs, output, Groups(inputs[0]), epsilon);

    public override Tensor?[] FusedBackward(OpNode node, Tensor gradient) =>
        GroupNormOp.FusedBackward(node, gradient, Groups(node.Inputs[0]));

    public override Tensor?[] Backward(OpNode node, Tensor gradient) =>
        GroupNormOp.Backward(node, gradient, Groups(node.Inputs[0]), epsilon);

    internal static void CheckInput(Tensor x)
    {
        if (x.Rank < 3)
            throw new AdjointException(
                $"InstanceNorm: an input (n, channels, positions…) is needed: found {x.Shape}; without positions there "
                + "is one value to each channel, and nothing to normalize");
    }

    // None without channels: then there is one group of none.
    private static int Groups(Tensor x) => Math.Max(1, x.Shape[1]);
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// Normalizes each channel of each sample of x (n, c, …) by its own mean and variance over all positions, then
        /// scales by γ (c) and shifts by β (c): γ·(x − μ)/√(σ² + ε) + β (Ulyanov, Vedaldi and Lempitsky 2016), the
        /// variance divided by the count. A NaN or ∞ makes its channel of that sample NaN; one of equal values becomes
        /// β.
        /// </summary>
        /// <param name="gamma">Scale γ (c), one number per channel; null: 1.</param>
        /// <param name="beta">Shift β (c), one number per channel; null: 0.</param>
        /// <param name="epsilon">The number ε added to the variance before its root is taken.</param>
        /// <returns>A tensor of x's shape and type.</returns>
        /// <exception cref="AdjointException">
        /// The input is not floating, has no axis of channels or of positions, or scale and shift do not fit it.
        /// </exception>
        public Tensor InstanceNorm(Tensor? gamma = null, Tensor? beta = null, double epsilon = 1e-5)
        {
            InstanceNormOp.CheckInput(x);
            return Op.Apply(new InstanceNormOp(epsilon), x, gamma ?? Tensor.Full([x.Shape[1]], 1, x.DType),
                beta ?? Tensor.Zeros([x.Shape[1]], x.DType));
        }
    }
}
