using System.Numerics;
using System.Runtime.Intrinsics;

namespace Adjoint.Kernels;

/// <summary>
/// Folds one axis: contiguous x [outer, n, inner] → y [outer, inner]. Long axes are folded in pieces whose results
/// meet in pairs (<see cref="Pairs"/>): a float32 sum of ones would otherwise stop at 2²⁴.
/// </summary>
public static unsafe class Reduce
{
    // Elements of a row that are folded straight on: also the unit of sharing.
    private const int Piece = 8192;
    private const int SmallWork = 32768;

    /// <summary>y[o, i] = fold over k of x[o, k, i]; the lane's identity when n is 0.</summary>
    public static void Run<T, TLane>(TLane lane, T* x, T* y, nint outer, nint n, nint inner) where T : unmanaged, IBinaryFloatingPointIeee754<T> where TLane : struct, IReduceLane
    {
        if (outer == 0 || inner == 0) return;
        var job = new Job<T, TLane> { Lane = lane, X = x, Y = y, Outer = outer, N = n, Inner = inner };
        if (inner == 1 && outer == 1 && n > Piece)
        {
            var pieces = (int)((n + Piece - 1) / Piece);
            var partial = new T[pieces];
            fixed (T* results = partial)
            {
                job.Partial = results;
                Workers.For(pieces, ref job);
                // Partial results are transformed already: combine only.
                Scalar<T>.Store(Meet(lane, results, pieces), y);
            }
            return;
        }
        job.RowsPerChunk = Math.Max(1, SmallWork / Math.Max(1, n * inner));
        Workers.For((int)((outer + job.RowsPerChunk - 1) / job.RowsPerChunk), ref job);
    }

    private static Scalar<T> Meet<T, TLane>(TLane lane, T* partial, nint count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> where TLane : struct, IReduceLane
    {
        if (count == 1) return Scalar<T>.Load(partial);
        var left = Pairs.Left(count, 1);
        return lane.Combine(Meet(lane, partial, left), Meet(lane, partial + left, count - left));
    }

    private static void LongRow<T, TLane>(TLane lane, T* x, nint n, T* y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> where TLane : struct, IReduceLane
    {
        if (n <= Piece)
        {
            Row(lane, x, n, y);
            return;
        }
        var left = Pairs.Left(n, Piece);
        T right;
        LongRow(lane, x, left, y);
        LongRow(lane, x + left, n - left, &right);
        Scalar<T>.Store(lane.Combine(Scalar<T>.Load(y), Scalar<T>.Load(&right)), y);
    }

    private static void Row<T, TLane>(TLane lane, T* x, nint n, T* y) where T : unmanaged, IBinaryFloatingPointIeee754<T> where TLane : struct, IReduceLane
    {
        if (Vector512.IsHardwareAccelerated) Row<V512<T>, T, TLane>(lane, x, n, y);
        else if (Vector256.IsHardwareAccelerated) Row<V256<T>, T, TLane>(lane, x, n, y);
        else if (Vector128.IsHardwareAccelerated) Row<V128<T>, T, TLane>(lane, x, n, y);
        else Row<Scalar<T>, T, TLane>(lane, x, n, y);
    }

    private static void Row<V, T, TLane>(TLane lane, T* x, nint n, T* y) where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T> where TLane : struct, IReduceLane
    {
        // Four chains hide the latency of one; they meet in a fixed order.
        var a = V.Splat(lane.Identity);
        var (b, c, d) = (a, a, a);
        nint i = 0;
        for (; i <= n - 4 * V.Count; i += 4 * V.Count)
        {
            a = lane.Combine(a, lane.Transform(V.Load(x + i)));
            b = lane.Combine(b, lane.Transform(V.Load(x + i + V.Count)));
            c = lane.Combine(c, lane.Transform(V.Load(x + i + 2 * V.Count)));
            d = lane.Combine(d, lane.Transform(V.Load(x + i + 3 * V.Count)));
        }
        for (; i <= n - V.Count; i += V.Count) a = lane.Combine(a, lane.Transform(V.Load(x + i)));
        var lanes = stackalloc T[V.Count];
        V.Store(lane.Combine(lane.Combine(a, b), lane.Combine(c, d)), lanes);
        var total = Scalar<T>.Load(lanes);
        for (var j = 1; j < V.Count; j++) total = lane.Combine(total, Scalar<T>.Load(lanes + j));
        for (; i < n; i++) total = lane.Combine(total, lane.Transform(Scalar<T>.Load(x + i)));
        Scalar<T>.Store(total, y);
    }

    private static void Columns<T, TLane>(TLane lane, T* x, nint n, nint inner, T* y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> where TLane : struct, IReduceLane
    {
        if (n <= Pairs.Terms)
        {
            Columns(lane, x, n, inner, y, null);
            return;
        }
        fixed (T* sums = new T[Pairs.Levels(n) * inner]) Columns(lane, x, n, inner, y, sums);
    }

    // One row of sums for each level of pairs.
    private static void Columns<T, TLane>(TLane lane, T* x, nint n, nint inner, T* y, T* sums)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> where TLane : struct, IReduceLane
    {
        if (n <= Pairs.Terms)
        {
            new Span<T>(y, (int)inner).Fill(T.CreateTruncating(lane.Identity));
            for (nint k = 0; k < n; k++) Zip.Run(new Step<TLane>(lane), y, x + k * inner, y, inner);
            return;
        }
        var left = Pairs.Left(n, Pairs.Terms);
        Columns(lane, x, left, inner, y, sums);
        Columns(lane, x + left * inner, n - left, inner, sums, sums + inner);
        Zip.Run(new Both<TLane>(lane), y, sums, y, inner);
    }

    private readonly struct Both<TLane>(TLane lane) : IBinaryLane where TLane : struct, IReduceLane
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => lane.Combine(x, y);
    }

    private readonly struct Step<TLane>(TLane lane) : IBinaryLane where TLane : struct, IReduceLane
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => lane.Combine(x, lane.Transform(y));
    }

    private struct Job<T, TLane> : IChunkJob where T : unmanaged, IBinaryFloatingPointIeee754<T> where TLane : struct, IReduceLane
    {
        public TLane Lane;
        public T* X;
        public T* Y;
        public T* Partial;
        public nint Outer;
        public nint N;
        public nint Inner;
        public nint RowsPerChunk;

        public readonly void Run(int chunk)
        {
            if (Partial != null)
            {
                var at = (nint)chunk * Piece;
                Row(Lane, X + at, Math.Min(Piece, N - at), Partial + chunk);
                return;
            }
            var last = Math.Min(Outer, (chunk + 1) * RowsPerChunk);
            for (var row = chunk * RowsPerChunk; row < last; row++)
                if (Inner == 1) LongRow(Lane, X + row * N, N, Y + row);
                else Columns(Lane, X + row * N * Inner, N, Inner, Y + row * Inner);
        }
    }
}
