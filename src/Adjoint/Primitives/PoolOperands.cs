using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>What pooling and its gradient check alike.</summary>
internal static class PoolOperands
{
    /// <summary>
    /// Windows over x (n, c, h, w), of which each holds at least one element of x, and what they give.
    /// </summary>
    /// <exception cref="AdjointException">An operand is not as the windows have it.</exception>
    internal static void Check(string primitive, in PoolShape s, Tensor x, Tensor y, Tensor index, DType type)
    {
        PoolWindows.Check((s.KernelHeight, s.KernelWidth), (s.StrideHeight, s.StrideWidth),
            (s.PadHeight, s.PadWidth), primitive);
        if (x.Rank != 4 || s.Planes != x.Shape[0] * x.Shape[1] || s.OutHeight < 0 || s.OutWidth < 0
            || (s.OutHeight - 1L) * s.StrideHeight >= (long)s.Height + s.PadHeight
            || (s.OutWidth - 1L) * s.StrideWidth >= (long)s.Width + s.PadWidth)
            throw new AdjointException($"{primitive}: {s} does not lay windows over {x.Shape}{Operands.Remedy}");
        Operands.Has(primitive, "x", x, type, x.Shape[0], x.Shape[1], s.Height, s.Width);
        Operands.Has(primitive, "y", y, type, x.Shape[0], x.Shape[1], s.OutHeight, s.OutWidth);
        Operands.HasLength(primitive, "index", index, DType.Bool, y.Length);
        Operands.Contiguous(primitive, "index", index);
    }
}
