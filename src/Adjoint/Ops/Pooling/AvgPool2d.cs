namespace Adjoint;

// What averaging windows gives. An average is a convolution of each channel with equal weights, and is computed so.
public static partial class TensorMethods
{
    // Elements beyond which a mean is better taken of the window alone, as a convolution adds them one after another.
    private const int LargeWindow = 4096;

    extension(Tensor x)
    {
        /// <summary>
        /// The mean of each window over the last two axes, padding counted as zeros: (n, c, h, w) → (n, c, ⌊(h + 2p −
        /// k) / s⌋ + 1, …), ⌈⌉ with <paramref name="ceilMode"/>. Elements of a window beyond the padding do not count
        /// (PyTorch's <c>avg_pool2d</c> with <c>count_include_pad=True</c>).
        /// </summary>
        /// <param name="kernel">The height and width of a window, 1 or more.</param>
        /// <param name="stride">The step between windows; the kernel's size by default.</param>
        /// <param name="padding">Zeros added on each side, at most half of the kernel; 0 by default.</param>
        /// <param name="ceilMode">Whether a last window that reaches beyond the edge counts: ⌈⌉ instead of ⌊⌋.</param>
        /// <returns>The means (n, c, height, width), of x's type.</returns>
        /// <exception cref="AdjointException">
        /// The input is not (n, channels, h, w), a window is larger than it with its padding, or the padding is more
        /// than half of the window.
        /// </exception>
        public Tensor AvgPool2d(Size2 kernel, Size2? stride = null, Size2? padding = null, bool ceilMode = false)
        {
            var (step, pad) = (stride ?? kernel, padding ?? 0);
            AveragingWindows.Check(x.Shape, kernel, step, pad);
            var (height, width) = (PoolWindows.Count(x.Shape[2], kernel.Height, step.Height, pad.Height, ceilMode),
                PoolWindows.Count(x.Shape[3], kernel.Width, step.Width, pad.Width, ceilMode));
            var (below, right) = (AveragingWindows.Beyond(x.Shape[2], height, kernel.Height, step.Height, pad.Height),
                AveragingWindows.Beyond(x.Shape[3], width, kernel.Width, step.Width, pad.Width));
            if (step == kernel && pad == 0 && below == 0 && right == 0
                && (long)kernel.Height * kernel.Width > LargeWindow)
                return AveragingWindows.SideBySide(x, kernel, height, width);
            var planes = x.Reshape(x.Shape[0] * x.Shape[1], 1, x.Shape[2], x.Shape[3]).PadAxis(2, 0, below)
                .PadAxis(3, 0, right);
            var weight = Tensor.Full((int[])[1, 1, kernel.Height, kernel.Width], 1, x.DType);
            // Of rows and columns beyond the padding, in a stride that does not reach them, the convolution may make
            // one window more.
            var sums = planes.Conv2d(weight, null, step, pad).Slice(2, 0, height).Slice(3, 0, width);
            var y = sums / ((double)kernel.Height * kernel.Width);
            if (below > 0) y *= AveragingWindows.InsideFraction(x, 2, height, kernel.Height, step.Height, pad.Height);
            if (right > 0) y *= AveragingWindows.InsideFraction(x, 3, width, kernel.Width, step.Width, pad.Width);
            return y.Reshape(x.Shape[0], x.Shape[1], height, width);
        }

        /// <summary>
        /// Means of windows chosen so that the result has the given size: (n, c, h, w) → (n, c, size). Window i covers
        /// ⌊i·h/size⌋ to ⌈(i + 1)·h/size⌉; where the size does not divide the axis, windows overlap.
        /// </summary>
        /// <param name="size">The height and width of the result, 1 or more.</param>
        /// <returns>The means (n, c, size), of x's type.</returns>
        /// <exception cref="AdjointException">The input has no last two axes, or a size is not positive.</exception>
        public Tensor AdaptiveAvgPool2d(Size2 size)
        {
            if (x.Rank < 2 || x.Shape[-2] == 0 || x.Shape[-1] == 0 || size.Height < 1 || size.Width < 1)
                throw new AdjointException(
                    $"AdaptiveAvgPool2d: an input (…, h, w), neither of them 0, and a positive size are needed: "
                        + $"found {x.Shape} and {size}");
            Shape.CheckFits([.. x.Shape.Sizes[..^2], size.Height, size.Width], x.DType, "AdaptiveAvgPool2d");
            return AveragingWindows.Adaptive(AveragingWindows.Adaptive(x, x.Rank - 2, size.Height), x.Rank - 1,
                size.Width);
        }

        /// <summary>The mean over the last two axes: (n, c, h, w) → (n, c).</summary>
        /// <returns>The means (n, c), of x's type.</returns>
        /// <exception cref="AdjointException">The input has fewer than two axes.</exception>
        public Tensor GlobalAvgPool2d() => x.Mean([-2, -1]);
    }
}

/// <summary>Checks and counts the windows of averages.</summary>
internal static class AveragingWindows
{
    internal const string Op = "AvgPool2d";

    internal static void Check(Shape x, Size2 kernel, Size2 stride, Size2 padding)
    {
        if (x.Rank != 4 || x[2] == 0 || x[3] == 0)
            throw new AdjointException($"{Op}: an input (n, channels, h, w), h and w not 0, is needed: found {x}");
        Check(kernel, stride, padding);
        if (x[2] + 2L * padding.Height < kernel.Height || x[3] + 2L * padding.Width < kernel.Width)
            throw new AdjointException(
                $"{Op}: a window {kernel} is larger than the input {x} with padding {padding}; use a smaller window");
    }

    /// <summary>Refuses what fits no input.</summary>
    internal static void Check(Size2 kernel, Size2 stride, Size2 padding)
    {
        if (kernel.Height < 1 || kernel.Width < 1 || stride.Height < 1 || stride.Width < 1)
            throw new AdjointException($"{Op}: window and stride must be positive: found {kernel} and {stride}");
        if (padding.Height < 0 || padding.Width < 0 || 2L * padding.Height > kernel.Height
            || 2L * padding.Width > kernel.Width)
            throw new AdjointException(
                $"{Op}: the padding must be from 0 to half of the window {kernel}: found {padding}");
    }

    /// <summary>How far the last window reaches beyond the padding.</summary>
    internal static int Beyond(int size, int count, int kernel, int stride, int padding) =>
        Shape.Size(Math.Max(0, (count - 1L) * stride + kernel - size - 2L * padding), Op);

    /// <summary>For each window along an axis: its length over how much of it counts.</summary>
    internal static Tensor InsideFraction(Tensor x, int axis, int count, int kernel, int stride, int padding)
    {
        int[] shape = [1, 1, 1, 1];
        shape[axis] = count;
        var end = x.Shape[axis] + 2L * padding;
        var share = new double[count];
        for (var i = 0; i < count; i++) share[i] = (double)kernel / Math.Min(kernel, end - (long)i * stride);
        return Tensor.From((ReadOnlySpan<double>)share, shape).To(x.DType);
    }

    /// <summary>Means of windows that fill the image from its first corner on.</summary>
    internal static Tensor SideBySide(Tensor x, Size2 kernel, int height, int width) =>
        x.Slice(2, 0, height * kernel.Height).Slice(3, 0, width * kernel.Width)
            .Reshape(x.Shape[0], x.Shape[1], height, kernel.Height, width, kernel.Width).Mean([3, 5]);

    internal static Tensor Adaptive(Tensor x, int axis, int size)
    {
        var old = x.Shape[axis];
        if (size > old)
        {
            // Each window covers one position, or two neighbors.
            var (first, last) = (new int[size], new int[size]);
            for (var i = 0; i < size; i++)
                (first[i], last[i]) = ((int)((long)i * old / size), (int)(((i + 1L) * old + size - 1) / size) - 1);
            return x.IndexSelect(axis, first) * 0.5 + x.IndexSelect(axis, last) * 0.5;
        }
        if (old % size != 0)
            return Tensor.Concat(
                [.. Enumerable.Range(0, size)
                    .Select(i => (First: (int)((long)i * old / size), End: (int)(((i + 1L) * old + size - 1) / size)))
                    .Select(window => x.Slice(axis, window.First, window.End - window.First)
                        .Mean(axis, keepDims: true))], axis);
        int[] split = [.. x.Shape.Sizes[..axis], size, old / size, .. x.Shape.Sizes[(axis + 1)..]];
        return x.Reshape(split).Mean(axis + 1);
    }
}
