using System.Numerics;
using System.Runtime.Intrinsics;

namespace Adjoint.Kernels;

/// <summary>
/// Batch normalisation of x [n, c, s] per channel (Ioffe and Szegedy 2015): y = γ·(x − μ)·r + β with r = 1/√(σ² + ε). One job per channel, so sums
/// have one order whatever the number of threads; sums over runs of s are added up in double precision.
/// </summary>
public static unsafe class BatchNorm
{
    /// <summary>Mean and variance (divided by n·s) of each channel: two passes, so that nothing cancels.</summary>
    public static void Statistics<T>(T* x, T* mean, T* variance, int n, int c, int s) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var job = new StatisticsJob<T> { X = x, Mean = mean, Variance = variance, N = n, C = c, S = s };
        Workers.For(c, ref job);
    }

    /// <summary>y = x·scale + shift, per channel.</summary>
    public static void Apply<T>(T* x, T* scale, T* shift, T* y, int n, int c, int s) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var job = new ApplyJob<T> { X = x, Scale = scale, Shift = shift, Y = y, C = c, S = s };
        Workers.For(n * c, ref job);
    }

    /// <summary>With x̂ = (x − μ)·r: dβ = Σ g, dγ = Σ g·x̂, dx = γ·r·(g − (dβ + x̂·dγ) / (n·s)).</summary>
    public static void Gradient<T>(T* x, T* g, T* mean, T* inverseDeviation, T* gamma, T* dx, T* dgamma, T* dbeta, int n, int c, int s) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var job = new GradientJob<T> { X = x, G = g, Mean = mean, Inverse = inverseDeviation, Gamma = gamma, DX = dx, DGamma = dgamma, DBeta = dbeta, N = n, C = c, S = s };
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
            var sum = 0.0;
            for (var i = 0; i < N; i++) sum += Fold(new Plain(), X + ((nint)i * C + channel) * S, X, S);
            var mean = sum / ((double)N * S);
            var squares = 0.0;
            for (var i = 0; i < N; i++) squares += Fold(new SquaredDeviation(mean), X + ((nint)i * C + channel) * S, X, S);
            Mean[channel] = T.CreateTruncating(mean);
            Variance[channel] = T.CreateTruncating(squares / ((double)N * S));
        }
    }

    private struct ApplyJob<T> : IChunkJob where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public T* X;
        public T* Scale;
        public T* Shift;
        public T* Y;
        public int C, S;

        public readonly void Run(int plane)
        {
            var channel = plane % C;
            Map.Run(new ScaleShift(double.CreateTruncating(Scale[channel]), double.CreateTruncating(Shift[channel])), X + (nint)plane * S, Y + (nint)plane * S, S);
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

        public readonly void Run(int channel)
        {
            var (mean, inverse) = (double.CreateTruncating(Mean[channel]), double.CreateTruncating(Inverse[channel]));
            var (sum, dot) = (0.0, 0.0);
            for (var i = 0; i < N; i++)
            {
                var at = ((nint)i * C + channel) * S;
                sum += Fold(new Plain(), G + at, G, S);
                dot += Fold(new DotDeviation(mean), X + at, G + at, S);
            }
            (DBeta[channel], DGamma[channel]) = (T.CreateTruncating(sum), T.CreateTruncating(dot * inverse));
            if (DX == null) return;
            // dx = a·g + b·x + d, the same three numbers for the whole channel.
            var count = (double)N * S;
            var a = double.CreateTruncating(Gamma[channel]) * inverse;
            var b = -a * dot * inverse * inverse / count;
            var lane = new Affine(a, b, -a * sum / count - b * mean);
            for (var i = 0; i < N; i++)
            {
                var at = ((nint)i * C + channel) * S;
                Zip.Run(lane, G + at, X + at, DX + at, S);
            }
        }
    }

    private static double Fold<T, TLane>(TLane lane, T* x, T* y, int n) where T : unmanaged, IBinaryFloatingPointIeee754<T> where TLane : struct, IBinaryLane
    {
        if (Vector512.IsHardwareAccelerated) return Fold<V512<T>, T, TLane>(lane, x, y, n);
        if (Vector256.IsHardwareAccelerated) return Fold<V256<T>, T, TLane>(lane, x, y, n);
        if (Vector128.IsHardwareAccelerated) return Fold<V128<T>, T, TLane>(lane, x, y, n);
        return Fold<Scalar<T>, T, TLane>(lane, x, y, n);
    }

    private static double Fold<V, T, TLane>(TLane lane, T* x, T* y, int n) where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T> where TLane : struct, IBinaryLane
    {
        var (a, b) = (V.Splat(0), V.Splat(0));
        nint i = 0;
        for (; i <= n - 2 * V.Count; i += 2 * V.Count)
        {
            a += lane.Invoke(V.Load(x + i), V.Load(y + i));
            b += lane.Invoke(V.Load(x + i + V.Count), V.Load(y + i + V.Count));
        }
        for (; i <= n - V.Count; i += V.Count) a += lane.Invoke(V.Load(x + i), V.Load(y + i));
        var lanes = stackalloc T[V.Count];
        V.Store(a + b, lanes);
        var sum = 0.0;
        for (var j = 0; j < V.Count; j++) sum += double.CreateTruncating(lanes[j]);
        for (; i < n; i++)
        {
            Scalar<T>.Store(lane.Invoke(Scalar<T>.Load(x + i), Scalar<T>.Load(y + i)), lanes);
            sum += double.CreateTruncating(lanes[0]);
        }
        return sum;
    }

    private readonly struct Plain : IBinaryLane
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => x;
    }

    private readonly struct SquaredDeviation(double mean) : IBinaryLane
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => (x - V.Splat(mean)) * (x - V.Splat(mean));
    }

    private readonly struct DotDeviation(double mean) : IBinaryLane
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => (x - V.Splat(mean)) * y;
    }

    private readonly struct ScaleShift(double scale, double shift) : IUnaryLane
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => V.Fma(x, V.Splat(scale), V.Splat(shift));
    }

    private readonly struct Affine(double a, double b, double d) : IBinaryLane
    {
        public V Invoke<V>(V g, V x) where V : struct, ILanes<V> => V.Fma(g, V.Splat(a), V.Fma(x, V.Splat(b), V.Splat(d)));
    }
}
