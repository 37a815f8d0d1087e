using Adjoint.Kernels;

namespace Adjoint;

/// <summary>Checks and counts windows.</summary>
internal static class PoolWindows
{
    internal static PoolShape Of(Shape x, Size2 kernel, Size2 stride, Size2 padding, bool ceilMode, string op)
    {
        if (x.Rank != 4 || x[2] == 0 || x[3] == 0)
            throw new AdjointException($"{op}: an input (n, channels, h, w), h and w not 0, is needed: found {x}");
        Check(kernel, stride, padding, op);
        if (x[2] + 2L * padding.Height < kernel.Height || x[3] + 2L * padding.Width < kernel.Width)
            throw new AdjointException(
                $"{op}: a window {kernel} is larger than the input {x} with padding {padding}; use a smaller window");
        return new(
            x[0] * x[1], x[2], x[3], kernel.Height, kernel.Width, stride.Height, stride.Width, padding.Height,
            padding.Width, Count(x[2], kernel.Height, stride.Height, padding.Height, ceilMode),
            Count(x[3], kernel.Width, stride.Width, padding.Width, ceilMode));
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
            throw new AdjointException(
                $"{op}: the padding must be from 0 to half of the window {kernel}: found {padding}");
    }

    /// <summary>
    /// How many windows an axis has. Rounded up, the last one must still begin inside the input or its left padding.
    /// </summary>
    internal static int Count(int size, int kernel, int stride, int padding, bool ceilMode)
    {
        var room = size + 2L * padding - kernel;
        var count = (ceilMode ? (room + stride - 1) / stride : room / stride) + 1;
        return Shape.Size(ceilMode && (count - 1) * stride >= (long)size + padding ? count - 1 : count, "Pooling");
    }
}
