using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// Tiles of C, of which some hang over its edges: their operands are padded with zeros, they are computed beside C, and
/// what exists of them is moved.
/// </summary>
internal static unsafe class EdgeTile
{
    /// <summary>C = α·A·B + β·C over the first rows and columns of a tile, or all of it. β = 0 never reads C.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Run<T, TTile>(
        nint kc, T* a, T* b, nint strideB, T* c, nint ldc, int rows, int columns, T alpha, T beta)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> where TTile : struct, ITile<T>
    {
        if (rows == TTile.MR && columns == TTile.NR) TTile.Run(kc, a, b, strideB, c, ldc, alpha, beta);
        else RunBeside<T, TTile>(kc, a, b, strideB, c, ldc, rows, columns, alpha, beta);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunBeside<T, TTile>(
        nint kc, T* a, T* b, nint strideB, T* c, nint ldc, int rows, int columns, T alpha, T beta)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> where TTile : struct, ITile<T>
    {
        var whole = stackalloc T[TTile.MR * TTile.NR];
        TTile.Run(kc, a, b, strideB, whole, TTile.NR, alpha, T.Zero);
        for (var i = 0; i < rows; i++)
        {
            var from = new Span<T>(whole + i * TTile.NR, columns);
            var to = new Span<T>(c + i * ldc, columns);
            if (beta == T.Zero) from.CopyTo(to);
            else
                for (var j = 0; j < columns; j++) to[j] = T.FusedMultiplyAdd(beta, to[j], from[j]);
        }
    }
}
