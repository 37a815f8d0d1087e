using System.Numerics;

namespace Adjoint.Kernels;

/// <summary>
/// The loops around the micro-kernel. All of A is packed first and shared. Then each job takes a strip of C, one tile wide: it packs its panel of B, a
/// block of depth at a time, into its own cache and runs down the rows. So B passes through memory once, and is never written back.
/// </summary>
internal static unsafe class GemmBlocks<T, TTile, TOperator> where T : unmanaged, IBinaryFloatingPointIeee754<T> where TTile : struct, ITile<T> where TOperator : struct, IUnaryOperator
{
    // A panel of B of 512 steps takes 64 KB of the second-level cache; C is read and written once per block of depth.
    private const int MostDepth = 512;

    // Packed A, in elements: half of a usual last-level cache.
    private const long MostPacked = 4 << 20;

    // With fewer row tiles than this, packing a panel of B costs more than reading it in place.
    private const int RowTilesWorthPacking = 3;

    private const int LeastJobs = 16;

    internal static void Run(in GemmProblem<T> problem, T* bias, TOperator activation)
    {
        var (m, n, k) = (problem.M, problem.N, problem.K);
        if (k == 0)
        {
            Scale(problem);
            Finish(problem, bias, activation, 0, m, 0, n);
            return;
        }
        // A few columns would leave most of a tile empty: compute Cᵀ = Bᵀ·Aᵀ instead.
        if (2 * n <= TTile.Columns && m > n)
        {
            Transposed(problem);
            Finish(problem, bias, activation, 0, m, 0, n);
            return;
        }
        var rowsAtOnce = (int)Math.Max(TTile.Rows, MostPacked / k / TTile.Rows * TTile.Rows);
        for (var row = 0; row < m; row += rowsAtOnce)
            Rows(problem, bias, activation, row, Math.Min(rowsAtOnce, m - row));
    }

    private static void Rows(in GemmProblem<T> problem, T* bias, TOperator activation, int row, int rows)
    {
        var (rowTiles, panels) = (Tiles(rows, TTile.Rows), Tiles(problem.N, TTile.Columns));
        var groups = Math.Clamp(Tiles(LeastJobs, panels), 1, Tiles(rowTiles, 4));
        var depthBlocks = Tiles(problem.K, MostDepth);
        using var packedA = Scratch.Rent<T>(ScratchSlot.PackedA, (nint)rowTiles * TTile.Rows * problem.K);
        var job = new Job
        {
            Problem = problem,
            Bias = bias,
            Activation = activation,
            Row = row,
            Rows = rows,
            PackedA = packedA.Pointer,
            RowTiles = rowTiles,
            RowTilesPerJob = Tiles(rowTiles, groups),
            Panels = panels,
            // Blocks of equal depth, cut where K alone decides.
            Depth = Tiles(problem.K, depthBlocks),
        };
        var jobs = panels * Tiles(rowTiles, job.RowTilesPerJob);
        if ((long)rows * problem.N * problem.K < Gemm.WorkWorthSharing)
        {
            for (var tile = 0; tile < rowTiles; tile++) job.PackRows(tile);
            for (var strip = 0; strip < jobs; strip++) job.Run(strip);
            return;
        }
        var packing = new PackJob { Job = job };
        Workers.For(rowTiles, ref packing);
        Workers.For(jobs, ref job);
    }

    private static void Transposed(in GemmProblem<T> problem)
    {
        var (m, n) = (problem.M, problem.N);
        using var lease = Scratch.Rent<T>(ScratchSlot.Sums, (nint)m * n);
        var product = lease.Pointer;
        var swapped = new GemmProblem<T>(!problem.TransB, !problem.TransA, n, m, problem.K, problem.Alpha, problem.B, problem.Ldb, problem.A, problem.Lda, T.Zero, product, m);
        GemmBlocks<T, TTile, NoActivation>.Run(swapped, null, default);
        for (var i = 0; i < m; i++)
            for (var j = 0; j < n; j++)
            {
                var at = problem.C + (nint)i * problem.Ldc + j;
                *at = problem.Beta == T.Zero ? product[(nint)j * m + i] : T.FusedMultiplyAdd(problem.Beta, *at, product[(nint)j * m + i]);
            }
    }

    private static int Tiles(int size, int tile) => (size + tile - 1) / tile;

    // An empty sum is 0: C = β·C.
    private static void Scale(in GemmProblem<T> problem)
    {
        for (var i = 0; i < problem.M; i++)
            for (var j = 0; j < problem.N; j++)
            {
                var at = problem.C + (nint)i * problem.Ldc + j;
                *at = problem.Beta == T.Zero ? T.Zero : problem.Beta * *at;
            }
    }

    private static void Finish(in GemmProblem<T> problem, T* bias, TOperator activation, int row, int rows, int column, int columns)
    {
        if (bias == null && typeof(TOperator) == typeof(NoActivation)) return;
        for (var i = row; i < row + rows; i++)
        {
            var c = problem.C + (nint)i * problem.Ldc + column;
            if (bias == null) Map.Run(activation, c, c, columns);
            else Zip.Run(new BiasThen { Activation = activation }, c, bias + column, c, columns);
        }
    }

    private struct BiasThen : IBinaryOperator
    {
        public TOperator Activation;
        public readonly V Invoke<V>(V x, V y) where V : struct, ILanes<V> => Activation.Invoke(x + y);
    }

    private struct PackJob : IChunkJob
    {
        public Job Job;
        public readonly void Run(int chunk) => Job.PackRows(chunk);
    }

    private struct Job : IChunkJob
    {
        public GemmProblem<T> Problem;
        public T* Bias;
        public TOperator Activation;
        public int Row, Rows, RowTiles, RowTilesPerJob, Panels, Depth;

        // Tile by tile; within a tile step by step, all of K.
        public T* PackedA;

        internal readonly void PackRows(int tile)
        {
            var problem = Problem;
            var first = Row + tile * TTile.Rows;
            var from = problem.TransA ? problem.A + first : problem.A + (nint)first * problem.Lda;
            Packing.Panel(from, problem.Lda, !problem.TransA, Math.Min(TTile.Rows, Row + Rows - first), TTile.Rows, problem.K, PackedA + (nint)tile * TTile.Rows * problem.K);
        }

        public readonly void Run(int strip)
        {
            var problem = Problem;
            var column = strip % Panels * TTile.Columns;
            var columns = Math.Min(TTile.Columns, problem.N - column);
            var firstTile = strip / Panels * RowTilesPerJob;
            var lastTile = Math.Min(RowTiles, firstTile + RowTilesPerJob);
            var inPlace = !problem.TransB && columns == TTile.Columns && lastTile - firstTile < RowTilesWorthPacking;
            using var panel = Scratch.Rent<T>(ScratchSlot.PackedB, inPlace ? 0 : (nint)TTile.Columns * Depth);
            for (var depth = 0; depth < problem.K; depth += Depth)
            {
                var steps = Math.Min(Depth, problem.K - depth);
                var b = problem.TransB ? problem.B + (nint)column * problem.Ldb + depth : problem.B + (nint)depth * problem.Ldb + column;
                nint stride = problem.Ldb;
                if (!inPlace)
                {
                    Packing.Panel(b, problem.Ldb, problem.TransB, columns, TTile.Columns, steps, panel.Pointer);
                    b = panel.Pointer;
                    stride = TTile.Columns;
                }
                for (var tile = firstTile; tile < lastTile; tile++)
                    Tile(tile, depth, steps, b, stride, column, columns);
            }
        }

        private readonly void Tile(int tile, int depth, int steps, T* b, nint stride, int column, int columns)
        {
            var beta = depth == 0 ? Problem.Beta : T.One;
            var isLast = depth + steps == Problem.K;
            var row = Row + tile * TTile.Rows;
            var rows = Math.Min(TTile.Rows, Row + Rows - row);
            var c = Problem.C + (nint)row * Problem.Ldc + column;
            var a = PackedA + ((nint)tile * Problem.K + depth) * TTile.Rows;
            if (rows == TTile.Rows && columns == TTile.Columns)
            {
                TTile.Run(steps, a, b, stride, c, Problem.Ldc, Problem.Alpha, beta);
                if (isLast && (Bias != null || typeof(TOperator) != typeof(NoActivation)))
                    TTile.Finish(rows, c, Problem.Ldc, Bias == null ? null : Bias + column, Activation);
                return;
            }
            Edge(steps, a, b, stride, c, rows, columns, beta);
            if (isLast) Finish(Problem, Bias, Activation, row, rows, column, columns);
        }

        // The padded tile is computed beside C, then what exists of it is moved.
        private readonly void Edge(int steps, T* a, T* b, nint stride, T* c, int rows, int columns, T beta)
        {
            var whole = stackalloc T[TTile.Rows * TTile.Columns];
            TTile.Run(steps, a, b, stride, whole, TTile.Columns, Problem.Alpha, T.Zero);
            for (var i = 0; i < rows; i++)
            {
                var from = new Span<T>(whole + i * TTile.Columns, columns);
                var to = new Span<T>(c + (nint)i * Problem.Ldc, columns);
                if (beta == T.Zero) from.CopyTo(to);
                else
                    for (var j = 0; j < columns; j++) to[j] = T.FusedMultiplyAdd(beta, to[j], from[j]);
            }
        }
    }
}
