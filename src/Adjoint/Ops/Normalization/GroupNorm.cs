using Adjoint.Kernels;

namespace Adjoint;

/// <summary>Normalization of groups of channels of each sample.</summary>
internal sealed class GroupNormOp(int groups, double epsilon) : Op
{
    public override string Name => "GroupNorm";
    public override string Formula =>
        "y = γ·x̂ + β, x̂ = (x − μ)/√(σ² + ε); μ and σ² over each group of channels and all positions of a sample";
    public override string Derivation =>
        "μ and σ depend on x too: with h = γ·g and the means over each group, ∂L/∂x = (h − mean(h) − x̂ · " +
        "mean(h·x̂))/√(σ² + ε); over samples and positions ∂L/∂γ = Σ g·x̂, ∂L/∂β = Σ g";
    public override Saves Saves => Saves.Inputs;
    public override IReadOnlyList<OpAttribute> Attributes => [new("groups", groups), new("epsilon", epsilon)];

    protected override Tensor[]? Promote(ReadOnlySpan<Tensor> inputs) => NormOperands.Promote(inputs);

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs)
    {
        var x = inputs[0];
        NormOperands.CheckFloating(Name, x);
        if (x.Rank < 2 || groups < 1 || x.Shape[1] % groups != 0)
            throw new AdjointException(
                $"{Name}: the groups must divide the channels: found {groups} groups for {x.Shape}");
        return InferChannels(Name, inputs);
    }

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
        Forward(context, inputs, output, groups, epsilon);

    public override Tensor?[] FusedBackward(OpNode node, Tensor gradient) => FusedBackward(node, gradient, groups);

    public override Tensor?[] Backward(OpNode node, Tensor gradient) => Backward(node, gradient, groups, epsilon);

    internal static TensorSpec InferChannels(string op, ReadOnlySpan<Tensor> inputs)
    {
        var (x, gamma, beta) = (inputs[0], inputs[1], inputs[2]);
        if (gamma.Rank != 1 || gamma.Shape[0] != x.Shape[1] || beta.Shape != gamma.Shape)
            throw new AdjointException(
                $"{op}: scale and shift must be ({x.Shape[1]}), one for each channel of {x.Shape}: found " +
                $"{gamma.Shape} and {beta.Shape}");
        return new(x.Shape, x.DType);
    }

    internal static void Forward(
        OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output, int groups, double epsilon)
    {
        var x = inputs[0];
        var moments = context.Allocate([x.Shape[0], groups, RowNorm.Moments], x.DType.Computing());
        Backend.Run(new Primitives.GroupNorm(groups, epsilon), x, inputs[1], inputs[2], moments, output);
        context.Save(moments);
    }

    internal static Tensor?[] FusedBackward(OpNode node, Tensor gradient, int groups)
    {
        var (x, gamma, beta) = (node.Inputs[0], node.Inputs[1], node.Inputs[2]);
        var (dx, dgamma, dbeta) = (Tensor.Empty(x.Shape, x.DType), Tensor.Empty(gamma.Shape, gamma.DType),
            Tensor.Empty(beta.Shape, beta.DType));
        Backend.Run(new Primitives.GroupNormGradient(groups), x, gradient, node.Saved[0], gamma, dx, dgamma, dbeta);
        return [dx, dgamma, dbeta];
    }

    internal static Tensor?[] Backward(OpNode node, Tensor gradient, int groups, double epsilon)
    {
        var (x, gamma) = (node.Inputs[0], node.Inputs[1]);
        var channels = x.Shape[1] / groups;
        int[] grouped = [x.Shape[0], groups, channels, Shape.Product(x.Shape.Sizes[2..])];
        var (values, g) = (x.Widened().Reshape(grouped), gradient.Widened().Reshape(grouped));
        var deviation = values.Deviation([2, 3]);
        var inverse = (deviation.Square().Mean([2, 3], keepDims: true) + epsilon).Pow(-0.5);
        var normalized = deviation * inverse;
        var h = g * gamma.Widened().Reshape(1, groups, channels, 1);
        var centered =
            h - h.Mean([2, 3], keepDims: true) - normalized * (h * normalized).Mean([2, 3], keepDims: true);
        return [(centered * inverse).Reshape(x.Shape.Sizes).To(x.DType),
            (g * normalized).Sum([0, 3]).Reshape(x.Shape[1]).To(gamma.DType),
            g.Sum([0, 3]).Reshape(x.Shape[1]).To(node.Inputs[2].DType)];
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// Normalizes over channels in groups and all positions of each sample of x (n, c, …), then scales by γ (c) and
        /// shifts by β (c): γ·(x − μ)/√(σ² + ε) + β (Wu and He 2018). A NaN or ∞ makes its group NaN; a group of one
        /// value becomes β.
        /// </summary>
        /// <param name="groups">The number of groups of channels; it divides c.</param>
        /// <param name="gamma">Scale γ (c), one number per channel.</param>
        /// <param name="beta">Shift β (c), one number per channel.</param>
        /// <param name="epsilon">The number ε added to the variance before its root is taken.</param>
        /// <returns>A tensor of x's shape and type.</returns>
        /// <exception cref="AdjointException">
        /// The input is not floating, the groups do not divide its channels, or scale and shift do not fit them.
        /// </exception>
        public Tensor GroupNorm(int groups, Tensor gamma, Tensor beta, double epsilon = 1e-5) =>
            Op.Apply(new GroupNormOp(groups, epsilon), x, gamma, beta);
    }
}
