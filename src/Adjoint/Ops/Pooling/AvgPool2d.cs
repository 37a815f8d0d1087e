namespace Adjoint;

/// <summary>What averaging windows gives. An average is a convolution of each channel with equal weights, and is computed so.</summary>
public static class AvgPool2dMethods
{
    extension(Tensor x)
    {
        /// <summary>The mean of each window over the last two axes, padding counted as zeros: (n, c, h, w) → (n, c, ⌊(h + 2p − k) / s⌋ + 1, …).</summary>
        /// <exception cref="AdjointException">A window is larger than the padded input.</exception>
        public Tensor AvgPool2d(Size2 kernel, Size2? stride = null, Size2? padding = null)
        {
            if (x.Rank != 4 || kernel.Height < 1 || kernel.Width < 1) throw new AdjointException($"AvgPool2d: an input (n, channels, h, w) and a positive window are needed: found {x.Shape} and {kernel}");
            var weight = Tensor.Full((int[])[1, 1, kernel.Height, kernel.Width], 1.0 / (kernel.Height * kernel.Width), x.DType);
            var y = x.Reshape(x.Shape[0] * x.Shape[1], 1, x.Shape[2], x.Shape[3]).Conv2d(weight, null, stride ?? kernel, padding);
            return y.Reshape(x.Shape[0], x.Shape[1], y.Shape[2], y.Shape[3]);
        }

        /// <summary>Means of windows chosen so that the result has the given size: window i covers ⌊i·h/size⌋ to ⌈(i + 1)·h/size⌉.</summary>
        public Tensor AdaptiveAvgPool2d(Size2 size) => Average(Average(x, x.Rank - 2, size.Height), x.Rank - 1, size.Width);

        /// <summary>The mean over the last two axes: (n, c, h, w) → (n, c).</summary>
        public Tensor GlobalAvgPool2d() => x.Mean([-2, -1]);
    }

    private static Tensor Average(Tensor x, int axis, int size)
    {
        var old = x.Shape[axis];
        if (size < 1 || size > old) throw new AdjointException($"AdaptiveAvgPool2d: a size from 1 to {old} is needed for axis {axis} of {x.Shape}: found {size}");
        if (old % size != 0)
            return Tensor.Concat([.. Enumerable.Range(0, size).Select(i => (First: i * old / size, Last: ((i + 1) * old + size - 1) / size)).Select(window => x.Slice(axis, window.First, window.Last - window.First).Mean(axis, keepDims: true))], axis);
        int[] split = [.. x.Shape.Sizes[..axis], size, old / size, .. x.Shape.Sizes[(axis + 1)..]];
        return x.Reshape(split).Mean(axis + 1);
    }
}
