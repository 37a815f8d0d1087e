namespace Adjoint;

/// <summary>
/// The adjoint map of a convolution: from its output's shape back to its input's. Weights (f, c / groups, kh, kw) as
/// for the convolution: f channels in, c out.
/// </summary>
internal sealed class ConvTranspose2dOp(ConvGeometry geometry, Size2 size) : Op
{
    public override string Name => "ConvTranspose2d";
    public override string Formula =>
        "y[n,c,i·s + ky·d − p, j·s + kx·d − p] += x[n,f,i,j] · w[f,c,ky,kx], for all f, i, j, ky, kx";
    public override string Derivation =>
        "it is the transpose of Conv2d as a matrix, and the transpose of that is Conv2d: ∂L/∂x = conv(g, w); ∂L/∂w " +
        "as for Conv2d, with x and g in each other's place";
    public override Saves Saves => Saves.Inputs;
    public override IReadOnlyList<OpAttribute> Attributes =>
    [
        new("stride", geometry.Stride), new("padding", geometry.Padding), new("dilation", geometry.Dilation),
        new("groups", geometry.Groups), new("size", size)
    ];

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs)
    {
        var (x, w) = (inputs[0], inputs[1]);
        if (x.DType != w.DType || !x.DType.IsFloating())
            throw new AdjointException($"{Name}: input and weight must be of one floating type: "
                + $"found {x.DType.Label()} and {w.DType.Label()}; cast one with .To(…)");
        Shape result = (int[])[x.Shape[0], w.Shape[1] * geometry.Groups, size.Height, size.Width];
        geometry.Shape(result, w.Shape, Name);
        return new(result, x.DType);
    }

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
        Backend.Run(new Primitives.Conv2dDataGradient(geometry.Shape(output.Shape, inputs[1].Shape, Name)), inputs[0],
            inputs[1], output);

    public override Tensor?[] Backward(OpNode node, Tensor gradient) =>
    [
        node.Needs(0) ? Op.Apply(new Conv2dOp(geometry), gradient, node.Inputs[1]) : null,
        node.Needs(1)
            ? Op.Apply(new Conv2dWeightGradientOp(geometry, new(node.Inputs[1].Shape[2], node.Inputs[1].Shape[3])),
                    gradient, node.Inputs[0])
            : null,
    ];
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// 2-d transposed convolution, the gradient of a convolution with respect to its input: x (n, c, h, w), weight
        /// (c, f / groups, kh, kw), bias (f) or null → (n, f, (h − 1)·s − 2p + d·(kh − 1) + outputPadding + 1, …).
        /// </summary>
        /// <param name="weight">The kernels (c, f / groups, kh, kw), f the channels of the result.</param>
        /// <param name="bias">A number (f) added to each output channel; null: none.</param>
        /// <param name="stride">The step between windows in the result, 1 or more; 1 by default.</param>
        /// <param name="padding">The rows and columns cut off each side of the result; 0 by default.</param>
        /// <param name="outputPadding">
        /// Rows and columns added at the end of each axis of the result, less than stride or dilation; 0 by default.
        /// </param>
        /// <param name="dilation">The distance between the kernel's elements, 1 or more; 1 by default.</param>
        /// <param name="groups">The number of groups of channels that are convolved apart; it divides c and f.</param>
        /// <returns>The outputs (n, f, height, width), of x's type.</returns>
        /// <exception cref="AdjointException">
        /// Shapes do not fit, a number is out of range, or nothing would be left of the output.
        /// </exception>
        public Tensor ConvTranspose2d(Tensor weight, Tensor? bias = null, Size2? stride = null, Size2? padding = null,
            Size2? outputPadding = null, Size2? dilation = null, int groups = 1)
        {
            const string op = "ConvTranspose2d";
            var (geometry, more) = (new ConvGeometry(stride ?? 1, padding ?? 0, dilation ?? 1, groups), outputPadding
                ?? 0);
            if (x.Rank != 4 || weight.Rank != 4)
                throw new AdjointException(
                    $"{op}: input (n, channels, h, w) and weight (channels, filters / groups, kh, kw) are needed: " +
                    $"found {x.Shape} and {weight.Shape}");
            if (!x.DType.IsFloating() || weight.DType != x.DType)
                throw new AdjointException(
                    $"{op}: input and weight must be of one floating type: found {x.DType.Label()} and "
                    + $"{weight.DType.Label()}; cast one with .To(…)");
            geometry.Check(op);
            geometry.CheckOutputPadding(op, more);
            if (x.Shape[1] != weight.Shape[0])
                throw new AdjointException(
                    $"{op}: an input (n, {weight.Shape[0]}, h, w) is needed: found {x.Shape} for weights " +
                    $"{weight.Shape}; the channels must be the weights' first axis");
            if (weight.Shape[0] % groups != 0)
                throw new AdjointException(
                    $"{op}: the groups must divide the channels: found {groups} groups for {weight.Shape[0]} " +
                    $"channels, weights {weight.Shape}");
            var filters = Shape.Size((Int128)weight.Shape[1] * groups, op);
            if (bias is not null && (bias.Rank != 1 || bias.Shape[0] != filters || bias.DType != x.DType))
                throw new AdjointException(
                    $"{op}: the bias must be ({filters}) {x.DType.Label()}: found {bias.Shape} {bias.DType.Label()}");
            if (x.Shape[2] == 0 || x.Shape[3] == 0 || weight.Shape[2] == 0 || weight.Shape[3] == 0)
                throw new AdjointException(
                    $"{op}: input and kernel of at least 1×1 are needed: found {x.Shape} and {weight.Shape}");
            var height = (x.Shape[2] - 1L) * geometry.Stride.Height - 2L * geometry.Padding.Height
                + (long)geometry.Dilation.Height * (weight.Shape[2] - 1) + more.Height + 1;
            var width = (x.Shape[3] - 1L) * geometry.Stride.Width - 2L * geometry.Padding.Width
                + (long)geometry.Dilation.Width * (weight.Shape[3] - 1) + more.Width + 1;
            if (height < 1 || width < 1)
                throw new AdjointException(
                    $"{op}: the padding {geometry.Padding} leaves nothing of the output of {x.Shape} with weights " +
                    $"{weight.Shape}; use less padding");
            var size = new Size2(Shape.Size(height, op), Shape.Size(width, op));
            var y = Op.Apply(new ConvTranspose2dOp(geometry, size), x, weight);
            return bias is null ? y : y + bias.Reshape(1, -1, 1, 1);
        }
    }
}
