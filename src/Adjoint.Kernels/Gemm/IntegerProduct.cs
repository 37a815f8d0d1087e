using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// C = A·B of integers, which wrap: contiguous A [matrices, m, k], B [matrices, k, n], C [matrices, m, n]. A
/// plain loop: row by row of C, one row of B at a time, so that the innermost runs along memory.
/// </summary>
public static unsafe class IntegerProduct
{
    // Multiplications in a chunk of rows: they outweigh a hand-off.
    private const int ChunkWork = 32768;

    /// <summary>The products.</summary>
    /// <param name="a">[matrices, m, k].</param>
    /// <param name="b">[matrices, k, n].</param>
    /// <param name="c">[matrices, m, n]; overlaps neither.</param>
    /// <param name="matrices">How many products.</param>
    /// <param name="m">Rows of each C.</param>
    /// <param name="k">Terms of each sum; with none, C is 0.</param>
    /// <param name="n">Columns of each C.</param>
    public static void Run<T>(T* a, T* b, T* c, nint matrices, nint m, nint k, nint n)
        where T : unmanaged, IBinaryInteger<T>
    {
        var rows = matrices * m;
        if (rows == 0 || n == 0) return;
        var job = new Job<T> { A = a, B = b, C = c, M = m, K = k, N = n, Rows = rows };
        job.RowsPerChunk = Math.Max(1, ChunkWork / Math.Max(1, k * n));
        Workers.For((int)((rows + job.RowsPerChunk - 1) / job.RowsPerChunk), ref job);
    }

    private struct Job<T> : IChunkJob where T : unmanaged, IBinaryInteger<T>
    {
        public T* A, B, C;
        public nint M, K, N, Rows, RowsPerChunk;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int chunk)
        {
            var end = Math.Min(Rows, (chunk + 1) * RowsPerChunk);
            for (var row = chunk * RowsPerChunk; row < end; row++)
            {
                T* a = A + row * K, b = B + row / M * K * N, c = C + row * N;
                for (nint j = 0; j < N; j++) c[j] = T.Zero;
                for (nint l = 0; l < K; l++, b += N)
                    for (nint j = 0; j < N; j++) c[j] = unchecked(c[j] + a[l] * b[j]);
            }
        }
    }
}
