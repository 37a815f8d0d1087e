using Adjoint.Kernels;

namespace Adjoint;

/// <summary>The largest element of each window.</summary>
internal sealed class MaxPool2dOp(Size2 kernel, Size2 stride, Size2 padding, bool ceil) : Op
{
    public override string Name => "MaxPool2d";
    public override string Formula => "y[n,c,i,j] = max over the window of x at (i·s − p, j·s − p)";
    public override string Derivation => "only the largest element moves y: ∂L/∂x gets g there (the first of equals) and 0 elsewhere; windows that overlap add up";
    public override Saves Saves => Saves.Nothing;

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs)
    {
        if (!inputs[0].DType.IsFloating()) throw new AdjointException($"{Name}: needs float32 or float64: found {inputs[0].DType.Label()}; cast with .To(DType.Float32)");
        var windows = PoolWindows.Of(inputs[0].Shape, kernel, stride, padding, ceil, Name);
        return new((int[])[inputs[0].Shape[0], inputs[0].Shape[1], windows.OutHeight, windows.OutWidth], inputs[0].DType);
    }

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output)
    {
        var index = context.Allocate(output.Shape, DType.Bool);
        context.Backend.MaxPool2d(PoolWindows.Of(inputs[0].Shape, kernel, stride, padding, ceil, Name), inputs[0], output, index);
        if (context.IsRecording) context.Save(index);
    }

    public override Tensor?[] Backward(OpNode node, Tensor gradient) =>
        [Op.Apply(new MaxUnpool2dOp(PoolWindows.Of(node.Inputs[0].Shape, kernel, stride, padding, ceil, Name), node.Inputs[0].Shape, node.Saved[0]), gradient)];
}

/// <summary>Puts values where the largest elements were.</summary>
internal sealed class MaxUnpool2dOp(PoolShape windows, Shape to, Tensor index) : Op
{
    public override string Name => "MaxUnpool2d";
    public override string Formula => "y = x at the place of each window's largest element, 0 elsewhere";
    public override string Derivation => "∂L/∂x = g at those places";
    public override Saves Saves => Saves.Nothing;

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => new(to, inputs[0].DType);

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) => context.Backend.MaxPool2dGradient(windows, inputs[0], index, output);

    public override Tensor?[] Backward(OpNode node, Tensor gradient)
    {
        // Row-major numbers of the places, from the bytes.
        var bytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes(index.Data<bool>());
        var places = new long[bytes.Length];
        for (var at = 0; at < places.Length; at++)
        {
            var (i, j, plane) = (at / windows.OutWidth % windows.OutHeight, at % windows.OutWidth, at / (windows.OutWidth * windows.OutHeight));
            var (row, column) = (i * windows.StrideHeight + bytes[at] / windows.KernelWidth - windows.PadHeight, j * windows.StrideWidth + bytes[at] % windows.KernelWidth - windows.PadWidth);
            places[at] = (long)plane * windows.Height * windows.Width + row * windows.Width + column;
        }
        return [gradient.Reshape(-1).Gather(0, Tensor.From(places, places.Length)).Reshape(node.Inputs[0].Shape.Sizes)];
    }
}

/// <summary>Checks and counts windows.</summary>
internal static class PoolWindows
{
    internal static PoolShape Of(Shape x, Size2 kernel, Size2 stride, Size2 padding, bool ceil, string op)
    {
        if (x.Rank != 4 || x[2] == 0 || x[3] == 0)
            throw new AdjointException($"{op}: an input (n, channels, h, w), h and w not 0, is needed: found {x}");
        Check(kernel, stride, padding, op);
        if (x[2] + 2L * padding.Height < kernel.Height || x[3] + 2L * padding.Width < kernel.Width)
            throw new AdjointException($"{op}: a window {kernel} is larger than the input {x} with padding {padding}; use a smaller window");
        return new(x[0] * x[1], x[2], x[3], kernel.Height, kernel.Width, stride.Height, stride.Width, padding.Height, padding.Width,
            Count(x[2], kernel.Height, stride.Height, padding.Height, ceil), Count(x[3], kernel.Width, stride.Width, padding.Width, ceil));
    }

    /// <summary>Refuses what fits no input.</summary>
    /// <exception cref="AdjointException">A number is out of range.</exception>
    internal static void Check(Size2 kernel, Size2 stride, Size2 padding, string op)
    {
        // The place of a window's largest element is kept in a byte.
        if (kernel.Height < 1 || kernel.Width < 1 || (long)kernel.Height * kernel.Width > 256)
            throw new AdjointException($"{op}: a window of 1 to 256 elements is needed: found {kernel}");
        if (stride.Height < 1 || stride.Width < 1)
            throw new AdjointException($"{op}: the stride must be positive: found {stride}");
        if (padding.Height < 0 || padding.Width < 0 || 2L * padding.Height > kernel.Height
            || 2L * padding.Width > kernel.Width)
            throw new AdjointException($"{op}: the padding must be from 0 to half of the window {kernel}: found {padding}");
    }

    /// <summary>How many windows an axis has. Rounded up, the last one must still begin inside the input or its left padding.</summary>
    internal static int Count(int size, int kernel, int stride, int padding, bool ceil)
    {
        var room = size + 2L * padding - kernel;
        var count = (ceil ? (room + stride - 1) / stride : room / stride) + 1;
        return Shape.Size(ceil && (count - 1) * stride >= (long)size + padding ? count - 1 : count, "Pooling");
    }
}

/// <summary>The method of <c>MaxPool2d</c>.</summary>
public static class MaxPool2dMethods
{
    extension(Tensor x)
    {
        /// <summary>The largest of each window over the last two axes: (n, c, h, w) → (n, c, ⌊(h + 2p − k) / s⌋ + 1, …), ⌈⌉ with <paramref name="ceil"/>. NaN wins, padding never does.</summary>
        /// <exception cref="AdjointException">The input is not (n, channels, h, w), a window is larger than it with its padding or holds over 256 elements, or the padding is more than half of the window.</exception>
        public Tensor MaxPool2d(Size2 kernel, Size2? stride = null, Size2? padding = null, bool ceil = false) => Op.Apply(new MaxPool2dOp(kernel, stride ?? kernel, padding ?? 0, ceil), x);
    }
}
