using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// Each pair i of the numbers of a row, rotated by the angle p·θ^(−2i/d), where p is the row's position. Operands: x
/// (…, t, d) with an even d, of any layout; the positions (t), or (n, t) where n is x's first axis, int64, of any
/// layout; y, contiguous, of x's shape and floating type.
/// </summary>
/// <param name="Theta">The base θ of the angles.</param>
/// <param name="IsInterleaved">Whether a pair is (2i, 2i + 1) instead of (i, i + d/2).</param>
/// <param name="IsInverse">Whether to rotate by the negative angle.</param>
public readonly record struct RotaryEmbedding(double Theta, bool IsInterleaved, bool IsInverse)
    : IFloatingPrimitive<RotaryEmbedding>
{
    /// <inheritdoc/>
    public static string Name => "RotaryEmbedding";

    /// <inheritdoc/>
    public static void Check(in RotaryEmbedding primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 3);
        var (x, positions, y) = (operands[0]!, operands[1]!, operands[2]!);
        Operands.Result(Name, y);
        Operands.SameTypeAndShape(Name, "x", x, y);
        if (x.Rank < 2 || x.Shape[-1] % 2 != 0)
            throw new AdjointException(
                $"{Name}: x must be (…, t, d) with an even d: found {x.Shape}{Operands.Remedy}");
        if (positions.Rank == 2 && x.Rank > 2)
            Operands.Has(Name, "positions", positions, DType.Int64, x.Shape[0], x.Shape[-2]);
        else Operands.Has(Name, "positions", positions, DType.Int64, x.Shape[-2]);
        Operands.NoOverlap(Name, x, y);
    }

    /// <inheritdoc/>
    public static unsafe void Run<T>(in RotaryEmbedding primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (x, y) = (operands[0]!, operands[2]!);
        // Heads that lie among each other, as slices of one projection do, are read where they are.
        if (x.StrideAt(x.Rank - 1) != 1) x = Copy.Contiguous(x);
        var positions = Copy.Contiguous(operands[1]!);
        var offsets = Offsets(x);
        fixed (long* at = positions.Data<long>())
        fixed (nint* offset = offsets)
        fixed (T* from = &x.Origin<T>(), to = &y.Origin<T>())
            Rotary.Rotate(from, offset, x.StrideAt(x.Rank - 2), at, to, positions.Rank == 2 ? x.Shape[0] : 1,
                offsets.Length, x.Shape[-2], x.Shape[-1], primitive.Theta, primitive.IsInterleaved,
                primitive.IsInverse);
        Copy.ReleaseCopy(x, operands[0]!);
        Copy.ReleaseCopy(positions, operands[1]!);
    }

    // Of each matrix (t, d), in row-major order.
    private static nint[] Offsets(Tensor x)
    {
        nint[] offsets = [0];
        for (var axis = 0; axis < x.Rank - 2; axis++)
        {
            var (before, size, stride) = (offsets, x.Shape[axis], x.StrideAt(axis));
            offsets = new nint[before.Length * size];
            for (var i = 0; i < offsets.Length; i++) offsets[i] = before[i / size] + i % size * stride;
        }
        return offsets;
    }
}
