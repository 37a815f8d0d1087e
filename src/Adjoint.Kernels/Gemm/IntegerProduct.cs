using System.Numerics;

namespace Adjoint.Kernels;

/// <summary>
/// C = A·B of whole numbers, which wrap: matrices A (m, k), B (k, n), C (m, n), contiguous, one after another.
/// </summary>
public static unsafe class IntegerProduct
{
    // A chunk is a matter of the work alone, never of the thread count.
    private const int SmallWork = 32768;

    /// <summary>Multiplies so many matrices.</summary>
    public static void Run<T>(T* a, T* b, T* c, nint matrices, nint m, nint k, nint n)
        where T : unmanaged, IBinaryInteger<T>
    {
        var rows = matrices * m;
        if (rows == 0 || n == 0) return;
        var job = new Job<T> { A = a, B = b, C = c, M = m, K = k, N = n, Rows = rows };
        job.RowsEach = Math.Max(1, SmallWork / Math.Max(1, k * n));
        Workers.For((int)((rows + job.RowsEach - 1) / job.RowsEach), ref job);
    }

    private struct Job<T> : IChunkJob where T : unmanaged, IBinaryInteger<T>
    {
        public T* A, B, C;
        public nint M, K, N, Rows, RowsEach;

        public readonly void Run(int chunk)
        {
            var end = Math.Min(Rows, (chunk + 1) * RowsEach);
            for (var row = chunk * RowsEach; row < end; row++)
            {
                T* a = A + row * K, b = B + row / M * K * N, c = C + row * N;
                for (nint j = 0; j < N; j++) c[j] = T.Zero;
                for (nint l = 0; l < K; l++, b += N)
                    for (nint j = 0; j < N; j++) c[j] = unchecked(c[j] + a[l] * b[j]);
            }
        }
    }
}
