using System.Numerics;

namespace Adjoint.Kernels;

/// <summary>
/// Pairwise summation (Higham 1993): long sums are split at multiples of a block, and partial results are added in
/// pairs, as in a balanced tree. Rounding errors then grow with the logarithm of the length, and the order depends on
/// the length alone.
/// </summary>
internal static class Pairwise
{
    /// <summary>So many terms are added one after another.</summary>
    internal const int Terms = 256;

    /// <summary>Terms of the left of the two parts of <paramref name="n"/>: the largest block·2ᵏ below n.</summary>
    internal static nint Left(nint n, nint block) => block << BitOperations.Log2((ulong)((n - 1) / block));

    /// <summary>Depth of the tree over <paramref name="n"/> terms: 0 up to <see cref="Terms"/>.</summary>
    internal static nint Levels(nint n) => n <= Terms ? 0 : BitOperations.Log2((ulong)((n - 1) / Terms)) + 1;
}
