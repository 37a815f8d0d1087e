using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// Batch normalization of x [n, c, s] per channel (Ioffe and Szegedy 2015): y = γ·(x − μ)·r + β with r = 1/√(σ² + ε).
/// One job per channel, so sums have one order whatever the number of threads; sums over about a thousand elements are
/// added up in double precision.
/// </summary>
public static unsafe class BatchNorm
{
    private const int RunElements = 1024;
    private const int ChunkLength = 8192;

    // Of one run, before its lanes are added up in double precision.
    private const int MaxRun = 8192;

    /// <summary>
    /// Mean and variance (divided by n·s) of each channel: two passes, so that nothing cancels. 0 where there is
    /// nothing.
    /// </summary>
    /// <param name="x">The input [n, c, s].</param>
    /// <param name="mean">μ [c].</param>
    /// <param name="variance">σ² [c].</param>
    /// <param name="n">Samples.</param>
    /// <param name="c">Channels.</param>
    /// <param name="s">Elements of a sample and channel.</param>
    public static void Statistics<T>(T* x, T* mean, T* variance, int n, int c, int s)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var job = new StatisticsJob<T> { X = x, Mean = mean, Variance = variance, N = n, C = c, S = s };
        Workers.For(c, ref job);
    }

    /// <summary>y = (x − mean)·scale + shift, per channel: of one value, however large, it is the shift.</summary>
    /// <param name="x">The input [n, c, s].</param>
    /// <param name="mean">μ [c].</param>
    /// <param name="scale">γ·r [c].</param>
    /// <param name="shift">β [c].</param>
    /// <param name="y">The result [n, c, s]; may be x.</param>
    /// <param name="n">Samples.</param>
    /// <param name="c">Channels.</param>
    /// <param name="s">Elements of a sample and channel.</param>
    public static void Apply<T>(T* x, T* mean, T* scale, T* shift, T* y, int n, int c, int s)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var planesPerChunk = Math.Max(1, ChunkLength / Math.Max(1, s));
        var job = new ApplyJob<T>
        {
            X = x,
            Mean = mean,
            Scale = scale,
            Shift = shift,
            Y = y,
            Planes = n * c,
            C = c,
            S = s,
            PlanesPerChunk = planesPerChunk,
        };
        Workers.For((n * c + job.PlanesPerChunk - 1) / job.PlanesPerChunk, ref job);
    }

    /// <summary>With x̂ = (x − μ)·r: dβ = Σ g, dγ = Σ g·x̂, dx = γ·r·(g − (dβ + x̂·dγ) / (n·s)).</summary>
    /// <param name="x">The input [n, c, s].</param>
    /// <param name="g">∂L/∂y [n, c, s].</param>
    /// <param name="mean">μ [c].</param>
    /// <param name="inverseDeviation">r [c].</param>
    /// <param name="gamma">γ [c].</param>
    /// <param name="dx">∂L/∂x [n, c, s], or null where it is not wanted.</param>
    /// <param name="dgamma">∂L/∂γ [c].</param>
    /// <param name="dbeta">∂L/∂β [c].</param>
    /// <param name="n">Samples.</param>
    /// <param name="c">Channels.</param>
    /// <param name="s">Elements of a sample and channel.</param>
    public static void Gradient<T>(T* x, T* g, T* mean, T* inverseDeviation, T* gamma, T* dx, T* dgamma, T* dbeta,
        int n, int c, int s) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var job = new GradientJob<T>
        {
            X = x,
            G = g,
            Mean = mean,
            Inverse = inverseDeviation,
            Gamma = gamma,
            DX = dx,
            DGamma = dgamma,
            DBeta = dbeta,
            N = n,
            C = c,
            S = s,
        };
        Workers.For(c, ref job);
    }

    private struct StatisticsJob<T> : IChunkJob where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public T* X;
        public T* Mean;
        public T* Variance;
        public int N, C, S;

        public readonly void Run(int channel)
        {
            if (N == 0 || S == 0)
            {
                (Mean[channel], Variance[channel]) = (T.Zero, T.Zero);
                return;
            }
            var x = X + (nint)channel * S;
            // Of differences from the first element: where all are equal the mean is that element, to the bit.
            var first = N == 0 || S == 0 ? 0 : double.CreateTruncating(*x);
            var sum = Fold(new Deviation(first), x, x, N, (nint)C * S, S);
            var mean = first + sum / ((double)N * S);
            var squares = Fold(new SquaredDeviation(mean), x, x, N, (nint)C * S, S);
            Mean[channel] = T.CreateTruncating(mean);
            Variance[channel] = T.CreateTruncating(squares / ((double)N * S));
        }
    }

    private struct ApplyJob<T> : IChunkJob where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public T* X;
        public T* Mean;
        public T* Scale;
        public T* Shift;
        public T* Y;
        public int Planes, C, S, PlanesPerChunk;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int chunk)
        {
            for (var plane = chunk * PlanesPerChunk; plane < Math.Min(Planes, (chunk + 1) * PlanesPerChunk); plane++)
                Plane(plane);
        }

        private readonly void Plane(int plane)
        {
            var channel = plane % C;
            var mean = double.CreateTruncating(Mean[channel]);
            var op = new ScaleShift(
                mean, double.CreateTruncating(Scale[channel]), double.CreateTruncating(Shift[channel]));
            Map.Run(op, X + (nint)plane * S, Y + (nint)plane * S, S);
        }
    }

    private struct GradientJob<T> : IChunkJob where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public T* X;
        public T* G;
        public T* Mean;
        public T* Inverse;
        public T* Gamma;
        public T* DX;
        public T* DGamma;
        public T* DBeta;
        public int N, C, S;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int channel)
        {
            var (mean, inverse) = (double.CreateTruncating(Mean[channel]), double.CreateTruncating(Inverse[channel]));
            var (x, g, next) = ((nint)(X + (nint)channel * S), (nint)(G + (nint)channel * S), (nint)C * S);
            var sum = Fold(new Plain(), (T*)g, (T*)g, N, next, S);
            var dot = Fold(new DotDeviation(mean), (T*)x, (T*)g, N, next, S);
            (DBeta[channel], DGamma[channel]) = (T.CreateTruncating(sum), T.CreateTruncating(dot * inverse));
            if (DX == null) return;
            // dx = a·g + b·x + d, the same three numbers for the whole channel.
            var count = (double)N * S;
            var a = double.CreateTruncating(Gamma[channel]) * inverse;
            var b = -a * dot * inverse * inverse / count;
            var op = new Affine(a, b, -a * sum / count - b * mean);
            for (var i = 0; i < N; i++)
            {
                var at = ((nint)i * C + channel) * S;
                Zip.Run(op, G + at, X + at, DX + at, S);
            }
        }
    }

    // The sum of the operator's values over n runs of length s, each so far behind the one before.
    private static double Fold<T, TOperator>(TOperator op, T* x, T* y, int n, nint next, int s)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> where TOperator : struct, IBinaryOperator =>
        Simd.Widest<T, double, FoldKernel<T, TOperator>>(new(op, x, y, n, next, s));

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double Fold<V, T, TOperator>(TOperator op, T* x, T* y, int n, nint next, int s)
        where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOperator : struct, IBinaryOperator
    {
        var lanes = stackalloc T[V.Count];
        var (sum, runs) = (0.0, Math.Max(1, RunElements / Math.Max(1, s)));
        for (var first = 0; first < n; first += runs)
        {
            var a = V.Splat(0);
            var b = V.Splat(0);
            for (var run = first; run < Math.Min(n, first + runs); run++, x += next, y += next)
            {
                nint i = 0;
                while (s - i > MaxRun)
                {
                    for (var last = i + MaxRun; i < last; i += 2 * V.Count)
                    {
                        a += op.Invoke(V.Load(x + i), V.Load(y + i));
                        b += op.Invoke(V.Load(x + i + V.Count), V.Load(y + i + V.Count));
                    }
                    V.Store(a + b, lanes);
                    for (var j = 0; j < V.Count; j++) sum += double.CreateTruncating(lanes[j]);
                    (a, b) = (V.Splat(0), V.Splat(0));
                }
                for (; i <= s - 2 * V.Count; i += 2 * V.Count)
                {
                    a += op.Invoke(V.Load(x + i), V.Load(y + i));
                    b += op.Invoke(V.Load(x + i + V.Count), V.Load(y + i + V.Count));
                }
                for (; i <= s - V.Count; i += V.Count) a += op.Invoke(V.Load(x + i), V.Load(y + i));
                for (; i < s; i++)
                {
                    Scalar<T>.Store(op.Invoke(Scalar<T>.Load(x + i), Scalar<T>.Load(y + i)), lanes);
                    sum += double.CreateTruncating(lanes[0]);
                }
            }
            V.Store(a + b, lanes);
            for (var j = 0; j < V.Count; j++) sum += double.CreateTruncating(lanes[j]);
        }
        return sum;
    }

    private readonly struct FoldKernel<T, TOperator>(TOperator op, T* x, T* y, int n, nint next, int s)
        : IVectorKernel<T, double> where T : unmanaged, IBinaryFloatingPointIeee754<T>
            where TOperator : struct, IBinaryOperator
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public double Invoke<V>() where V : struct, ILanes<V, T> => Fold<V, T, TOperator>(op, x, y, n, next, s);
    }

    private readonly struct Plain : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => x;
    }

    private readonly struct Deviation(double from) : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => x - V.Splat(from);
    }

    private readonly struct SquaredDeviation(double mean) : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => (x - V.Splat(mean)) * (x - V.Splat(mean));
    }

    private readonly struct DotDeviation(double mean) : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => (x - V.Splat(mean)) * y;
    }

    private readonly struct ScaleShift(double mean, double scale, double shift) : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => V.Fma(x - V.Splat(mean), V.Splat(scale), V.Splat(shift));
    }

    private readonly struct Affine(double a, double b, double d) : IBinaryOperator
    {
        public V Invoke<V>(V g, V x) where V : struct, ILanes<V> =>
            V.Fma(g, V.Splat(a), V.Fma(x, V.Splat(b), V.Splat(d)));
    }
}
