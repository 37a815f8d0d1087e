using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// Folds one axis: contiguous x [outer, n, inner] → y [outer, inner]. Long axes are folded in blocks whose results
/// are combined pairwise (<see cref="Pairwise"/>): a float32 sum of ones would otherwise stop at 2²⁴.
/// </summary>
public static unsafe class Reduce
{
    // Elements of a row that are folded one after another: also a chunk of a long row.
    private const int BlockLength = 8192;
    private const int ChunkLength = 32768;

    /// <summary>y[o, i] = fold over k of x[o, k, i]; the operator's identity when n is 0.</summary>
    /// <param name="op">The fold.</param>
    /// <param name="x">The elements.</param>
    /// <param name="y">The results.</param>
    /// <param name="outer">Product of the sizes before the axis.</param>
    /// <param name="n">Size of the axis.</param>
    /// <param name="inner">Product of the sizes after it.</param>
    public static void Run<T, TOperator>(TOperator op, T* x, T* y, nint outer, nint n, nint inner)
        where T : unmanaged where TOperator : struct, IReductionOperator
    {
        if (outer == 0 || inner == 0) return;
        if (typeof(T) == typeof(float))
            Fold<Scalar<float>, float, TOperator>(op, (float*)x, (float*)y, outer, n, inner);
        else if (typeof(T) == typeof(double))
            Fold<Scalar<double>, double, TOperator>(op, (double*)x, (double*)y, outer, n, inner);
        else if ((TOperator.Kinds & Elements.KindOf<T>()) == 0) throw Elements.None<T, TOperator>();
        else if (typeof(T) == typeof(bool)) Fold<Truth, bool, TOperator>(op, (bool*)x, (bool*)y, outer, n, inner);
        else if (typeof(T) == typeof(byte))
            Fold<Integer<byte>, byte, TOperator>(op, (byte*)x, (byte*)y, outer, n, inner);
        else if (typeof(T) == typeof(int)) Fold<Integer<int>, int, TOperator>(op, (int*)x, (int*)y, outer, n, inner);
        else if (typeof(T) == typeof(long))
            Fold<Integer<long>, long, TOperator>(op, (long*)x, (long*)y, outer, n, inner);
        else throw Elements.None<T, TOperator>();
    }

    /// <summary>The fold of one row, as <see cref="Run"/> computes it, to the bit, on the calling thread.</summary>
    /// <param name="op">The fold.</param>
    /// <param name="x">The elements.</param>
    /// <param name="n">How many.</param>
    internal static T Row<T, TOperator>(TOperator op, T* x, nint n)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> where TOperator : struct, IReductionOperator
    {
        T result;
        LongRow<Scalar<T>, T, TOperator>(op, x, n, &result);
        return result;
    }

    // S: one element.
    private static void Fold<S, T, TOperator>(TOperator op, T* x, T* y, nint outer, nint n, nint inner)
        where S : struct, ILanes<S, T> where T : unmanaged where TOperator : struct, IReductionOperator
    {
        var job = new Job<S, T, TOperator> { Operator = op, X = x, Y = y, Outer = outer, N = n, Inner = inner };
        if (inner == 1 && outer == 1 && n > BlockLength)
        {
            var blocks = (int)((n + BlockLength - 1) / BlockLength);
            var partial = new T[blocks];
            fixed (T* results = partial)
            {
                job.Partial = results;
                Workers.For(blocks, ref job);
                // Partial results are transformed already: combine only.
                S.Store(CombinePairwise<S, T, TOperator>(op, results, blocks), y);
            }
            return;
        }
        job.RowsPerChunk = Math.Max(1, ChunkLength / Math.Max(1, n * inner));
        Workers.For((int)((outer + job.RowsPerChunk - 1) / job.RowsPerChunk), ref job);
    }

    private static S CombinePairwise<S, T, TOperator>(TOperator op, T* partial, nint count)
        where S : struct, ILanes<S, T> where T : unmanaged where TOperator : struct, IReductionOperator
    {
        if (count == 1) return S.Load(partial);
        var left = Pairwise.Left(count, 1);
        return op.Combine(
            CombinePairwise<S, T, TOperator>(op, partial, left),
                CombinePairwise<S, T, TOperator>(op, partial + left, count - left));
    }

    private static void LongRow<S, T, TOperator>(TOperator op, T* x, nint n, T* y)
        where S : struct, ILanes<S, T> where T : unmanaged where TOperator : struct, IReductionOperator
    {
        if (n <= BlockLength)
        {
            Row<S, T, TOperator>(op, x, n, y);
            return;
        }
        var left = Pairwise.Left(n, BlockLength);
        T right;
        LongRow<S, T, TOperator>(op, x, left, y);
        LongRow<S, T, TOperator>(op, x + left, n - left, &right);
        S.Store(op.Combine(S.Load(y), S.Load(&right)), y);
    }

    private static void Row<S, T, TOperator>(TOperator op, T* x, nint n, T* y)
        where S : struct, ILanes<S, T> where T : unmanaged where TOperator : struct, IReductionOperator
    {
        if (typeof(T) == typeof(float)) Simd.Widest<float, Kernel<float, TOperator>>(new(op, (float*)x, n, (float*)y));
        else if (typeof(T) == typeof(double))
            Simd.Widest<double, Kernel<double, TOperator>>(new(op, (double*)x, n, (double*)y));
        else Row<S, S, T, TOperator>(op, x, n, y);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Row<V, S, T, TOperator>(TOperator op, T* x, nint n, T* y)
        where V : struct, ILanes<V, T> where S : struct, ILanes<S, T> where T : unmanaged
        where TOperator : struct, IReductionOperator
    {
        // Four chains hide the latency of one; they meet in a fixed order.
        var a = V.Splat(op.Identity);
        var (b, c, d) = (a, a, a);
        nint i = 0;
        for (; i <= n - 4 * V.Count; i += 4 * V.Count)
        {
            a = op.Combine(a, op.Transform(V.Load(x + i)));
            b = op.Combine(b, op.Transform(V.Load(x + i + V.Count)));
            c = op.Combine(c, op.Transform(V.Load(x + i + 2 * V.Count)));
            d = op.Combine(d, op.Transform(V.Load(x + i + 3 * V.Count)));
        }
        for (; i <= n - V.Count; i += V.Count) a = op.Combine(a, op.Transform(V.Load(x + i)));
        var lanes = stackalloc T[V.Count];
        V.Store(op.Combine(op.Combine(a, b), op.Combine(c, d)), lanes);
        var total = S.Load(lanes);
        for (var j = 1; j < V.Count; j++) total = op.Combine(total, S.Load(lanes + j));
        for (; i < n; i++) total = op.Combine(total, op.Transform(S.Load(x + i)));
        S.Store(total, y);
    }

    private static void Columns<S, T, TOperator>(TOperator op, T* x, nint n, nint inner, T* y)
        where S : struct, ILanes<S, T> where T : unmanaged where TOperator : struct, IReductionOperator
    {
        if (n <= Pairwise.Terms)
        {
            Columns<S, T, TOperator>(op, x, n, inner, y, null);
            return;
        }
        fixed (T* sums = new T[Pairwise.Levels(n) * inner]) Columns<S, T, TOperator>(op, x, n, inner, y, sums);
    }

    // One row of sums for each level of pairs.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Columns<S, T, TOperator>(TOperator op, T* x, nint n, nint inner, T* y, T* sums)
        where S : struct, ILanes<S, T> where T : unmanaged where TOperator : struct, IReductionOperator
    {
        if (n <= Pairwise.Terms)
        {
            T identity;
            S.Store(S.Splat(op.Identity), &identity);
            new Span<T>(y, (int)inner).Fill(identity);
            for (nint k = 0; k < n; k++) Zip.Run(new AccumulateOperator<TOperator>(op), y, x + k * inner, y, inner);
            return;
        }
        var left = Pairwise.Left(n, Pairwise.Terms);
        Columns<S, T, TOperator>(op, x, left, inner, y, sums);
        Columns<S, T, TOperator>(op, x + left * inner, n - left, inner, sums, sums + inner);
        Zip.Run(new CombineOperator<TOperator>(op), y, sums, y, inner);
    }

    private readonly struct CombineOperator<TOperator>(TOperator op) : IBinaryOperator
        where TOperator : struct, IReductionOperator
    {
        public static ElementKinds Kinds => TOperator.Kinds;

        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => op.Combine(x, y);
    }

    private readonly struct AccumulateOperator<TOperator>(TOperator op) : IBinaryOperator
        where TOperator : struct, IReductionOperator
    {
        public static ElementKinds Kinds => TOperator.Kinds;

        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => op.Combine(x, op.Transform(y));
    }

    private readonly struct Kernel<T, TOperator>(TOperator op, T* x, nint n, T* y) : IVectorKernel<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T> where TOperator : struct, IReductionOperator
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<V>() where V : struct, ILanes<V, T> => Row<V, Scalar<T>, T, TOperator>(op, x, n, y);
    }

    private struct Job<S, T, TOperator> : IChunkJob
        where S : struct, ILanes<S, T> where T : unmanaged where TOperator : struct, IReductionOperator
    {
        public TOperator Operator;
        public T* X;
        public T* Y;
        public T* Partial;
        public nint Outer;
        public nint N;
        public nint Inner;
        public nint RowsPerChunk;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int chunk)
        {
            if (Partial != null)
            {
                var at = (nint)chunk * BlockLength;
                Row<S, T, TOperator>(Operator, X + at, Math.Min(BlockLength, N - at), Partial + chunk);
                return;
            }
            var last = Math.Min(Outer, (chunk + 1) * RowsPerChunk);
            for (var row = chunk * RowsPerChunk; row < last; row++)
                if (Inner == 1) LongRow<S, T, TOperator>(Operator, X + row * N, N, Y + row);
                else Columns<S, T, TOperator>(Operator, X + row * N * Inner, N, Inner, Y + row * Inner);
        }
    }
}
