using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// The loops around the micro-kernel (BLIS's macro-kernel). MC rows of A, all of K, are packed first and shared by all
/// threads: tile by tile of MR rows, [k][MR] within a tile. Then each job takes a strip of C, NR columns wide: block by
/// block of KC it packs its panel of B as [KC][NR], which stays in its core's second-level cache, and runs down the
/// tiles of A. So B passes through memory once, and C is read and written once for each block of KC.
/// </summary>
internal static unsafe class GemmBlocks<T, TTile, TOperator>
    where T : unmanaged, IBinaryFloatingPointIeee754<T> where TTile : struct, ITile<T>
    where TOperator : struct, IUnaryOperator
{
    // A panel of B of 512 by 32 float32 takes 64 KB of the second-level cache.
    private const int MaxKC = 512;

    // Elements of packed A, MC·K: half of a usual last-level cache.
    private const long MaxPackedA = 4 << 20;

    // With fewer tiles of rows than this, packing a panel of B costs more than reading it in place.
    private const int MinTilesToPackB = 3;

    // A whole B of so many bytes stays in the first-level cache as it lies, and is read in place, too.
    private const int MaxBytesInPlace = 16 << 10;

    // So many jobs keep all threads busy to the end.
    private const int MinJobs = 16;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Run(in GemmProblem<T> problem, T* bias, TOperator activation)
    {
        var (m, n, k) = (problem.M, problem.N, problem.K);
        if (k == 0)
        {
            Scale(problem);
            Epilogue(problem, bias, activation, 0, m, 0, n);
            return;
        }
        // A few columns would leave most of a tile empty: compute Cᵀ = Bᵀ·Aᵀ instead.
        if (2 * n <= TTile.NR && m > n)
        {
            RunTransposed(problem);
            Epilogue(problem, bias, activation, 0, m, 0, n);
            return;
        }
        var mc = (int)Math.Max(TTile.MR, MaxPackedA / k / TTile.MR * TTile.MR);
        for (var row = 0; row < m; row += mc) Rows(problem, bias, activation, row, Math.Min(mc, m - row));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows(in GemmProblem<T> problem, T* bias, TOperator activation, int row, int rows)
    {
        var (rowTiles, panels) = (Tiles(rows, TTile.MR), Tiles(problem.N, TTile.NR));
        var groups = Math.Clamp(Tiles(MinJobs, panels), 1, Tiles(rowTiles, 4));
        using var packedA = Scratch.Rent<T>(ScratchSlot.PackedA, (nint)rowTiles * TTile.MR * problem.K);
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
            // Blocks of equal size, cut where K alone decides.
            KC = Tiles(problem.K, Tiles(problem.K, MaxKC)),
        };
        var jobs = panels * Tiles(rowTiles, job.RowTilesPerJob);
        if ((long)rows * problem.N * problem.K < Gemm.MinSharedWork)
        {
            for (var tile = 0; tile < rowTiles; tile++) job.PackRows(tile);
            for (var strip = 0; strip < jobs; strip++) job.Run(strip);
            return;
        }
        var packing = new PackJob { Job = job };
        Workers.For(rowTiles, ref packing);
        Workers.For(jobs, ref job);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunTransposed(in GemmProblem<T> problem)
    {
        var (m, n) = (problem.M, problem.N);
        using var lease = Scratch.Rent<T>(ScratchSlot.Sums, (nint)m * n);
        var product = lease.Pointer;
        var swapped = new GemmProblem<T>(
            !problem.TransB, !problem.TransA, n, m, problem.K, problem.Alpha, problem.B, problem.Ldb,
            problem.A, problem.Lda, T.Zero, product, m);
        GemmBlocks<T, TTile, NoActivation>.Run(swapped, null, default);
        for (var i = 0; i < m; i++)
            for (var j = 0; j < n; j++)
            {
                var to = problem.C + (nint)i * problem.Ldc + j;
                var sum = product[(nint)j * m + i];
                *to = problem.Beta == T.Zero ? sum : T.FusedMultiplyAdd(problem.Beta, *to, sum);
            }
    }

    private static int Tiles(int size, int tile) => (size + tile - 1) / tile;

    // An empty sum is 0: C = β·C.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Scale(in GemmProblem<T> problem)
    {
        for (var i = 0; i < problem.M; i++)
            for (var j = 0; j < problem.N; j++)
            {
                var to = problem.C + (nint)i * problem.Ldc + j;
                *to = problem.Beta == T.Zero ? T.Zero : problem.Beta * *to;
            }
    }

    // C = f(C + bias) where C is not made of whole tiles.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Epilogue(
        in GemmProblem<T> problem, T* bias, TOperator activation, int row, int rows, int column, int columns)
    {
        if (bias == null && typeof(TOperator) == typeof(NoActivation)) return;
        for (var i = row; i < row + rows; i++)
        {
            var c = problem.C + (nint)i * problem.Ldc + column;
            if (bias == null) Map.Run(activation, c, c, columns);
            else Zip.Run(new BiasActivation { Activation = activation }, c, bias + column, c, columns);
        }
    }

    private struct BiasActivation : IBinaryOperator
    {
        public TOperator Activation;
        public readonly V Invoke<V>(V x, V y) where V : struct, ILanes<V> => Activation.Invoke(x + y);
    }

    private struct PackJob : IChunkJob
    {
        public Job Job;
        public readonly void Run(int chunk) => Job.PackRows(chunk);
    }

    // One strip of C: NR columns by some tiles of rows.
    private struct Job : IChunkJob
    {
        public GemmProblem<T> Problem;
        public T* Bias;
        public TOperator Activation;
        public int Row, Rows, RowTiles, RowTilesPerJob, Panels, KC;
        public T* PackedA;

        internal readonly void PackRows(int tile)
        {
            var problem = Problem;
            var first = Row + tile * TTile.MR;
            Packing.Panel(
                problem.TransA ? problem.A + first : problem.A + (nint)first * problem.Lda, problem.Lda,
                !problem.TransA, Math.Min(TTile.MR, Row + Rows - first), TTile.MR, problem.K,
                PackedA + (nint)tile * TTile.MR * problem.K);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int strip)
        {
            var problem = Problem;
            var column = strip % Panels * TTile.NR;
            var columns = Math.Min(TTile.NR, problem.N - column);
            var firstTile = strip / Panels * RowTilesPerJob;
            var lastTile = Math.Min(RowTiles, firstTile + RowTilesPerJob);
            var isShort = (long)problem.K * problem.Ldb * sizeof(T) <= MaxBytesInPlace;
            var inPlace = !problem.TransB && columns == TTile.NR
                && (lastTile - firstTile < MinTilesToPackB || isShort);
            using var panel = Scratch.Rent<T>(ScratchSlot.PackedB, inPlace ? 0 : (nint)TTile.NR * KC);
            for (var depth = 0; depth < problem.K; depth += KC)
            {
                var kc = Math.Min(KC, problem.K - depth);
                var b = problem.TransB
                    ? problem.B + (nint)column * problem.Ldb + depth
                    : problem.B + (nint)depth * problem.Ldb + column;
                nint strideB = problem.Ldb;
                if (!inPlace)
                {
                    Packing.Panel(b, problem.Ldb, problem.TransB, columns, TTile.NR, kc, panel.Pointer);
                    b = panel.Pointer;
                    strideB = TTile.NR;
                }
                for (var tile = firstTile; tile < lastTile; tile++) Tile(tile, depth, kc, b, strideB, column, columns);
            }
        }

        private readonly void Tile(int tile, int depth, int kc, T* b, nint strideB, int column, int columns)
        {
            var beta = depth == 0 ? Problem.Beta : T.One;
            var isLast = depth + kc == Problem.K;
            var row = Row + tile * TTile.MR;
            var rows = Math.Min(TTile.MR, Row + Rows - row);
            var c = Problem.C + (nint)row * Problem.Ldc + column;
            var a = PackedA + ((nint)tile * Problem.K + depth) * TTile.MR;
            EdgeTile.Run<T, TTile>(kc, a, b, strideB, c, Problem.Ldc, rows, columns, Problem.Alpha, beta);
            if (!isLast) return;
            if (rows < TTile.MR || columns < TTile.NR)
                Epilogue(Problem, Bias, Activation, row, rows, column, columns);
            else if (Bias != null || typeof(TOperator) != typeof(NoActivation))
                TTile.Epilogue(c, Problem.Ldc, Bias == null ? null : Bias + column, Activation);
        }
    }
}
