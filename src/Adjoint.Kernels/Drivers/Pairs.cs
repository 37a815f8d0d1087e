using System.Numerics;

namespace Adjoint.Kernels;

/// <summary>
/// How long sums are cut: at multiples of a piece, so that results meet in pairs, as in a balanced tree (Higham 1993).
/// Rounding then grows with the logarithm of the length, and the order depends on the length alone.
/// </summary>
internal static class Pairs
{
    /// <summary>So many rows are added one after another.</summary>
    internal const int Terms = 256;

    /// <summary>The terms of the left of two parts of <paramref name="n"/>: the largest piece·2ᵏ below n.</summary>
    internal static nint Left(nint n, nint piece) => piece << BitOperations.Log2((ulong)((n - 1) / piece));

    /// <summary>How often <paramref name="n"/> rows are parted.</summary>
    internal static nint Levels(nint n) => n <= Terms ? 0 : BitOperations.Log2((ulong)((n - 1) / Terms)) + 1;
}
