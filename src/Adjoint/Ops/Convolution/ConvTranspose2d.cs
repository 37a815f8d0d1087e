namespace Adjoint;

/// <summary>The adjoint map of a convolution: from its output's shape back to its input's. Weights (f, c / groups, kh, kw) as for the convolution: f channels in, c out.</summary>
internal sealed class ConvTranspose2dOp(ConvOptions options, Size2 size) : Op
{
    public override string Name => "ConvTranspose2d";
    public override string Formula => "y[n,c,i·s + ky·d − p, j·s + kx·d − p] += x[n,f,i,j] · w[f,c,ky,kx], for all f, i, j, ky, kx";
    public override string Derivation => "it is the transpose of Conv2d as a matrix, and the transpose of that is Conv2d: ∂L/∂x = conv(g, w); ∂L/∂w as for Conv2d, with x and g in each other's place";
    public override Saves Saves => Saves.Inputs;

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs)
    {
        var (x, w) = (inputs[0], inputs[1]);
        if (x.DType != w.DType || !x.DType.IsFloating())
            throw new AdjointException($"{Name}: input and weight must be float32, or both float64: found {x.DType.Label()} and {w.DType.Label()}; cast one with .To(…)");
        if (x.Rank != 4 || w.Rank != 4 || x.Shape[1] != w.Shape[0])
            throw new AdjointException($"{Name}: input (n, channels, h, w) and weight (channels, filters / groups, kh, kw) are needed: found {x.Shape} and {w.Shape}");
        Shape result = (int[])[x.Shape[0], w.Shape[1] * options.Groups, size.Height, size.Width];
        var shape = options.Shape(result, w.Shape, Name);
        return shape.OutHeight == x.Shape[2] && shape.OutWidth == x.Shape[3]
            ? new(result, x.DType)
            : throw new AdjointException($"{Name}: an output {size} belongs to an input {shape.OutHeight}×{shape.OutWidth}: found {x.Shape}; the output padding must be less than the stride");
    }

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
        context.Backend.Conv2dDataGradient(options.Shape(output.Shape, inputs[1].Shape, Name), inputs[0], inputs[1], output);

    public override Tensor?[] Backward(OpNode node, Tensor gradient) =>
    [
        node.Needs(0) ? Op.Apply(new Conv2dOp(options), gradient, node.Inputs[1]) : null,
        node.Needs(1) ? Op.Apply(new Conv2dWeightGradientOp(options, new(node.Inputs[1].Shape[2], node.Inputs[1].Shape[3])), gradient, node.Inputs[0]) : null,
    ];
}

/// <summary>The method of <c>ConvTranspose2d</c>.</summary>
public static class ConvTranspose2dMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// Transposed convolution: x (n, c, h, w), weight (c, f / groups, kh, kw), bias (f) or null → (n, f, (h − 1)·s − 2p + d·(kh − 1) + outputPadding + 1, …).
        /// </summary>
        /// <exception cref="AdjointException">Shapes do not fit.</exception>
        public Tensor ConvTranspose2d(Tensor weight, Tensor? bias = null, Size2? stride = null, Size2? padding = null, Size2? outputPadding = null, Size2? dilation = null, int groups = 1)
        {
            if (x.Rank != 4 || weight.Rank != 4)
                throw new AdjointException($"ConvTranspose2d: input (n, channels, h, w) and weight (channels, filters / groups, kh, kw) are needed: found {x.Shape} and {weight.Shape}");
            var (s, p, o, d) = (stride ?? 1, padding ?? 0, outputPadding ?? 0, dilation ?? 1);
            var size = new Size2(
                (x.Shape[2] - 1) * s.Height - 2 * p.Height + d.Height * (weight.Shape[2] - 1) + o.Height + 1,
                (x.Shape[3] - 1) * s.Width - 2 * p.Width + d.Width * (weight.Shape[3] - 1) + o.Width + 1);
            var y = Op.Apply(new ConvTranspose2dOp(new(s, p, d, groups), size), x, weight);
            return bias is null ? y : y + bias.Reshape(1, -1, 1, 1);
        }
    }
}
