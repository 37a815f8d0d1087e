using System.Numerics;

namespace Adjoint.Kernels;

/// <summary>The loops around the micro-kernel: blocks of K and N are packed once, then tiles of C are shared out.</summary>
internal static unsafe class GemmBlocks<T, TTile, TLane> where T : unmanaged, IBinaryFloatingPointIeee754<T> where TTile : struct, ITile<T> where TLane : struct, IUnaryLane
{
    // A panel pair of 256 steps stays in the first-level cache; 4096 rows or columns of it stay in the last one.
    private const int DepthBlock = 256;
    private const int OuterBlock = 4096;

    // A job covers about this many tile rows and columns, a few hundred thousand multiply-adds.
    private const int TileRowsPerJob = 4;
    private const int TileColumnsPerJob = 8;
    private const long WorkWorthSharing = 1 << 18;

    internal static void Run(in GemmProblem<T> problem, T* bias, TLane activation)
    {
        var (m, n, k) = (problem.M, problem.N, problem.K);
        if (k == 0)
        {
            Scale(problem);
            Finish(problem, bias, activation, 0, m, 0, n);
            return;
        }
        for (var column = 0; column < n; column += OuterBlock)
            for (var row = 0; row < m; row += OuterBlock)
                for (var depth = 0; depth < k; depth += DepthBlock)
                    Block(problem, bias, activation, row, Math.Min(OuterBlock, m - row), column, Math.Min(OuterBlock, n - column), depth, Math.Min(DepthBlock, k - depth));
    }

    private static void Block(in GemmProblem<T> problem, T* bias, TLane activation, int row, int rows, int column, int columns, int depth, int steps)
    {
        var (tileRows, tileColumns) = (Tiles(rows, TTile.Rows), Tiles(columns, TTile.Columns));
        var packedA = PackBuffer.Rent<T>(0, (nint)tileRows * TTile.Rows * steps);
        var packedB = PackBuffer.Rent<T>(1, (nint)tileColumns * TTile.Columns * steps);
        var job = new Job
        {
            Problem = problem,
            Bias = bias,
            Activation = activation,
            Row = row,
            Rows = rows,
            Column = column,
            Columns = columns,
            Depth = depth,
            Steps = steps,
            TileRows = tileRows,
            TileColumns = tileColumns,
            PackedA = packedA,
            PackedB = packedB,
            JobColumns = Tiles(tileColumns, TileColumnsPerJob),
        };
        var jobs = Tiles(tileRows, TileRowsPerJob) * job.JobColumns;
        if ((long)rows * columns * steps < WorkWorthSharing)
        {
            for (var chunk = 0; chunk < tileRows + tileColumns; chunk++) job.Pack(chunk);
            for (var chunk = 0; chunk < jobs; chunk++) job.Multiply(chunk);
            return;
        }
        var packing = new PackJob { Job = job };
        Workers.For(tileRows + tileColumns, ref packing);
        Workers.For(jobs, ref job);
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

    // The epilogue runs over a tile that has just been written and still lies in the cache.
    private static void Finish(in GemmProblem<T> problem, T* bias, TLane activation, int row, int rows, int column, int columns)
    {
        if (bias == null && typeof(TLane) == typeof(NoActivation)) return;
        for (var i = row; i < row + rows; i++)
        {
            var c = problem.C + (nint)i * problem.Ldc + column;
            if (bias == null) Map.Run(activation, c, c, columns);
            else Zip.Run(new BiasThen { Activation = activation }, c, bias + column, c, columns);
        }
    }

    private struct BiasThen : IBinaryLane
    {
        public TLane Activation;
        public readonly V Invoke<V>(V x, V y) where V : struct, ILanes<V> => Activation.Invoke(x + y);
    }

    private struct PackJob : IChunkJob
    {
        public Job Job;
        public readonly void Run(int chunk) => Job.Pack(chunk);
    }

    private struct Job : IChunkJob
    {
        public GemmProblem<T> Problem;
        public T* Bias;
        public TLane Activation;
        public int Row, Rows, Column, Columns, Depth, Steps, TileRows, TileColumns, JobColumns;
        public T* PackedA;
        public T* PackedB;

        public readonly void Run(int chunk) => Multiply(chunk);

        // Panels of A first, then those of B.
        internal readonly void Pack(int panel)
        {
            var problem = Problem;
            if (panel < TileRows)
            {
                var first = panel * TTile.Rows;
                var from = problem.TransA ? problem.A + (nint)Depth * problem.Lda + Row + first : problem.A + (nint)(Row + first) * problem.Lda + Depth;
                Packing.Panel(from, problem.Lda, !problem.TransA, Math.Min(TTile.Rows, Rows - first), TTile.Rows, Steps, PackedA + (nint)first * Steps);
            }
            else
            {
                var first = (panel - TileRows) * TTile.Columns;
                var from = problem.TransB ? problem.B + (nint)(Column + first) * problem.Ldb + Depth : problem.B + (nint)Depth * problem.Ldb + Column + first;
                Packing.Panel(from, problem.Ldb, problem.TransB, Math.Min(TTile.Columns, Columns - first), TTile.Columns, Steps, PackedB + (nint)first * Steps);
            }
        }

        internal readonly void Multiply(int chunk)
        {
            var firstRow = chunk / JobColumns * TileRowsPerJob;
            var firstColumn = chunk % JobColumns * TileColumnsPerJob;
            var lastRow = Math.Min(TileRows, firstRow + TileRowsPerJob);
            var lastColumn = Math.Min(TileColumns, firstColumn + TileColumnsPerJob);
            for (var tileColumn = firstColumn; tileColumn < lastColumn; tileColumn++)
                for (var tileRow = firstRow; tileRow < lastRow; tileRow++)
                    Tile(tileRow * TTile.Rows, tileColumn * TTile.Columns);
            if (Depth + Steps == Problem.K)
            {
                var (r, c) = (firstRow * TTile.Rows, firstColumn * TTile.Columns);
                Finish(Problem, Bias, Activation, Row + r, Math.Min(Rows, lastRow * TTile.Rows) - r, Column + c, Math.Min(Columns, lastColumn * TTile.Columns) - c);
            }
        }

        private readonly void Tile(int i, int j)
        {
            var beta = Depth == 0 ? Problem.Beta : T.One;
            var c = Problem.C + (nint)(Row + i) * Problem.Ldc + Column + j;
            var a = PackedA + (nint)i * Steps;
            var b = PackedB + (nint)j * Steps;
            var (rows, columns) = (Math.Min(TTile.Rows, Rows - i), Math.Min(TTile.Columns, Columns - j));
            if (rows == TTile.Rows && columns == TTile.Columns)
                TTile.Run(Steps, a, b, c, Problem.Ldc, Problem.Alpha, beta);
            else
                Edge(a, b, c, rows, columns, beta);
        }

        // The padded tile is computed beside C, then what exists of it is moved.
        private readonly void Edge(T* a, T* b, T* c, int rows, int columns, T beta)
        {
            var whole = stackalloc T[TTile.Rows * TTile.Columns];
            TTile.Run(Steps, a, b, whole, TTile.Columns, Problem.Alpha, T.Zero);
            for (var i = 0; i < rows; i++)
                for (var j = 0; j < columns; j++)
                {
                    var at = c + (nint)i * Problem.Ldc + j;
                    *at = beta == T.Zero ? whole[i * TTile.Columns + j] : T.FusedMultiplyAdd(beta, *at, whole[i * TTile.Columns + j]);
                }
        }
    }
}
