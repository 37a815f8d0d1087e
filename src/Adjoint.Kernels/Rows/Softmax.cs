using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// softmax(x)ⱼ = e^(xⱼ − max) / Σₖ e^(xₖ − max), row by row of [rows, columns]; subtracting the maximum keeps it from
/// overflowing.
/// </summary>
public static unsafe class Softmax
{
    private const int ChunkLength = 8192;

    /// <summary>y = softmax(x), each row. In place allowed.</summary>
    /// <param name="x">The input [rows, columns].</param>
    /// <param name="y">The result [rows, columns]; may be x.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="columns">Elements of a row.</param>
    public static void Rows<T>(T* x, T* y, nint rows, nint columns)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Run(x, y, rows, columns, logarithm: false);

    /// <summary>y = log softmax(x) = x − max − log Σ e^(x − max), each row. In place allowed.</summary>
    /// <param name="x">The input [rows, columns].</param>
    /// <param name="y">The result [rows, columns]; may be x.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="columns">Elements of a row.</param>
    public static void LogRows<T>(T* x, T* y, nint rows, nint columns)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Run(x, y, rows, columns, logarithm: true);

    /// <summary>dx = y·(g − Σ g·y), each row: the gradient of <see cref="Rows"/>.</summary>
    /// <param name="y">The softmax [rows, columns].</param>
    /// <param name="g">∂L/∂y [rows, columns].</param>
    /// <param name="dx">∂L/∂x [rows, columns].</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="columns">Elements of a row.</param>
    public static void Gradient<T>(T* y, T* g, T* dx, nint rows, nint columns)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => RunGradient(y, g, dx, rows, columns, logarithm: false);

    /// <summary>dx = g − eʸ·Σ g, each row: the gradient of <see cref="LogRows"/>.</summary>
    /// <param name="y">The logarithm of the softmax [rows, columns].</param>
    /// <param name="g">∂L/∂y [rows, columns].</param>
    /// <param name="dx">∂L/∂x [rows, columns].</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="columns">Elements of a row.</param>
    public static void LogGradient<T>(T* y, T* g, T* dx, nint rows, nint columns)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => RunGradient(y, g, dx, rows, columns, logarithm: true);

    private static void RunGradient<T>(T* y, T* g, T* dx, nint rows, nint columns, bool logarithm)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (rows == 0 || columns == 0) return;
        var job = new GradientJob<T>
        {
            Y = y,
            G = g,
            DX = dx,
            Rows = rows,
            Columns = columns,
            Logarithm = logarithm,
            RowsPerChunk = Math.Max(1, ChunkLength / columns)
        };
        Workers.For((int)((rows + job.RowsPerChunk - 1) / job.RowsPerChunk), ref job);
    }

    private static void Run<T>(T* x, T* y, nint rows, nint columns, bool logarithm)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (rows == 0 || columns == 0) return;
        var job = new Job<T>
        {
            X = x,
            Y = y,
            Rows = rows,
            Columns = columns,
            Logarithm = logarithm,
            RowsPerChunk = Math.Max(1, ChunkLength / columns)
        };
        Workers.For((int)((rows + job.RowsPerChunk - 1) / job.RowsPerChunk), ref job);
    }

    private struct Job<T> : IChunkJob where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public T* X;
        public T* Y;
        public nint Rows;
        public nint Columns;
        public nint RowsPerChunk;
        public bool Logarithm;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int chunk)
        {
            var last = Math.Min(Rows, (chunk + 1) * RowsPerChunk);
            for (var row = chunk * RowsPerChunk; row < last; row++)
            {
                var x = X + row * Columns;
                var y = Y + row * Columns;
                if (Logarithm)
                {
                    var total = ExpRow.Run(x, null, Columns, out var max);
                    var op = new Shift(double.CreateTruncating(max), double.CreateTruncating(T.Log(total)));
                    Map.Run(op, x, y, Columns);
                    continue;
                }
                var sum = ExpRow.Run(x, y, Columns, out _);
                Map.Run(new Scale(double.CreateTruncating(T.One / sum)), y, y, Columns);
            }
        }
    }

    private struct GradientJob<T> : IChunkJob where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public T* Y;
        public T* G;
        public T* DX;
        public nint Rows;
        public nint Columns;
        public nint RowsPerChunk;
        public bool Logarithm;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int chunk)
        {
            using var products = Scratch.Rent<T>(ScratchSlot.TileSums, Logarithm ? 0 : Columns);
            var last = Math.Min(Rows, (chunk + 1) * RowsPerChunk);
            for (var row = chunk * RowsPerChunk; row < last; row++)
            {
                T* y = Y + row * Columns, g = G + row * Columns, dx = DX + row * Columns;
                if (!Logarithm) Zip.Run(new Product(), g, y, products.Pointer, Columns);
                var sum = double.CreateTruncating(
                    Reduce.Row(new SumOperator(), Logarithm ? g : products.Pointer, Columns));
                if (Logarithm) Zip.Run(new LogSlope(sum), y, g, dx, Columns);
                else Zip.Run(new Slope(sum), y, g, dx, Columns);
            }
        }
    }

    private readonly struct Product : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => x * y;
    }

    private readonly struct Slope(double sum) : IBinaryOperator
    {
        public V Invoke<V>(V y, V g) where V : struct, ILanes<V> => y * (g - V.Splat(sum));
    }

    private readonly struct LogSlope(double sum) : IBinaryOperator
    {
        public V Invoke<V>(V y, V g) where V : struct, ILanes<V> => g - V.Exp(y) * V.Splat(sum);
    }

    // One after the other: max + log Σ would be rounded to the size of max, and take the digits of log Σ.
    private readonly struct Shift(double max, double logarithm) : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => x - V.Splat(max) - V.Splat(logarithm);
    }

    private readonly struct Scale(double by) : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => x * V.Splat(by);
    }
}

/// <summary>The fold Σ x.</summary>
public readonly struct SumOperator : IReductionOperator
{
    /// <inheritdoc/>
    public static ElementKinds Kinds => ElementKinds.Numbers;

    /// <inheritdoc/>
    public double Identity => 0;

    /// <inheritdoc/>
    public V Transform<V>(V x) where V : struct, ILanes<V> => x;

    /// <inheritdoc/>
    public V Combine<V>(V accumulator, V x) where V : struct, ILanes<V> => accumulator + x;
}

/// <summary>The fold max x; −∞ for nothing.</summary>
public readonly struct MaxOperator : IReductionOperator
{
    /// <inheritdoc/>
    public static ElementKinds Kinds => ElementKinds.All;

    /// <inheritdoc/>
    public double Identity => double.NegativeInfinity;

    /// <inheritdoc/>
    public V Transform<V>(V x) where V : struct, ILanes<V> => x;

    /// <inheritdoc/>
    public V Combine<V>(V accumulator, V x) where V : struct, ILanes<V> => V.Max(accumulator, x);
}
