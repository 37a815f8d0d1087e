namespace Adjoint;

/// <summary>Division of each row by its root mean square.</summary>
internal sealed class RmsNormOp(double epsilon) : Op
{
    public override string Name => "RmsNorm";
    public override string Formula => "y = γ·x̂, x̂ = x/√(mean(x²) + ε), the mean over the last axes, those of γ";
    public override string Derivation =>
        "the root depends on x too: with h = γ·g, ∂L/∂x = (h − x̂ · mean(h·x̂))/√(mean(x²) + ε); over all rows " +
        "∂L/∂γ = Σ g·x̂";
    public override Saves Saves => Saves.Inputs;
    public override IReadOnlyList<OpAttribute> Attributes => [new("epsilon", epsilon)];

    protected override Tensor[]? Promote(ReadOnlySpan<Tensor> inputs) => NormOperands.Promote(inputs);

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) =>
        NormOperands.InferRows(Name, inputs[0], inputs[1]);

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output)
    {
        var moments = NormOperands.AllocateMoments(context, inputs[0], inputs[1]);
        Backend.Run(new Primitives.RmsNorm(epsilon), inputs[0], inputs[1], moments, output);
        context.Save(moments);
    }

    public override Tensor?[] FusedBackward(OpNode node, Tensor gradient)
    {
        var (x, gamma) = (node.Inputs[0], node.Inputs[1]);
        var (dx, dgamma) = (Tensor.Empty(x.Shape, x.DType), Tensor.Empty(gamma.Shape, gamma.DType));
        Backend.Run(new Primitives.RmsNormGradient(), x, gradient, node.Saved[0], gamma, dx, dgamma);
        return [dx, dgamma];
    }

    public override Tensor?[] Backward(OpNode node, Tensor gradient)
    {
        var (x, gamma) = (node.Inputs[0], node.Inputs[1]);
        var (rows, g) = (NormOperands.Rows(x, gamma), NormOperands.Rows(gradient, gamma));
        var inverse = (rows.Square().Mean(1, keepDims: true) + epsilon).Pow(-0.5);
        var normalized = rows * inverse;
        var h = g * gamma.Widened().Reshape(1, gamma.Length);
        var dx = (h - normalized * (h * normalized).Mean(1, keepDims: true)) * inverse;
        return [dx.Reshape(x.Shape.Sizes).To(x.DType),
            (g * normalized).Sum(0).Reshape(gamma.Shape.Sizes).To(gamma.DType)];
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// Divides by the root mean square over the last axes, those of <paramref name="gamma"/>: γ·x/√(mean(x²) + ε),
        /// x (…, d) → (…, d) (Zhang and Sennrich 2019). A NaN makes its row NaN.
        /// </summary>
        /// <param name="gamma">Scale γ, of the shape (d) of the last axes.</param>
        /// <param name="epsilon">The number ε added to the mean square before its root is taken.</param>
        /// <returns>A tensor of x's shape and type.</returns>
        /// <exception cref="AdjointException">
        /// The input is not floating, or the scale does not have the shape of its last axes.
        /// </exception>
        public Tensor RmsNorm(Tensor gamma, double epsilon = 1e-6) =>
            Op.Apply(new RmsNormOp(epsilon), x, gamma);
    }
}
