using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// C = α·op(A)·op(B) + β·C, row-major, op(A) [m, k], op(B) [k, n], op(X) = X or Xᵀ. Panels are packed so that the micro-kernel reads
/// straight through (Goto and van de Geijn 2008). K is cut at fixed places and added up in order, whatever the number of threads.
/// </summary>
public static unsafe class Gemm
{
    /// <summary>Multiplications from which on threads share one product.</summary>
    internal const long WorkWorthSharing = 1 << 18;

    private const double LeastSaving = 0.8;

    // Longer sums are taken part by part: blocks of depth are added to C one after another.
    private const int MostInner = 1 << 16;

    /// <summary>The product. With β = 0, C is never read; NaN and infinities propagate as in the plain sum.</summary>
    public static void Run<T>(bool transA, bool transB, int m, int n, int k, T alpha, T* a, int lda, T* b, int ldb, T beta, T* c, int ldc) where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Run(transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc, null, new NoActivation());

    /// <summary>The product with an epilogue: C = f(α·op(A)·op(B) + β·C + bias), bias [n] added to every row, or null.</summary>
    public static void Run<T, TOperator>(bool transA, bool transB, int m, int n, int k, T alpha, T* a, int lda, T* b, int ldb, T beta, T* c, int ldc, T* bias, TOperator activation)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> where TOperator : struct, IUnaryOperator
    {
        if (m == 0 || n == 0) return;
        if (k > MostInner)
        {
            InParts(transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc, bias, activation);
            return;
        }
        var problem = new GemmProblem<T>(transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
        Simd.Widest<T, Kernel<T, TOperator>>(new(&problem, bias, activation));
    }

    private readonly struct Kernel<T, TOperator>(GemmProblem<T>* problem, T* bias, TOperator activation) : IVectorKernel<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T> where TOperator : struct, IUnaryOperator
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<V>() where V : struct, ILanes<V, T>
        {
            // Only AVX-512 has the 32 registers that a tile of 24 accumulators needs.
            if (Simd.Width < 512)
            {
                GemmBlocks<T, Tile<MicroKernel6x2, V, T>, TOperator>.Run(*problem, bias, activation);
                return;
            }
            // Where much of the usual tile would hang over the edges, another fits better. The sums are the same.
            var (m, n) = (problem->M, problem->N);
            var usual = Covered<Tile<MicroKernel12x2, V, T>, T>(m, n);
            var (middle, wide) = (Covered<Tile<MicroKernel8x3, V, T>, T>(m, n), Covered<Tile<MicroKernel6x4, V, T>, T>(m, n));
            if (Math.Min(middle, wide) > LeastSaving * usual)
                GemmBlocks<T, Tile<MicroKernel12x2, V, T>, TOperator>.Run(*problem, bias, activation);
            else if (middle < wide) GemmBlocks<T, Tile<MicroKernel8x3, V, T>, TOperator>.Run(*problem, bias, activation);
            else GemmBlocks<T, Tile<MicroKernel6x4, V, T>, TOperator>.Run(*problem, bias, activation);
        }
    }

    private static void InParts<T, TOperator>(
        bool transA, bool transB, int m, int n, int k, T alpha, T* a, int lda, T* b, int ldb, T beta, T* c, int ldc,
        T* bias, TOperator activation) where T : unmanaged, IBinaryFloatingPointIeee754<T> where TOperator : struct, IUnaryOperator
    {
        var (length, last) = ((nint)m * n, (k - 1) / MostInner * MostInner);
        var (stepA, stepB) = (transA ? lda : (nint)1, transB ? (nint)1 : ldb);
        var sums = (T*)NativeMemory.AlignedAlloc((nuint)(2 * length * sizeof(T)), 64);
        try
        {
            for (var at = 0; at < last; at += MostInner)
            {
                var part = at == 0 ? sums : sums + length;
                Run(transA, transB, m, n, MostInner, alpha, a + at * stepA, lda, b + at * stepB, ldb, T.Zero, part, n);
                if (at > 0) PartialSums.AddTo(sums, part, length, 1);
            }
            for (nint i = 0; i < m; i++)
                for (nint j = 0; j < n; j++)
                {
                    var to = c + i * ldc + j;
                    *to = beta == T.Zero ? sums[i * n + j] : T.FusedMultiplyAdd(beta, *to, sums[i * n + j]);
                }
        }
        finally
        {
            NativeMemory.AlignedFree(sums);
        }
        a += last * stepA;
        b += last * stepB;
        Run(transA, transB, m, n, k - last, alpha, a, lda, b, ldb, T.One, c, ldc, bias, activation);
    }

    // Elements of C with what tiles add at the edges.
    private static double Covered<TTile, T>(int m, int n) where T : unmanaged where TTile : struct, ITile<T> =>
        (double)((m + TTile.Rows - 1) / TTile.Rows * TTile.Rows) * ((n + TTile.Columns - 1) / TTile.Columns * TTile.Columns);
}

/// <summary>The operands of one product.</summary>
internal readonly unsafe struct GemmProblem<T>(bool transA, bool transB, int m, int n, int k, T alpha, T* a, int lda, T* b, int ldb, T beta, T* c, int ldc) where T : unmanaged
{
    public readonly bool TransA = transA, TransB = transB;
    public readonly int M = m, N = n, K = k, Lda = lda, Ldb = ldb, Ldc = ldc;
    public readonly T Alpha = alpha, Beta = beta;
    public readonly T* A = a, B = b, C = c;
}
