using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Adjoint.Kernels;

/// <summary>
/// C = α·op(A)·op(B) + β·C, row-major, op(A) [m, k], op(B) [k, n], op(X) = X or Xᵀ, on all worker threads. Blocked and
/// packed as by Goto and van de Geijn (2008). Sums over k are cut at fixed places and added up in order, so that a
/// result does not depend on the number of threads.
/// </summary>
public static unsafe class Gemm
{
    /// <summary>Multiplications from which on threads share one product.</summary>
    internal const long MinSharedWork = 1 << 18;

    // Another tile than the usual one is taken where it computes at most so much of what that one does.
    private const double MaxAreaRatio = 0.8, MaxLowAreaRatio = 0.9;

    // Longer sums are split: blocks of KC are added to C one after another, whose rounding grows with their number.
    private const int MaxK = 1 << 16;

    /// <summary>
    /// C = α·op(A)·op(B) + β·C. With β = 0, C is never read; NaN and infinities propagate as in the plain sum.
    /// </summary>
    /// <param name="transA">Whether A lies as [k, m].</param>
    /// <param name="transB">Whether B lies as [n, k].</param>
    /// <param name="m">Rows of C.</param>
    /// <param name="n">Columns of C.</param>
    /// <param name="k">Terms of each sum; with none, C = β·C.</param>
    /// <param name="alpha">α.</param>
    /// <param name="a">A.</param>
    /// <param name="lda">Elements from row to row of A as it lies.</param>
    /// <param name="b">B.</param>
    /// <param name="ldb">Elements from row to row of B as it lies.</param>
    /// <param name="beta">β.</param>
    /// <param name="c">C, which does not overlap A or B.</param>
    /// <param name="ldc">Elements from row to row of C.</param>
    public static void Run<T>(
        bool transA, bool transB, int m, int n, int k, T alpha, T* a, int lda, T* b, int ldb, T beta, T* c, int ldc)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Run(transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc, null, new NoActivation());

    /// <summary>The product with an epilogue: C = f(α·op(A)·op(B) + β·C + bias). With β = 0, C is never read.</summary>
    /// <param name="transA">Whether A lies as [k, m].</param>
    /// <param name="transB">Whether B lies as [n, k].</param>
    /// <param name="m">Rows of C.</param>
    /// <param name="n">Columns of C.</param>
    /// <param name="k">Terms of each sum; with none, C = β·C.</param>
    /// <param name="alpha">α.</param>
    /// <param name="a">A.</param>
    /// <param name="lda">Elements from row to row of A as it lies.</param>
    /// <param name="b">B.</param>
    /// <param name="ldb">Elements from row to row of B as it lies.</param>
    /// <param name="beta">β.</param>
    /// <param name="c">C, which does not overlap A or B.</param>
    /// <param name="ldc">Elements from row to row of C.</param>
    /// <param name="bias">[n], added to every row; or null.</param>
    /// <param name="activation">f.</param>
    public static void Run<T, TOperator>(
        bool transA, bool transB, int m, int n, int k, T alpha, T* a, int lda, T* b, int ldb, T beta, T* c, int ldc,
        T* bias, TOperator activation)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> where TOperator : struct, IUnaryOperator
    {
        if (m == 0 || n == 0) return;
        if (k > MaxK)
        {
            RunSplitK(transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc, bias, activation);
            return;
        }
        var problem = new GemmProblem<T>(transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
        Simd.Widest<T, Kernel<T, TOperator>>(new(&problem, bias, activation));
    }

    // C takes part once: before the last split, whose epilogue is that of the whole.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunSplitK<T, TOperator>(
        bool transA, bool transB, int m, int n, int k, T alpha, T* a, int lda, T* b, int ldb, T beta, T* c, int ldc,
        T* bias, TOperator activation)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> where TOperator : struct, IUnaryOperator
    {
        var (length, last) = ((nint)m * n, (k - 1) / MaxK * MaxK);
        var (strideA, strideB) = (transA ? lda : (nint)1, transB ? (nint)1 : ldb);
        var sums = (T*)NativeMemory.AlignedAlloc((nuint)(2 * length * sizeof(T)), 64);
        try
        {
            for (var at = 0; at < last; at += MaxK)
            {
                var to = at == 0 ? sums : sums + length;
                Run(transA, transB, m, n, MaxK, alpha, a + at * strideA, lda, b + at * strideB, ldb, T.Zero, to, n);
                if (at > 0) PartialSums.AddTo(sums, to, length, 1);
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
        a += last * strideA;
        b += last * strideB;
        Run(transA, transB, m, n, k - last, alpha, a, lda, b, ldb, T.One, c, ldc, bias, activation);
    }

    private readonly struct Kernel<T, TOperator>(GemmProblem<T>* problem, T* bias, TOperator activation)
        : IVectorKernel<T> where T : unmanaged, IBinaryFloatingPointIeee754<T> where TOperator : struct, IUnaryOperator
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<V>() where V : struct, ILanes<V, T>
        {
            // Only AVX-512 has the 32 registers that a tile of 24 accumulators needs.
            if (Simd.Width < 512)
            {
                Run<Tile<MicroKernel6x2, V, T>>();
                return;
            }
            // Where much of the usual tile would hang over the edges, another fits better. The sums are the same.
            var (tall, middle) = (Area<Tile<MicroKernel12x2, V, T>>(), Area<Tile<MicroKernel8x3, V, T>>());
            var wide = Area<Tile<MicroKernel6x4, V, T>>();
            if (Math.Min(middle, wide) > MaxAreaRatio * tall)
            {
                // 8 rows read B more often, but 64 and 16 are multiples of it.
                if (Area<Tile<MicroKernel8x2, V, T>>() > MaxLowAreaRatio * tall) Run<Tile<MicroKernel12x2, V, T>>();
                else Run<Tile<MicroKernel8x2, V, T>>();
            }
            else if (middle < wide) Run<Tile<MicroKernel8x3, V, T>>();
            else Run<Tile<MicroKernel6x4, V, T>>();
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Run<TTile>() where TTile : struct, ITile<T> =>
            GemmBlocks<T, TTile, TOperator>.Run(*problem, bias, activation);

        // Elements of all tiles that cover C.
        private double Area<TTile>() where TTile : struct, ITile<T> =>
            (double)((problem->M + TTile.MR - 1) / TTile.MR * TTile.MR)
            * ((problem->N + TTile.NR - 1) / TTile.NR * TTile.NR);
    }
}

/// <summary>The operands of one product, as <see cref="Gemm"/> names them.</summary>
internal readonly unsafe struct GemmProblem<T>(
    bool transA, bool transB, int m, int n, int k, T alpha, T* a, int lda, T* b, int ldb, T beta, T* c, int ldc)
    where T : unmanaged
{
    public readonly bool TransA = transA, TransB = transB;
    public readonly int M = m, N = n, K = k, Lda = lda, Ldb = ldb, Ldc = ldc;
    public readonly T Alpha = alpha, Beta = beta;
    public readonly T* A = a, B = b, C = c;
}
