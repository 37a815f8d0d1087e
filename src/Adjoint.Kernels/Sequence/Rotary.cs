using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// Rotary position embedding (Su et al. 2021): the pair i of the numbers of a row is rotated by the angle
/// p·θ^(−2i/d), where p is the row's position and d its width. Pairs are (i, i + d/2), or neighbors. Angles, sines and
/// cosines are computed in double precision, so that they hold for positions in the millions.
/// </summary>
public static unsafe class Rotary
{
    // Elements, an angle counting as 16 of them; a matter of the shape alone.
    private const int ChunkLength = 16384, AngleCost = 16;

    /// <summary>Rotates the rows of x [leads, rows, width] into y, by their positions.</summary>
    /// <param name="x">The input; the elements of a row lie side by side.</param>
    /// <param name="offsets">Where each of the leads begins in x, in elements.</param>
    /// <param name="rowStride">Elements of x between a row and the next.</param>
    /// <param name="positions">The positions [batches, rows].</param>
    /// <param name="y">The result [leads, rows, width].</param>
    /// <param name="batches">Sets of positions: each belongs to leads / batches leads in a row.</param>
    /// <param name="leads">How many matrices; a multiple of the batches.</param>
    /// <param name="rows">Rows of a matrix.</param>
    /// <param name="width">Elements of a row; even.</param>
    /// <param name="theta">The base θ of the angles.</param>
    /// <param name="isInterleaved">Whether pairs are neighbors, (2i, 2i + 1).</param>
    /// <param name="isInverse">Whether to rotate back, by the negative angle.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rotate<T>(T* x, nint* offsets, nint rowStride, long* positions, T* y, int batches, int leads,
        int rows, int width, double theta, bool isInterleaved, bool isInverse)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (leads == 0 || rows == 0 || width == 0) return;
        var half = width / 2;
        var frequencies = new double[half];
        for (var i = 0; i < half; i++) frequencies[i] = Math.Pow(theta, -2.0 * i / width);
        fixed (double* frequency = frequencies)
        {
            var job = new Job<T>
            {
                X = x,
                Offsets = offsets,
                RowStride = rowStride,
                Positions = positions,
                Frequencies = frequency,
                Y = y,
                Leads = leads / batches,
                Rows = rows,
                All = (nint)batches * rows,
                Half = half,
                IsInterleaved = isInterleaved,
                IsInverse = isInverse,
            };
            job.RowsPerChunk = Math.Max(1, ChunkLength / (width * ((nint)job.Leads + AngleCost)));
            Workers.For((int)((job.All + job.RowsPerChunk - 1) / job.RowsPerChunk), ref job);
        }
    }

    private struct Job<T> : IChunkJob where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public T* X;
        public nint* Offsets;
        public nint RowStride;
        public long* Positions;
        public double* Frequencies;
        public T* Y;
        public int Leads, Rows, Half;
        public nint All, RowsPerChunk;
        public bool IsInterleaved, IsInverse;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int chunk)
        {
            using var rotation = Scratch.Rent<T>(ScratchSlot.Rotation, 2 * (nint)Half);
            T* cosine = rotation.Pointer, sine = cosine + Half;
            var end = Math.Min(All, (chunk + 1) * RowsPerChunk);
            for (var at = chunk * RowsPerChunk; at < end; at++)
            {
                for (var i = 0; i < Half; i++)
                {
                    var (sin, cos) = Math.SinCos(Positions[at] * Frequencies[i]);
                    (cosine[i], sine[i]) = (T.CreateTruncating(cos), T.CreateTruncating(IsInverse ? -sin : sin));
                }
                var (batch, row) = (at / Rows, at % Rows);
                for (var lead = batch * Leads; lead < (batch + 1) * Leads; lead++)
                {
                    var from = X + Offsets[lead] + row * RowStride;
                    var to = Y + (lead * Rows + row) * 2 * Half;
                    if (IsInterleaved) Neighbors(from, cosine, sine, to, Half);
                    else Simd.Widest<T, Halves<T>>(new(from, cosine, sine, to, Half));
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Neighbors<T>(T* x, T* cosine, T* sine, T* y, int half)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (var i = 0; i < half; i++)
        {
            var (a, b) = (x[2 * i], x[2 * i + 1]);
            y[2 * i] = a * cosine[i] - b * sine[i];
            y[2 * i + 1] = b * cosine[i] + a * sine[i];
        }
    }

    private readonly struct Halves<T>(T* x, T* cosine, T* sine, T* y, int half) : IVectorKernel<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Invoke<V>() where V : struct, ILanes<V, T> => Run<V>(x, cosine, sine, y, half);

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Run<V>(T* x, T* cosine, T* sine, T* y, int half) where V : struct, ILanes<V, T>
        {
            var i = 0;
            for (; i + V.Count <= half; i += V.Count) Pairs<V>(x + i, cosine + i, sine + i, y + i, half);
            for (; i < half; i++) Pairs<Scalar<T>>(x + i, cosine + i, sine + i, y + i, half);
        }

        private static void Pairs<V>(T* x, T* cosine, T* sine, T* y, int half) where V : struct, ILanes<V, T>
        {
            var (a, b, cos, sin) = (V.Load(x), V.Load(x + half), V.Load(cosine), V.Load(sine));
            V.Store(a * cos - b * sin, y);
            V.Store(b * cos + a * sin, y + half);
        }
    }
}
