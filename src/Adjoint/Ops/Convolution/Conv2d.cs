namespace Adjoint;

/// <summary>The convolution of the field, mathematically a cross-correlation.</summary>
internal sealed class Conv2dOp(ConvGeometry geometry) : Op
{
    public override string Name => "Conv2d";
    public override string Formula =>
        "y[n,f,i,j] = b[f] + Σ_{c,ky,kx} x[n, c, i·s + ky·d − p, j·s + kx·d − p] · w[f,c,ky,kx]";
    public override string Derivation =>
        "y is linear in x and in w: ∂L/∂x gets g·w wherever a tap met x (a transposed convolution), ∂L/∂w[f,c,ky,kx] " +
        "= Σ_{n,i,j} g[n,f,i,j] · x[n, c, i·s + ky·d − p, …], ∂L/∂b[f] = Σ_{n,i,j} g";
    public override Saves Saves => Saves.Inputs;
    public override IReadOnlyList<OpAttribute> Attributes =>
    [
        new("stride", geometry.Stride), new("padding", geometry.Padding), new("dilation", geometry.Dilation),
        new("groups", geometry.Groups)
    ];

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs)
    {
        var (x, w) = (inputs[0], inputs[1]);
        if (x.DType != w.DType || !x.DType.IsFloating())
            throw new AdjointException($"{Name}: input and weight must be of one floating type: "
                + $"found {x.DType.Label()} and {w.DType.Label()}; cast one with .To(…)");
        var shape = geometry.Shape(x.Shape, w.Shape, Name);
        if (inputs.Length == 3
            && (inputs[2].Rank != 1 || inputs[2].Shape[0] != shape.Filters || inputs[2].DType != x.DType))
            throw new AdjointException(
                $"{Name}: the bias must be ({shape.Filters}) {x.DType.Label()}: found {inputs[2].Shape} " +
                $"{inputs[2].DType.Label()}");
        return new((int[])[shape.Samples, shape.Filters, shape.OutHeight, shape.OutWidth], x.DType);
    }

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
        Backend.Run(new Primitives.Conv2d(geometry.Shape(inputs[0].Shape, inputs[1].Shape, Name)), inputs[0], inputs[1],
            inputs.Length == 3 ? inputs[2] : null, output);

    public override Tensor?[] Backward(OpNode node, Tensor gradient)
    {
        var (x, w) = (node.Inputs[0], node.Inputs[1]);
        Tensor?[] results =
        [
            node.Needs(0) ? Op.Apply(new ConvTranspose2dOp(geometry, new(x.Shape[2], x.Shape[3])), gradient, w) : null,
            node.Needs(1)
                ? Op.Apply(new Conv2dWeightGradientOp(geometry, new(w.Shape[2], w.Shape[3])), x, gradient)
                : null,
        ];
        return node.Inputs.Count == 3 ? [.. results, node.Needs(2) ? gradient.Sum([2, 3]).Sum(0) : null] : results;
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// 2-d convolution (cross-correlation) over the last two axes: x (n, c, h, w), weight (f, c / groups, kh, kw),
        /// bias (f) or null → (n, f, ⌊(h + 2p − d·(kh − 1) − 1) / s⌋ + 1, …). With as many groups as channels it is
        /// depthwise. NaN and infinities reach every output whose window holds them; in float32, 3 × 3 kernels over 16
        /// channels or more are computed in tiles of 4 × 4 outputs (Winograd 1980), and a NaN or infinity spoils its
        /// whole tile.
        /// </summary>
        /// <param name="weight">The kernels (f, c / groups, kh, kw), f the number of filters.</param>
        /// <param name="bias">A number (f) added to each filter's outputs; null: none.</param>
        /// <param name="stride">The step between windows, 1 or more; 1 by default.</param>
        /// <param name="padding">The zeros added on each side, 0 or more; 0 by default.</param>
        /// <param name="dilation">The distance between the kernel's elements, 1 or more; 1 by default.</param>
        /// <param name="groups">The number of groups of channels that are convolved apart; it divides c and f.</param>
        /// <returns>The outputs (n, f, height, width), of x's type.</returns>
        /// <exception cref="AdjointException">
        /// Shapes do not fit, a number is out of range, or the kernel is larger than the padded input.
        /// </exception>
        public Tensor Conv2d(Tensor weight, Tensor? bias = null, Size2? stride = null, Size2? padding = null,
            Size2? dilation = null, int groups = 1)
        {
            var op = new Conv2dOp(new(stride ?? 1, padding ?? 0, dilation ?? 1, groups));
            return bias is null ? Op.Apply(op, x, weight) : Op.Apply(op, x, weight, bias);
        }

        /// <summary>
        /// 1-d convolution (cross-correlation) over the last axis: y[n,f,j] = b[f] + Σ x[n, c, j·s + k·d − p] ·
        /// w[f,c,k]; x (n, c, w), weight (f, c / groups, k), bias (f) or null → (n, f, ⌊(w + 2p − d·(k − 1) − 1) / s⌋ +
        /// 1).
        /// </summary>
        /// <param name="weight">The kernels (f, c / groups, k), f the number of filters.</param>
        /// <param name="bias">A number (f) added to each filter's outputs; null: none.</param>
        /// <param name="stride">The step between windows, 1 or more; 1 by default.</param>
        /// <param name="padding">The zeros added on each side, 0 or more; 0 by default.</param>
        /// <param name="dilation">The distance between the kernel's elements, 1 or more; 1 by default.</param>
        /// <param name="groups">The number of groups of channels that are convolved apart; it divides c and f.</param>
        /// <returns>The outputs (n, f, width), of x's type.</returns>
        /// <exception cref="AdjointException">
        /// Shapes do not fit, a number is out of range, or the kernel is larger than the padded input.
        /// </exception>
        public Tensor Conv1d(Tensor weight, Tensor? bias = null, int stride = 1, int padding = 0, int dilation = 1,
            int groups = 1) => x.Rank == 3 && weight.Rank == 3
            ? x.Unsqueeze(2).Conv2d(weight.Unsqueeze(2), bias, (1, stride), (0, padding), (1, dilation), groups)
                .Squeeze(2)
            : throw new AdjointException(
                $"Conv1d: input (n, channels, w) and weight (filters, channels / groups, k) are needed: found " +
                $"{x.Shape} and {weight.Shape}");
    }
}
