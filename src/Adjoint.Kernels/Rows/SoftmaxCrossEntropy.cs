using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// Cross-entropy of softmax(logits) with class indices. Per row, with dₖ = xₖ − max x, label l and smoothing s
/// (Szegedy et al. 2016, §7): loss = log Σ e^d − (1−s)·dₗ − (s/c)·Σₖ dₖ; gradient = scale·(softmax(x) − (1−s)·[k = l] −
/// s/c). Only differences of logits occur, so a shift of all changes nothing. A row with a negative label is left out:
/// loss and gradient are 0.
/// </summary>
public static unsafe class SoftmaxCrossEntropy
{
    private const int ChunkLength = 8192;

    /// <summary>
    /// The loss of each row and, unless null, the gradient of scale·Σ losses. Logits [n, c]; labels lie in 0 … c − 1,
    /// or are negative.
    /// </summary>
    /// <param name="logits">x [n, c].</param>
    /// <param name="labels">The class of each row [n], from 0; negative: left out.</param>
    /// <param name="losses">The loss of each row [n].</param>
    /// <param name="gradient">The gradient with respect to the logits [n, c], or null.</param>
    /// <param name="n">Rows.</param>
    /// <param name="c">Classes.</param>
    /// <param name="smoothing">s: the share of the target that is spread evenly over the classes.</param>
    /// <param name="scale">What the gradient is multiplied by.</param>
    /// <param name="scales">What the gradient of each row is multiplied by besides [n], or null.</param>
    public static void Run<T>(
        T* logits, long* labels, T* losses, T* gradient, nint n, nint c, double smoothing, double scale,
        T* scales = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var job = new Job<T>
        {
            Logits = logits,
            Labels = labels,
            Losses = losses,
            Gradient = gradient,
            Rows = n,
            Columns = c,
            Smoothing = smoothing,
            Scale = scale,
            Scales = scales,
        };
        job.RowsPerChunk = Math.Max(1, ChunkLength / Math.Max(1, c));
        Workers.For((int)((n + job.RowsPerChunk - 1) / job.RowsPerChunk), ref job);
    }

    private struct Job<T> : IChunkJob where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public T* Logits;
        public long* Labels;
        public T* Losses;
        public T* Gradient;
        public nint Rows;
        public nint Columns;
        public nint RowsPerChunk;
        public double Smoothing;
        public double Scale;
        public T* Scales;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int chunk)
        {
            var last = Math.Min(Rows, (chunk + 1) * RowsPerChunk);
            for (var row = chunk * RowsPerChunk; row < last; row++) Row(row);
        }

        private readonly void Row(nint row)
        {
            var x = Logits + row * Columns;
            var y = Gradient == null ? null : Gradient + row * Columns;
            if (Labels[row] < 0)
            {
                Losses[row] = T.Zero;
                if (y != null) new Span<T>(y, (int)Columns).Clear();
                return;
            }
            var sumOfExp = ExpRow.Run(x, y, Columns, out var max);
            if (y != null)
            {
                var scale = Scales == null ? Scale : Scale * double.CreateTruncating(Scales[row]);
                Map.Run(new FromExp(scale / double.CreateTruncating(sumOfExp), scale * Smoothing / Columns), y, y,
                    Columns);
                y[Labels[row]] -= T.CreateTruncating(scale * (1 - Smoothing));
            }
            var logarithm = T.Log(sumOfExp);
            var picked = x[Labels[row]] - max;
            if (Smoothing == 0)
            {
                Losses[row] = logarithm - picked;
                return;
            }
            T sum;
            Reduce.Run(new SumOfDifferences(double.CreateTruncating(max)), x, &sum, 1, Columns, 1);
            var (kept, shared) = (T.CreateTruncating(1 - Smoothing), T.CreateTruncating(Smoothing / Columns));
            Losses[row] = logarithm - kept * picked - shared * sum;
        }
    }

    private readonly struct FromExp(double scale, double floor) : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => V.Fma(x, V.Splat(scale), V.Splat(-floor));
    }

    private readonly struct SumOfDifferences(double from) : IReductionOperator
    {
        public double Identity => 0;
        public V Transform<V>(V x) where V : struct, ILanes<V> => x - V.Splat(from);
        public V Combine<V>(V accumulator, V x) where V : struct, ILanes<V> => accumulator + x;
    }
}
