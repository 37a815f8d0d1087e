using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Adjoint.Kernels;

/// <summary>y = a where the condition, a byte each, is not 0, else b; elements of 1, 2, 4 or 8 bytes.</summary>
public static unsafe class Select
{
    private const int Block = 1024;

    /// <summary>
    /// Over inputs of any layout, strides in elements, 0 for a broadcast axis; the result is contiguous with the given
    /// sizes.
    /// </summary>
    /// <param name="condition">The condition.</param>
    /// <param name="conditionStrides">Its strides in elements; 0 along a broadcast axis.</param>
    /// <param name="a">Chosen where the condition holds.</param>
    /// <param name="aStrides">Strides of a in elements; 0 along a broadcast axis.</param>
    /// <param name="b">Chosen elsewhere.</param>
    /// <param name="bStrides">Strides of b in elements; 0 along a broadcast axis.</param>
    /// <param name="y">The result.</param>
    /// <param name="shape">The sizes of all operands, broadcast.</param>
    public static void Run<T>(
        byte* condition, ReadOnlySpan<nint> conditionStrides, T* a, ReadOnlySpan<nint> aStrides,
        T* b, ReadOnlySpan<nint> bStrides, T* y, ReadOnlySpan<int> shape) where T : unmanaged
    {
        var rows = RowIterator.Rows(shape, out var width);
        fixed (nint* cs = conditionStrides, xs = aStrides, zs = bStrides)
        fixed (int* sizes = shape)
        {
            var job = new Job<T>
            {
                Chunks = new(rows, width),
                C = condition,
                CStrides = cs,
                A = a,
                AStrides = xs,
                B = b,
                BStrides = zs,
                Y = y,
                Sizes = sizes,
                Rank = shape.Length,
            };
            Workers.For(job.Chunks.Count, ref job);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Contiguous<T>(byte* c, T* a, T* b, T* y, nint count) where T : unmanaged
    {
        nint i = 0;
        if (Simd.Width > 0)
            for (; i <= count - 16; i += 16)
            {
                var isB = Vector128.Equals(Vector128.Load(c + i), Vector128<byte>.Zero);
                if (sizeof(T) == 1) Choose(isB.AsSByte(), (sbyte*)(a + i), (sbyte*)(b + i), (sbyte*)(y + i));
                else
                {
                    // All bits of a byte are its sign's, and of what it is widened to.
                    var (low, high) = Vector128.Widen(isB.AsSByte());
                    Eight(low, a + i, b + i, y + i);
                    Eight(high, a + i + 8, b + i + 8, y + i + 8);
                }
            }
        for (; i < count; i++) y[i] = c[i] != 0 ? a[i] : b[i];
    }

    private static void Eight<T>(Vector128<short> isB, T* a, T* b, T* y) where T : unmanaged
    {
        if (sizeof(T) == 2)
        {
            Choose(isB, (short*)a, (short*)b, (short*)y);
            return;
        }
        var (low, high) = Vector128.Widen(isB);
        if (sizeof(T) == 4)
        {
            Choose(low, (int*)a, (int*)b, (int*)y);
            Choose(high, (int*)(a + 4), (int*)(b + 4), (int*)(y + 4));
            return;
        }
        Four(low, (long*)a, (long*)b, (long*)y);
        Four(high, (long*)(a + 4), (long*)(b + 4), (long*)(y + 4));
    }

    private static void Four(Vector128<int> isB, long* a, long* b, long* y)
    {
        var (low, high) = Vector128.Widen(isB);
        Choose(low, a, b, y);
        Choose(high, a + 2, b + 2, y + 2);
    }

    private static void Choose<T>(Vector128<T> isB, T* a, T* b, T* y) where T : unmanaged =>
        Vector128.ConditionalSelect(isB, Vector128.Load(b), Vector128.Load(a)).Store(y);

    private struct Job<T> : IChunkJob where T : unmanaged
    {
        public RowChunks Chunks;
        public byte* C;
        public nint* CStrides;
        public T* A;
        public nint* AStrides;
        public T* B;
        public nint* BStrides;
        public T* Y;
        public int* Sizes;
        public int Rank;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int chunk)
        {
            var shape = new ReadOnlySpan<int>(Sizes, Rank);
            ReadOnlySpan<nint> cStrides = new(CStrides, Rank), aStrides = new(AStrides, Rank);
            var bStrides = new ReadOnlySpan<nint>(BStrides, Rank);
            var (cStep, aStep) = (RowIterator.InnerStride(cStrides), RowIterator.InnerStride(aStrides));
            var bStep = RowIterator.InnerStride(bStrides);
            RowIterator.Rows(shape, out var width);
            var (row, end, first, last) = Chunks[chunk];
            var block = (int)Math.Min(Block, last - first);
            var cBuffer = stackalloc byte[cStep == 1 ? 0 : block];
            T* aBuffer = stackalloc T[aStep == 1 ? 0 : block], bBuffer = stackalloc T[bStep == 1 ? 0 : block];
            for (; row < end; row++)
            {
                var c = C + RowIterator.Offset(row, shape, cStrides);
                var a = A + RowIterator.Offset(row, shape, aStrides);
                var b = B + RowIterator.Offset(row, shape, bStrides);
                if (cStep == 0) new Span<byte>(cBuffer, block).Fill(*c);
                if (aStep == 0) new Span<T>(aBuffer, block).Fill(*a);
                if (bStep == 0) new Span<T>(bBuffer, block).Fill(*b);
                for (var at = first; at < last; at += block)
                {
                    var count = Math.Min(block, last - at);
                    Contiguous(RowIterator.Contiguous(c + at * cStep, cStep, cBuffer, count),
                        RowIterator.Contiguous(a + at * aStep, aStep, aBuffer, count),
                        RowIterator.Contiguous(b + at * bStep, bStep, bBuffer, count), Y + row * width + at, count);
                }
            }
        }
    }
}
