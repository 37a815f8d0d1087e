using System.Numerics;

namespace Adjoint.Kernels;

/// <summary>
/// Cross-entropy of softmax(logits) with class indices. Per row: loss = lse − (1−s)·xₗ − (s/c)·Σₖ xₖ, with lse = log Σ eˣ, label l
/// and smoothing s (Szegedy et al. 2016, §7); gradient = scale·(softmax(x) − (1−s)·[k = l] − s/c).
/// </summary>
public static unsafe class SoftmaxCrossEntropy
{
    private const int ElementsPerChunk = 8192;

    /// <summary>The loss of each row, log Σ eˣ for the way back, and, unless null, the gradient of scale·Σ losses. Logits [n, c]; labels must lie in 0 … c − 1.</summary>
    public static void Forward<T>(T* logits, long* labels, T* losses, T* logSumExp, T* gradient, nint n, nint c, double smoothing, double scale) where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Run(new Job<T> { Logits = logits, Labels = labels, Losses = losses, LogSumExp = logSumExp, Gradient = gradient, Rows = n, Columns = c, Smoothing = smoothing, Scale = scale });

    /// <summary>The gradient of scale·Σ losses with respect to the logits [n, c].</summary>
    public static void Backward<T>(T* logits, long* labels, T* logSumExp, T* gradient, nint n, nint c, double smoothing, double scale) where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Run(new Job<T> { Logits = logits, Labels = labels, LogSumExp = logSumExp, Gradient = gradient, Rows = n, Columns = c, Smoothing = smoothing, Scale = scale });

    private static void Run<T>(Job<T> job) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        job.RowsPerChunk = Math.Max(1, ElementsPerChunk / Math.Max(1, job.Columns));
        Workers.For((int)((job.Rows + job.RowsPerChunk - 1) / job.RowsPerChunk), ref job);
    }

    private struct Job<T> : IChunkJob where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public T* Logits;
        public long* Labels;
        public T* Losses;
        public T* LogSumExp;
        public T* Gradient;
        public nint Rows;
        public nint Columns;
        public nint RowsPerChunk;
        public double Smoothing;
        public double Scale;

        public readonly void Run(int chunk)
        {
            var last = Math.Min(Rows, (chunk + 1) * RowsPerChunk);
            for (var row = chunk * RowsPerChunk; row < last; row++)
            {
                if (Losses == null) Slope(row);
                else Loss(row);
            }
        }

        private readonly void Loss(nint row)
        {
            var x = Logits + row * Columns;
            var y = Gradient == null ? null : Gradient + row * Columns;
            var sumOfExp = ExpRow.Run(x, y, Columns, out var max);
            var lse = T.IsNegativeInfinity(max) ? max : max + T.Log(sumOfExp);
            LogSumExp[row] = lse;
            if (y != null)
            {
                Map.Run(new FromExp(Scale / double.CreateTruncating(sumOfExp), Scale * Smoothing / Columns), y, y, Columns);
                y[Labels[row]] -= T.CreateTruncating(Scale * (1 - Smoothing));
            }
            var picked = x[Labels[row]];
            if (Smoothing == 0)
            {
                Losses[row] = lse - picked;
                return;
            }
            T sum;
            Reduce.Run(new SumLane(), x, &sum, 1, Columns, 1);
            Losses[row] = lse - T.CreateTruncating(1 - Smoothing) * picked - T.CreateTruncating(Smoothing / Columns) * sum;
        }

        private readonly void Slope(nint row)
        {
            var x = Logits + row * Columns;
            var y = Gradient + row * Columns;
            Map.Run(new Lane(double.CreateTruncating(LogSumExp[row]), Smoothing / Columns, Scale), x, y, Columns);
            y[Labels[row]] -= T.CreateTruncating(Scale * (1 - Smoothing));
        }
    }

    private readonly struct FromExp(double scale, double floor) : IUnaryLane
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => V.Fma(x, V.Splat(scale), V.Splat(-floor));
    }

    private readonly struct Lane(double logSumExp, double floor, double scale) : IUnaryLane
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => (V.Exp(x - V.Splat(logSumExp)) - V.Splat(floor)) * V.Splat(scale);
    }
}
