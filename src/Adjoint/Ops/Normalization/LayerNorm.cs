namespace Adjoint;

/// <summary>Normalization of each row by its own mean and variance.</summary>
internal sealed class LayerNormOp(double epsilon) : Op
{
    public override string Name => "LayerNorm";
    public override string Formula =>
        "y = γ·x̂ + β, x̂ = (x − μ)/√(σ² + ε); μ and σ² over the last axes, those of γ";
    public override string Derivation =>
        "μ and σ depend on x too: with h = γ·g, ∂L/∂x = (h − mean(h) − x̂ · mean(h·x̂))/√(σ² + ε); over all rows " +
        "∂L/∂γ = Σ g·x̂, ∂L/∂β = Σ g";
    public override Saves Saves => Saves.Inputs;
    public override IReadOnlyList<OpAttribute> Attributes => [new("epsilon", epsilon)];

    protected override Tensor[]? Promote(ReadOnlySpan<Tensor> inputs) => NormOperands.Promote(inputs);

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs)
    {
        var (x, gamma) = (inputs[0], inputs[1]);
        if (inputs.Length > 2 && inputs[2].Shape != gamma.Shape)
            throw new AdjointException(
                $"{Name}: scale and shift must have one shape: found {gamma.Shape} and {inputs[2].Shape}");
        return NormOperands.InferRows(Name, x, gamma);
    }

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output)
    {
        var (x, gamma) = (inputs[0], inputs[1]);
        var moments = NormOperands.AllocateMoments(context, x, gamma);
        Backend.Run(
            new Primitives.LayerNorm(epsilon), x, gamma, inputs.Length > 2 ? inputs[2] : null, moments, output);
        context.Save(moments);
    }

    public override Tensor?[] FusedBackward(OpNode node, Tensor gradient)
    {
        var (x, gamma) = (node.Inputs[0], node.Inputs[1]);
        var (dx, dgamma) = (Tensor.Empty(x.Shape, x.DType), Tensor.Empty(gamma.Shape, gamma.DType));
        var dbeta = node.Inputs.Count > 2 ? Tensor.Empty(gamma.Shape, node.Inputs[2].DType) : null;
        Backend.Run(
            new Primitives.LayerNormGradient(), x, gradient, node.Saved[0], gamma, dx, dgamma, dbeta);
        return dbeta is null ? [dx, dgamma] : [dx, dgamma, dbeta];
    }

    public override Tensor?[] Backward(OpNode node, Tensor gradient)
    {
        var (x, gamma) = (node.Inputs[0], node.Inputs[1]);
        var (rows, g) = (NormOperands.Rows(x, gamma), NormOperands.Rows(gradient, gamma));
        var deviation = rows.Deviation([1]);
        var inverse = (deviation.Square().Mean(1, keepDims: true) + epsilon).Pow(-0.5);
        var normalized = deviation * inverse;
        var h = g * gamma.Widened().Reshape(1, gamma.Length);
        var centered = h - h.Mean(1, keepDims: true) - normalized * (h * normalized).Mean(1, keepDims: true);
        var dx = (centered * inverse).Reshape(x.Shape.Sizes).To(x.DType);
        var dgamma = (g * normalized).Sum(0).Reshape(gamma.Shape.Sizes).To(gamma.DType);
        return node.Inputs.Count == 2
            ? [dx, dgamma]
            : [dx, dgamma, g.Sum(0).Reshape(gamma.Shape.Sizes).To(node.Inputs[2].DType)];
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// Normalizes over the last axes, those of <paramref name="gamma"/>: γ·(x − μ)/√(σ² + ε) + β, x (…, d) → (…, d)
        /// (Ba, Kiros and Hinton 2016). A NaN or ∞ makes its row NaN; a row of one value becomes β.
        /// </summary>
        /// <param name="gamma">Scale γ, of the shape (d) of the last axes.</param>
        /// <param name="beta">Shift β of γ's shape; null: none.</param>
        /// <param name="epsilon">The number ε added to the variance before its root is taken.</param>
        /// <returns>A tensor of x's shape and type.</returns>
        /// <exception cref="AdjointException">
        /// The input is not floating, or scale or shift do not have the shape of its last axes.
        /// </exception>
        public Tensor LayerNorm(Tensor gamma, Tensor? beta = null, double epsilon = 1e-5) =>
            beta is null
                ? Op.Apply(new LayerNormOp(epsilon), x, gamma)
                : Op.Apply(new LayerNormOp(epsilon), x, gamma, beta);
    }
}
