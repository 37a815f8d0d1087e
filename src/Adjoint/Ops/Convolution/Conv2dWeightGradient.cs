namespace Adjoint;

/// <summary>What a convolution's weights have to do with its output: for second derivatives an op of its own.</summary>
internal sealed class Conv2dWeightGradientOp(ConvGeometry geometry, Size2 kernel) : Op
{
    public override string Name => "Conv2dWeightGradient";
    public override string Formula => "y[f,c,ky,kx] = Σ_{n,i,j} g[n,f,i,j] · x[n, c, i·s + ky·d − p, j·s + kx·d − p]";
    public override string Derivation =>
        "linear in x and in g: with h = ∂L/∂y in the place of the weights, ∂L/∂x = the transposed convolution of g " +
        "with h, ∂L/∂g = the convolution of x with h";
    public override Saves Saves => Saves.Inputs;
    public override IReadOnlyList<OpAttribute> Attributes =>
    [
        new("stride", geometry.Stride), new("padding", geometry.Padding), new("dilation", geometry.Dilation),
        new("groups", geometry.Groups), new("kernel", kernel)
    ];

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) =>
        new((int[])[inputs[1].Shape[1], inputs[0].Shape[1] / geometry.Groups, kernel.Height, kernel.Width],
            inputs[0].DType);

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
        Backend.Run(new Primitives.Conv2dWeightGradient(geometry.Shape(inputs[0].Shape, output.Shape, Name)), inputs[0],
            inputs[1], output);

    public override Tensor?[] Backward(OpNode node, Tensor gradient) =>
    [
        node.Needs(0) ? Op.Apply(new ConvTranspose2dOp(geometry, new(node.Inputs[0].Shape[2], node.Inputs[0].Shape[3])),
            node.Inputs[1], gradient) : null,
        node.Needs(1) ? Op.Apply(new Conv2dOp(geometry), node.Inputs[0], gradient) : null,
    ];
}
