using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Adjoint.Kernels;

/// <summary>A relation of two numbers. Where one is NaN only that they are unequal holds.</summary>
public interface IRelation
{
    /// <summary>Whether it holds.</summary>
    static abstract bool Holds<T>(T x, T y) where T : unmanaged, INumber<T>;

    /// <summary>All bits set where it holds.</summary>
    static abstract Vector128<T> Holds<T>(Vector128<T> x, Vector128<T> y);
}

/// <summary>x &lt; y.</summary>
public readonly struct LessRelation : IRelation
{
    /// <inheritdoc/>
    public static bool Holds<T>(T x, T y) where T : unmanaged, INumber<T> => x < y;

    /// <inheritdoc/>
    public static Vector128<T> Holds<T>(Vector128<T> x, Vector128<T> y) => Vector128.LessThan(x, y);
}

/// <summary>x ≤ y.</summary>
public readonly struct LessOrEqualRelation : IRelation
{
    /// <inheritdoc/>
    public static bool Holds<T>(T x, T y) where T : unmanaged, INumber<T> => x <= y;

    /// <inheritdoc/>
    public static Vector128<T> Holds<T>(Vector128<T> x, Vector128<T> y) => Vector128.LessThanOrEqual(x, y);
}

/// <summary>x = y.</summary>
public readonly struct EqualRelation : IRelation
{
    /// <inheritdoc/>
    public static bool Holds<T>(T x, T y) where T : unmanaged, INumber<T> => x == y;

    /// <inheritdoc/>
    public static Vector128<T> Holds<T>(Vector128<T> x, Vector128<T> y) => Vector128.Equals(x, y);
}

/// <summary>x ≠ y.</summary>
public readonly struct NotEqualRelation : IRelation
{
    /// <inheritdoc/>
    public static bool Holds<T>(T x, T y) where T : unmanaged, INumber<T> => x != y;

    /// <inheritdoc/>
    public static Vector128<T> Holds<T>(Vector128<T> x, Vector128<T> y) => ~Vector128.Equals(x, y);
}

/// <summary>z = 1 where a relation of x and y holds, else 0, a byte each.</summary>
public static unsafe class Compare
{
    private const int Block = 1024;

    /// <summary>
    /// Over inputs of any layout, strides in elements, 0 for a broadcast axis; the result is contiguous with the given
    /// sizes.
    /// </summary>
    /// <param name="x">The left operand.</param>
    /// <param name="xStrides">Strides of x in elements; 0 along a broadcast axis.</param>
    /// <param name="y">The right operand.</param>
    /// <param name="yStrides">Strides of y in elements; 0 along a broadcast axis.</param>
    /// <param name="z">The results.</param>
    /// <param name="shape">The sizes of all operands, broadcast.</param>
    public static void Run<T, TRelation>(
        T* x, ReadOnlySpan<nint> xStrides, T* y, ReadOnlySpan<nint> yStrides, byte* z, ReadOnlySpan<int> shape)
        where T : unmanaged, INumber<T> where TRelation : struct, IRelation
    {
        var rows = RowIterator.Rows(shape, out var width);
        fixed (nint* xs = xStrides, ys = yStrides)
        fixed (int* sizes = shape)
        {
            var job = new Job<T, TRelation>
            {
                Chunks = new(rows, width),
                X = x,
                XStrides = xs,
                Y = y,
                YStrides = ys,
                Z = z,
                Sizes = sizes,
                Rank = shape.Length,
            };
            Workers.For(job.Chunks.Count, ref job);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Contiguous<T, TRelation>(T* x, T* y, byte* z, nint count)
        where T : unmanaged, INumber<T> where TRelation : struct, IRelation
    {
        nint i = 0;
        if (Simd.Width > 0)
            for (; i <= count - 16; i += 16)
                (Sixteen<T, TRelation>(x + i, y + i) & Vector128<byte>.One).Store(z + i);
        for (; i < count; i++) z[i] = TRelation.Holds(x[i], y[i]) ? (byte)1 : (byte)0;
    }

    private static Vector128<byte> Sixteen<T, TRelation>(T* x, T* y)
        where T : unmanaged where TRelation : struct, IRelation => sizeof(T) switch
        {
            1 => Holds<T, TRelation>(x, y).AsByte(),
            2 => Vector128.Narrow(HalfPrecision<T, TRelation>(x, y), HalfPrecision<T, TRelation>(x + 8, y + 8)),
            4 => Vector128.Narrow(Eight<T, TRelation>(x, y), Eight<T, TRelation>(x + 8, y + 8)),
            8 => Vector128.Narrow(Wide<T, TRelation>(x, y), Wide<T, TRelation>(x + 8, y + 8)),
            _ => throw new NotSupportedException($"Compare: elements of {sizeof(T)} bytes"),
        };

    // There are no vectors of half precision; but apart from NaN its order is that of its bits as a signed magnitude.
    private static Vector128<ushort> HalfPrecision<T, TRelation>(T* x, T* y)
        where T : unmanaged where TRelation : struct, IRelation
    {
        var infinity = Vector128.Create((short)(typeof(T) == typeof(BFloat16) ? 0x7F80 : 0x7C00));
        var (a, b) = (Vector128.Load((short*)x), Vector128.Load((short*)y));
        Vector128<short> aMagnitude = a & Vector128.Create(short.MaxValue),
            bMagnitude = b & Vector128.Create(short.MaxValue);
        var (aSign, bSign) = (a >> 15, b >> 15);
        var holds = TRelation.Holds((aMagnitude ^ aSign) - aSign, (bMagnitude ^ bSign) - bSign);
        var areNumbers = Vector128.LessThanOrEqual(aMagnitude, infinity)
            & Vector128.LessThanOrEqual(bMagnitude, infinity);
        return (holds & areNumbers).AsUInt16();
    }

    private static Vector128<ushort> Eight<T, TRelation>(T* x, T* y)
        where T : unmanaged where TRelation : struct, IRelation => Vector128.Narrow(
            Holds<T, TRelation>(x, y).AsUInt32(), Holds<T, TRelation>(x + 4, y + 4).AsUInt32());

    private static Vector128<ushort> Wide<T, TRelation>(T* x, T* y)
        where T : unmanaged where TRelation : struct, IRelation => Vector128.Narrow(
            Vector128.Narrow(Holds<T, TRelation>(x, y).AsUInt64(), Holds<T, TRelation>(x + 2, y + 2).AsUInt64()),
            Vector128.Narrow(
                Holds<T, TRelation>(x + 4, y + 4).AsUInt64(), Holds<T, TRelation>(x + 6, y + 6).AsUInt64()));

    private static Vector128<T> Holds<T, TRelation>(T* x, T* y)
        where T : unmanaged where TRelation : struct, IRelation =>
        TRelation.Holds(Vector128.Load(x), Vector128.Load(y));

    private struct Job<T, TRelation> : IChunkJob where T : unmanaged, INumber<T> where TRelation : struct, IRelation
    {
        public RowChunks Chunks;
        public T* X;
        public nint* XStrides;
        public T* Y;
        public nint* YStrides;
        public byte* Z;
        public int* Sizes;
        public int Rank;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int chunk)
        {
            var shape = new ReadOnlySpan<int>(Sizes, Rank);
            ReadOnlySpan<nint> xStrides = new(XStrides, Rank), yStrides = new(YStrides, Rank);
            var (xStep, yStep) = (RowIterator.InnerStride(xStrides), RowIterator.InnerStride(yStrides));
            RowIterator.Rows(shape, out var width);
            var (row, end, first, last) = Chunks[chunk];
            var block = (int)Math.Min(Block, last - first);
            T* xBuffer = stackalloc T[xStep == 1 ? 0 : block], yBuffer = stackalloc T[yStep == 1 ? 0 : block];
            for (; row < end; row++)
            {
                var x = X + RowIterator.Offset(row, shape, xStrides);
                var y = Y + RowIterator.Offset(row, shape, yStrides);
                if (xStep == 0) new Span<T>(xBuffer, block).Fill(*x);
                if (yStep == 0) new Span<T>(yBuffer, block).Fill(*y);
                for (var at = first; at < last; at += block)
                {
                    var count = Math.Min(block, last - at);
                    Contiguous<T, TRelation>(RowIterator.Contiguous(x + at * xStep, xStep, xBuffer, count),
                        RowIterator.Contiguous(y + at * yStep, yStep, yBuffer, count), Z + row * width + at, count);
                }
            }
        }
    }
}
