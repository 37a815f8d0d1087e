using System.Numerics;

namespace Adjoint.Kernels;

/// <summary>
/// A GEMM micro-kernel at the edge of C: a tile that is cut off goes through a buffer of its full size.
/// </summary>
internal static unsafe class EdgeTile
{
    /// <summary>C = A·B + β·C over rows × columns of the tile.</summary>
    internal static void Run<T, TTile>(
        nint steps, T* a, T* b, nint strideB, T* c, nint ldc, int rows, int columns, T beta)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> where TTile : struct, ITile<T>
    {
        if (rows == TTile.Rows && columns == TTile.Columns)
        {
            TTile.Run(steps, a, b, strideB, c, ldc, T.One, beta);
            return;
        }
        var whole = stackalloc T[TTile.Rows * TTile.Columns];
        TTile.Run(steps, a, b, strideB, whole, TTile.Columns, T.One, T.Zero);
        for (var i = 0; i < rows; i++)
        {
            var from = new Span<T>(whole + i * TTile.Columns, columns);
            var to = new Span<T>(c + i * ldc, columns);
            if (beta == T.Zero) from.CopyTo(to);
            else
                for (var j = 0; j < columns; j++) to[j] = T.FusedMultiplyAdd(beta, to[j], from[j]);
        }
    }
}
