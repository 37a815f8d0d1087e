using Adjoint.Kernels;

namespace Adjoint;

/// <summary>The largest element of each window.</summary>
internal sealed class MaxPool2dOp(Size2 kernel, Size2 stride, Size2 padding, bool ceilMode) : Op
{
    public override string Name => "MaxPool2d";
    public override string Formula => "y[n,c,i,j] = max over the window of x at (i·s − p, j·s − p)";
    public override string Derivation =>
        "only the largest element moves y: ∂L/∂x gets g there (the first of equals) and 0 elsewhere; windows that " +
        "overlap add up";
    public override Saves Saves => Saves.Nothing;
    public override IReadOnlyList<OpAttribute> Attributes =>
        [new("kernel", kernel), new("stride", stride), new("padding", padding), new("ceil", ceilMode)];

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs)
    {
        if (!inputs[0].DType.IsFloating())
            throw new AdjointException($"{Name}: needs a floating type: found {inputs[0].DType.Label()}; "
                + "cast with .To(DType.Float32)");
        var windows = PoolWindows.Of(inputs[0].Shape, kernel, stride, padding, ceilMode, Name);
        return new((int[])[inputs[0].Shape[0], inputs[0].Shape[1], windows.OutHeight, windows.OutWidth],
            inputs[0].DType);
    }

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output)
    {
        var index = context.Allocate(output.Shape, DType.Bool);
        var windows = PoolWindows.Of(inputs[0].Shape, kernel, stride, padding, ceilMode, Name);
        Backend.Run(new Primitives.MaxPool2d(windows), inputs[0], output, index);
        if (context.IsRecording) context.Save(index);
    }

    public override Tensor?[] Backward(OpNode node, Tensor gradient) =>
        [Op.Apply(new MaxUnpool2dOp(PoolWindows.Of(node.Inputs[0].Shape, kernel, stride, padding, ceilMode, Name),
            node.Inputs[0].Shape, node.Saved[0]), gradient)];
}

/// <summary>Puts values where the largest elements were.</summary>
internal sealed class MaxUnpool2dOp(PoolShape windows, Shape to, Tensor index) : Op
{
    public override string Name => "MaxUnpool2d";
    public override string Formula => "y = x at the place of each window's largest element, 0 elsewhere";
    public override string Derivation => "∂L/∂x = g at those places";
    public override Saves Saves => Saves.Nothing;
    public override IReadOnlyList<OpAttribute> Attributes => Windows.Attributes(windows, to, index);

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => new(to, inputs[0].DType);

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
        Backend.Run(new Primitives.MaxPool2dGradient(windows), inputs[0], index, output);

    public override Tensor?[] Backward(OpNode node, Tensor gradient) =>
        [Apply(new MaxSelect2dOp(windows, node.Inputs[0].Shape, index), gradient)];
}

/// <summary>Takes values from where the largest elements were.</summary>
internal sealed class MaxSelect2dOp(PoolShape windows, Shape to, Tensor index) : Op
{
    public override string Name => "MaxSelect2d";
    public override string Formula => "y = x at the place of each window's largest element";
    public override string Derivation => "∂L/∂x = g at those places, 0 elsewhere; windows that overlap add up";
    public override Saves Saves => Saves.Nothing;
    public override IReadOnlyList<OpAttribute> Attributes => Windows.Attributes(windows, to, index);

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => new(to, inputs[0].DType);

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
        Backend.Run(new Primitives.MaxPool2dSelect(windows), inputs[0], index, output);

    public override Tensor?[] Backward(OpNode node, Tensor gradient) =>
        [Apply(new MaxUnpool2dOp(windows, node.Inputs[0].Shape, index), gradient)];
}

internal static class Windows
{
    internal static IReadOnlyList<OpAttribute> Attributes(in PoolShape windows, Shape to, Tensor index) =>
    [
        new("kernel", new Size2(windows.KernelHeight, windows.KernelWidth)),
        new("stride", new Size2(windows.StrideHeight, windows.StrideWidth)),
        new("padding", new Size2(windows.PadHeight, windows.PadWidth)),
        new("shape", to), new("index", index),
    ];
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// The largest element of each window over the last two axes: (n, c, h, w) → (n, c, ⌊(h + 2p − k) / s⌋ + 1, …),
        /// ⌈⌉ with <paramref name="ceilMode"/>. A NaN wins over every number; padding never wins. The gradient goes to
        /// the first largest element.
        /// </summary>
        /// <param name="kernel">The height and width of a window, at most 256 elements.</param>
        /// <param name="stride">The step between windows; the kernel's size by default.</param>
        /// <param name="padding">
        /// Rows and columns of −∞ added on each side, at most half of the kernel; 0 by default.
        /// </param>
        /// <param name="ceilMode">Whether a last window that reaches beyond the edge counts: ⌈⌉ instead of ⌊⌋.</param>
        /// <returns>The maxima (n, c, height, width), of x's type.</returns>
        /// <exception cref="AdjointException">
        /// The input is not (n, channels, h, w), a window is larger than it with its padding or holds over 256
        /// elements, or the padding is more than half of the window.
        /// </exception>
        public Tensor MaxPool2d(Size2 kernel, Size2? stride = null, Size2? padding = null, bool ceilMode = false) =>
            Op.Apply(new MaxPool2dOp(kernel, stride ?? kernel, padding ?? 0, ceilMode), x);
    }
}
