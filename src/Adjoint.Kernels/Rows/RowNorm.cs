using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// Normalization of each row of x [rows, columns], with a scale γ and a shift β per column: y = γ·x̂ + β. Centered, x̂
/// = (x − μ)/√(σ² + ε) (layer norm: Ba, Kiros and Hinton 2016); otherwise x̂ = x/√(mean(x²) + ε) (RMS norm: Zhang and
/// Sennrich 2019). Sums over rows are cut at places that follow from the sizes alone, and added up in order: bits do
/// not depend on the number of threads.
/// </summary>
public static unsafe class RowNorm
{
    /// <summary>How many numbers are kept of each row for the gradient.</summary>
    public const int Moments = RowMoments.Count;

    // Elements that outweigh a hand-off; of the gradient also so many rows, so that sums over a chunk's rows, which
    // are kept for each, are few beside the elements.
    private const int ChunkLength = 16384, GradientChunkLength = 32768, GradientChunkRows = 32;

    // Rows that are added one after another.
    private const int RunRows = 256;

    // Above, threads share out columns instead of rows, and nothing is kept for each chunk.
    private const int MaxColumns = 8192;

    // So many rows have their sums taken before the first of them is needed, where the first-level cache holds them.
    private const int BlockRows = 4, MaxBlockColumns = 640;

    // Of wide rows: so that two sums and the operands of a row fit the first-level cache.
    private const int ColumnsPerChunk = 1024;

    /// <summary>y = γ·x̂ + β, each row.</summary>
    /// <param name="x">The input [rows, columns].</param>
    /// <param name="gamma">γ [columns].</param>
    /// <param name="beta">β [columns], or null for 0.</param>
    /// <param name="moments">What the gradient needs of each row [rows, <see cref="Moments"/>].</param>
    /// <param name="y">The result [rows, columns].</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="columns">Elements of a row.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="isCentered">Whether the mean is subtracted.</param>
    public static void Forward<T>(T* x, T* gamma, T* beta, T* moments, T* y, nint rows, nint columns, double epsilon,
        bool isCentered) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (rows == 0 || columns == 0) return;
        var job = new ForwardJob<T>
        {
            X = x,
            Gamma = gamma,
            Beta = beta,
            Moments = moments,
            Y = y,
            Rows = rows,
            Columns = columns,
            Epsilon = epsilon,
            IsCentered = isCentered,
            RowsPerChunk = Math.Max(1, ChunkLength / columns),
        };
        Workers.For((int)((rows + job.RowsPerChunk - 1) / job.RowsPerChunk), ref job);
    }

    /// <summary>
    /// With h = γ·g: dx = r·(h − mean(h) − x̂·mean(h·x̂)), without mean(h) unless centered; dγ = Σ g·x̂ and dβ = Σ g
    /// over the rows.
    /// </summary>
    /// <param name="x">The input [rows, columns].</param>
    /// <param name="g">∂L/∂y [rows, columns].</param>
    /// <param name="moments">What the forward pass kept of each row.</param>
    /// <param name="gamma">γ [columns].</param>
    /// <param name="dx">∂L/∂x [rows, columns].</param>
    /// <param name="dgamma">∂L/∂γ [columns].</param>
    /// <param name="dbeta">∂L/∂β [columns], or null where it is not wanted.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="columns">Elements of a row.</param>
    /// <param name="isCentered">Whether the mean was subtracted.</param>
    public static void Gradient<T>(T* x, T* g, T* moments, T* gamma, T* dx, T* dgamma, T* dbeta, nint rows,
        nint columns, bool isCentered) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        new Span<T>(dgamma, (int)columns).Clear();
        if (dbeta != null) new Span<T>(dbeta, (int)columns).Clear();
        if (rows == 0 || columns == 0) return;
        var operands = new Operands<T>
        {
            X = x,
            G = g,
            Moments = moments,
            Gamma = gamma,
            DX = dx,
            Columns = columns,
            IsCentered = isCentered,
        };
        if (columns > MaxColumns) ByColumns(operands, rows, dgamma, dbeta);
        else ByRows(operands, rows, dgamma, dbeta);
    }

    // Each chunk of rows has sums of its own, which are then added in pairs of neighbors.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ByRows<T>(in Operands<T> operands, nint rows, T* dgamma, T* dbeta)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var columns = operands.Columns;
        var rowsPerChunk = Math.Max(GradientChunkRows, GradientChunkLength / columns);
        var chunks = (rows + rowsPerChunk - 1) / rowsPerChunk;
        using var sums = Scratch.Rent<T>(ScratchSlot.Sums, chunks * 2 * columns);
        var job = new RowsJob<T>
        {
            Operands = operands,
            Rows = rows,
            RowsPerChunk = rowsPerChunk,
            Sums = sums.Pointer,
        };
        Workers.For((int)chunks, ref job);
        for (nint step = 1; step < chunks; step *= 2)
            for (nint chunk = 0; chunk + step < chunks; chunk += 2 * step)
                PartialSums.AddTo(sums.Pointer + chunk * 2 * columns, sums.Pointer + (chunk + step) * 2 * columns,
                    2 * columns, 1);
        new Span<T>(sums.Pointer, (int)columns).CopyTo(new(dgamma, (int)columns));
        if (dbeta != null) new Span<T>(sums.Pointer + columns, (int)columns).CopyTo(new(dbeta, (int)columns));
    }

    // First the two means of each row, then blocks of columns, over all rows.
    private static void ByColumns<T>(in Operands<T> operands, nint rows, T* dgamma, T* dbeta)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using var means = Scratch.Rent<double>(ScratchSlot.Sums, 2 * rows);
        var first = new MeansJob<T> { Operands = operands, Means = means.Pointer };
        Workers.For((int)rows, ref first);
        var job = new ColumnsJob<T>
        {
            Operands = operands,
            Rows = rows,
            Means = means.Pointer,
            DGamma = dgamma,
            DBeta = dbeta,
        };
        Workers.For((int)((operands.Columns + ColumnsPerChunk - 1) / ColumnsPerChunk), ref job);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Forward<V, T>(in ForwardJob<T> job, nint row, nint end)
        where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (; row < end; row++)
        {
            var moments = job.Moments + row * RowMoments.Count;
            RowMoments.Find<V, T>(job.X + row * job.Columns, job.Columns, job.Epsilon, job.IsCentered, moments);
            Apply<V, T>(job.X + row * job.Columns, job.Gamma, job.Beta, job.Y + row * job.Columns, job.Columns,
                moments);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Apply<V, T>(T* x, T* gamma, T* beta, T* y, nint columns, T* moments)
        where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (mean, inverse, shift, zero) = (V.Splat(moments[0]), V.Splat(moments[1]), V.Splat(moments[2]), V.Splat(0));
        nint i = 0;
        if (beta == null)
            for (; i <= columns - V.Count; i += V.Count)
                V.Store(V.Fma(V.Load(x + i) - mean, inverse, shift) * V.Load(gamma + i), y + i);
        else
            for (; i <= columns - V.Count; i += V.Count)
                V.Store(V.Fma(V.Fma(V.Load(x + i) - mean, inverse, shift), V.Load(gamma + i), V.Load(beta + i)), y + i);
        for (; i < columns; i++)
        {
            var normalized = T.FusedMultiplyAdd(x[i] - moments[0], moments[1], moments[2]);
            y[i] = beta == null ? normalized * gamma[i] : T.FusedMultiplyAdd(normalized, gamma[i], beta[i]);
        }
    }

    // Rows first … end, columns at … to: their dx, and what they add to dγ and dβ.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Backward<V, T>(in Operands<T> operands, nint first, nint end, nint at, nint to, double* means,
        T* dgamma, T* dbeta) where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var block = means == null && operands.Columns <= MaxBlockColumns ? BlockRows : 1;
        var own = stackalloc double[2 * BlockRows];
        for (; first < end; first += block)
        {
            var rows = Math.Min(block, end - first);
            if (means == null)
                for (nint i = 0; i < rows; i++) Means<V, T>(operands, first + i, own + 2 * i);
            for (nint i = 0; i < rows; i++)
            {
                var begin = (first + i) * operands.Columns + at;
                BackwardRow<V, T>(operands.X + begin, operands.G + begin, operands.Gamma + at, operands.DX + begin,
                    to - at, operands.Moments + (first + i) * RowMoments.Count,
                    means == null ? own + 2 * i : means + 2 * first, dgamma, dbeta);
            }
        }
    }

    // dx = r·(h − mean(h) − x̂·mean(h·x̂)), in this order: where all h are equal, nothing is left of them.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void BackwardRow<V, T>(T* x, T* g, T* gamma, T* dx, nint n, T* moments, double* means, T* dgamma,
        T* dbeta) where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (offset, slope) = (T.CreateTruncating(means[0]), T.CreateTruncating(-means[1]));
        var (mean, inverse, shift) = (V.Splat(moments[0]), V.Splat(moments[1]), V.Splat(moments[2]));
        var (p, q) = (V.Splat(offset), V.Splat(slope));
        nint i = 0;
        for (; i <= n - V.Count; i += V.Count)
        {
            var gradient = V.Load(g + i);
            var normalized = V.Fma(V.Load(x + i) - mean, inverse, shift);
            V.Store(V.Fma(normalized, q, gradient * V.Load(gamma + i) - p) * inverse, dx + i);
            V.Store(V.Fma(gradient, normalized, V.Load(dgamma + i)), dgamma + i);
            V.Store(V.Load(dbeta + i) + gradient, dbeta + i);
        }
        for (; i < n; i++)
        {
            var normalized = T.FusedMultiplyAdd(x[i] - moments[0], moments[1], moments[2]);
            dx[i] = T.FusedMultiplyAdd(normalized, slope, g[i] * gamma[i] - offset) * moments[1];
            dgamma[i] = T.FusedMultiplyAdd(g[i], normalized, dgamma[i]);
            dbeta[i] += g[i];
        }
    }

    // mean(h), 0 unless centered, and mean(h·x̂) of a row.
    private static void Means<V, T>(in Operands<T> operands, nint row, double* means)
        where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var at = row * operands.Columns;
        var (sum, dot) = RowMoments.Products<V, T, ColumnScale<T>>(operands.X + at, operands.G + at,
            new(operands.Gamma), operands.Columns, operands.Moments + row * RowMoments.Count);
        means[0] = operands.IsCentered ? sum / operands.Columns : 0;
        means[1] = dot / operands.Columns;
    }

    private struct Operands<T> where T : unmanaged
    {
        public T* X;
        public T* G;
        public T* Moments;
        public T* Gamma;
        public T* DX;
        public nint Columns;
        public bool IsCentered;
    }

    private struct ForwardJob<T> : IChunkJob where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public T* X;
        public T* Gamma;
        public T* Beta;
        public T* Moments;
        public T* Y;
        public nint Rows, Columns, RowsPerChunk;
        public double Epsilon;
        public bool IsCentered;

        public readonly void Run(int chunk) => Simd.Widest<T, ForwardKernel<T>>(
            new(this, chunk * RowsPerChunk, Math.Min(Rows, (chunk + 1) * RowsPerChunk)));
    }

    private readonly struct ForwardKernel<T>(ForwardJob<T> job, nint row, nint end) : IVectorKernel<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<V>() where V : struct, ILanes<V, T> => Forward<V, T>(job, row, end);
    }

    private struct RowsJob<T> : IChunkJob where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public Operands<T> Operands;
        public nint Rows, RowsPerChunk;
        public T* Sums;

        public readonly void Run(int chunk)
        {
            var columns = Operands.Columns;
            var sums = Sums + chunk * 2 * columns;
            SumRows(Operands, chunk * RowsPerChunk, Math.Min(Rows, (chunk + 1) * RowsPerChunk), 0, columns, null, sums,
                sums + columns);
        }
    }

    private struct MeansJob<T> : IChunkJob where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public Operands<T> Operands;
        public double* Means;

        public readonly void Run(int row) => Simd.Widest<T, MeansKernel<T>>(new(Operands, row, Means + 2 * (nint)row));
    }

    private readonly struct MeansKernel<T>(Operands<T> operands, nint row, double* means) : IVectorKernel<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<V>() where V : struct, ILanes<V, T> => Means<V, T>(operands, row, means);
    }

    private struct ColumnsJob<T> : IChunkJob where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public Operands<T> Operands;
        public nint Rows;
        public double* Means;
        public T* DGamma;
        public T* DBeta;

        public readonly void Run(int chunk)
        {
            var at = (nint)chunk * ColumnsPerChunk;
            var to = Math.Min(Operands.Columns, at + ColumnsPerChunk);
            var unwanted = stackalloc T[DBeta == null ? ColumnsPerChunk : 0];
            SumRows(Operands, 0, Rows, at, to, Means, DGamma + at, DBeta == null ? unwanted : DBeta + at);
        }
    }

    // Writes dγ and dβ of some rows and columns, in runs of rows.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SumRows<T>(in Operands<T> operands, nint first, nint end, nint at, nint to, double* means,
        T* dgamma, T* dbeta) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var columns = to - at;
        new Span<T>(dgamma, (int)columns).Clear();
        new Span<T>(dbeta, (int)columns).Clear();
        if (end - first <= RunRows)
        {
            Simd.Widest<T, BackwardKernel<T>>(new(operands, first, end, at, to, means, dgamma, dbeta));
            return;
        }
        using var run = Scratch.Rent<T>(ScratchSlot.TileSums, 2 * columns);
        for (; first < end; first += RunRows)
        {
            new Span<T>(run.Pointer, (int)(2 * columns)).Clear();
            Simd.Widest<T, BackwardKernel<T>>(new(operands, first, Math.Min(end, first + RunRows), at, to, means,
                run.Pointer, run.Pointer + columns));
            PartialSums.AddTo(dgamma, run.Pointer, columns, 1);
            PartialSums.AddTo(dbeta, run.Pointer + columns, columns, 1);
        }
    }

    private readonly struct BackwardKernel<T>(Operands<T> operands, nint first, nint end, nint at, nint to,
        double* means, T* dgamma, T* dbeta) : IVectorKernel<T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<V>() where V : struct, ILanes<V, T> =>
            Backward<V, T>(operands, first, end, at, to, means, dgamma, dbeta);
    }
}
