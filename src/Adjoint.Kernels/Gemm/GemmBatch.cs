using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// Matrix products over leading axes: C[i…] = f(op(A)[i…]·op(B)[i…] + bias), each as <see cref="Gemm"/> computes it
/// alone, to the bit. Threads share the batch where its products are small, and each product in turn where they are
/// large; which of the two depends on the sizes alone.
/// </summary>
public static unsafe class GemmBatch
{
    // From so many products on, each is done by one thread, unless it is so large that all threads share it and pack
    // what they have in common once.
    private const int MinBatch = 16;
    private const long MaxUnsharedWork = 1 << 22;

    // Multiplications in a chunk of several products: they outweigh a hand-off.
    private const long ChunkWork = 1 << 16;

    /// <summary>The products. C is contiguous, [sizes…, m, n].</summary>
    /// <param name="sizes">Sizes of the leading axes; none for one product.</param>
    /// <param name="transA">Whether A lies as [k, m].</param>
    /// <param name="transB">Whether B lies as [n, k].</param>
    /// <param name="m">Rows of C.</param>
    /// <param name="n">Columns of C.</param>
    /// <param name="k">Terms of each sum.</param>
    /// <param name="a">The first A.</param>
    /// <param name="lda">Elements from row to row of A as it lies.</param>
    /// <param name="stridesA">Elements from matrix to matrix along each leading axis; 0 to use one again.</param>
    /// <param name="b">The first B.</param>
    /// <param name="ldb">Elements from row to row of B as it lies.</param>
    /// <param name="stridesB">As <paramref name="stridesA"/>.</param>
    /// <param name="c">The first C.</param>
    /// <param name="bias">[n], added to every row, or null.</param>
    /// <param name="activation">f.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<T, TOperator>(
        ReadOnlySpan<int> sizes, bool transA, bool transB, int m, int n, int k, T* a, int lda,
        ReadOnlySpan<nint> stridesA, T* b, int ldb, ReadOnlySpan<nint> stridesB, T* c, T* bias, TOperator activation)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> where TOperator : struct, IUnaryOperator
    {
        nint count = 1;
        foreach (var size in sizes) count *= size;
        if (count == 0 || m == 0 || n == 0) return;
        fixed (int* pSizes = sizes)
        fixed (nint* pStridesA = stridesA, pStridesB = stridesB)
        {
            var job = new Job<T, TOperator>
            {
                TransA = transA,
                TransB = transB,
                M = m,
                N = n,
                K = k,
                Lda = lda,
                Ldb = ldb,
                Axes = sizes.Length,
                Sizes = pSizes,
                StridesA = pStridesA,
                StridesB = pStridesB,
                A = a,
                B = b,
                C = c,
                Bias = bias,
                Activation = activation,
                Count = count,
            };
            // k = 0 still writes C.
            var work = (long)m * n * Math.Max(1, k);
            var isBatchShared = work < (count < MinBatch ? Gemm.MinSharedWork : MaxUnsharedWork);
            job.PerChunk = isBatchShared ? (nint)Math.Max(1, ChunkWork / work) : count;
            Workers.For((int)((count + job.PerChunk - 1) / job.PerChunk), ref job);
        }
    }

    private struct Job<T, TOperator> : IChunkJob
        where T : unmanaged, IBinaryFloatingPointIeee754<T> where TOperator : struct, IUnaryOperator
    {
        public bool TransA, TransB;
        public int M, N, K, Lda, Ldb, Axes;
        public int* Sizes;
        public nint* StridesA, StridesB;
        public T* A, B, C, Bias;
        public TOperator Activation;
        public nint Count, PerChunk;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int chunk)
        {
            var last = Math.Min(Count, (chunk + 1) * PerChunk);
            for (var i = chunk * PerChunk; i < last; i++)
            {
                T* a = A, b = B, c = C + i * M * N;
                var rest = i;
                for (var axis = Axes - 1; axis >= 0; axis--)
                {
                    var at = rest % Sizes[axis];
                    rest /= Sizes[axis];
                    a += at * StridesA[axis];
                    b += at * StridesB[axis];
                }
                Gemm.Run(TransA, TransB, M, N, K, T.One, a, Lda, b, Ldb, T.Zero, c, N, Bias, Activation);
            }
        }
    }
}
