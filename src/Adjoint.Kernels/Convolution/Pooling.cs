using System.Numerics;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Adjoint.Kernels;

/// <summary>The windows of a pooling over planes of Height × Width.</summary>
public readonly record struct PoolShape(int Planes, int Height, int Width, int KernelHeight, int KernelWidth, int StrideHeight, int StrideWidth, int PadHeight, int PadWidth, int OutHeight, int OutWidth);

/// <summary>Pooling, plane by plane.</summary>
public static unsafe class Pooling
{
    // Small planes are shared out in lots, so that handing out work does not cost more than the work.
    private const int LotElements = 8192;

    /// <summary>The largest of each window, and which of its elements it was, numbered row-major; padding never wins, the first of equals does, NaN does.</summary>
    public static void Max<T>(in PoolShape shape, T* x, T* y, byte* index) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var job = new MaxJob<T> { Shape = shape, X = x, Y = y, Index = index, Lot = Lot(shape) };
        Workers.For((shape.Planes + job.Lot - 1) / job.Lot, ref job);
    }

    /// <summary>Sends each g to the element that was largest; where windows overlap, shares add up.</summary>
    public static void MaxGradient<T>(in PoolShape shape, T* g, byte* index, T* dx) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var job = new MaxGradientJob<T> { Shape = shape, G = g, Index = index, X = dx, Lot = Lot(shape) };
        Workers.For((shape.Planes + job.Lot - 1) / job.Lot, ref job);
    }

    /// <summary>The element of each window that was largest somewhere else, by its number in the window.</summary>
    public static void Select<T>(in PoolShape shape, T* x, byte* index, T* y) where T : unmanaged
    {
        var job = new SelectJob<T> { Shape = shape, X = x, Index = index, Y = y, Lot = Lot(shape) };
        Workers.For((shape.Planes + job.Lot - 1) / job.Lot, ref job);
    }

    private static int Lot(in PoolShape shape) => Math.Max(1, LotElements / Math.Max(1, shape.Height * shape.Width));

    private struct MaxJob<T> : IChunkJob where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public PoolShape Shape;
        public T* X;
        public T* Y;
        public byte* Index;
        public int Lot;

        public readonly void Run(int chunk)
        {
            for (var plane = chunk * Lot; plane < Math.Min(Shape.Planes, (chunk + 1) * Lot); plane++) Plane(plane);
        }

        private readonly void Plane(int plane)
        {
            var s = Shape;
            var x = X + (nint)plane * s.Height * s.Width;
            var y = Y + (nint)plane * s.OutHeight * s.OutWidth;
            var index = Index + (nint)plane * s.OutHeight * s.OutWidth;
            if (s is { KernelHeight: 2, KernelWidth: 2, StrideHeight: 2, StrideWidth: 2, PadHeight: 0, PadWidth: 0 } && 2 * s.OutHeight <= s.Height && 2 * s.OutWidth <= s.Width)
            {
                for (var i = 0; i < s.OutHeight; i++)
                {
                    if (typeof(T) == typeof(float) && Avx2.IsSupported)
                    {
                        Row((float*)x + (nint)2 * i * s.Width, s.Width, (float*)y, index, s.OutWidth, HasRoom(s, i));
                        y += s.OutWidth;
                        index += s.OutWidth;
                        continue;
                    }
                    for (var j = 0; j < s.OutWidth; j++, y++, index++)
                    {
                        var top = x + (nint)2 * i * s.Width + 2 * j;
                        var bottom = top + s.Width;
                        var (best, at) = (top[0], 0);
                        if (!(top[1] <= best) && !T.IsNaN(best)) (best, at) = (top[1], 1);
                        if (!(bottom[0] <= best) && !T.IsNaN(best)) (best, at) = (bottom[0], 2);
                        if (!(bottom[1] <= best) && !T.IsNaN(best)) (best, at) = (bottom[1], 3);
                        (*y, *index) = (best, (byte)at);
                    }
                }
                return;
            }
            for (var i = 0; i < s.OutHeight; i++)
                for (var j = 0; j < s.OutWidth; j++, y++, index++)
                {
                    var (best, at, isFirst) = (T.NegativeInfinity, 0, true);
                    for (var ky = 0; ky < s.KernelHeight; ky++)
                    {
                        var row = i * s.StrideHeight + ky - s.PadHeight;
                        if ((uint)row >= (uint)s.Height) continue;
                        for (var kx = 0; kx < s.KernelWidth; kx++)
                        {
                            var column = j * s.StrideWidth + kx - s.PadWidth;
                            if ((uint)column >= (uint)s.Width) continue;
                            var value = x[(nint)row * s.Width + column];
                            if (!isFirst && (value <= best || T.IsNaN(best))) continue;
                            (best, at, isFirst) = (value, ky * s.KernelWidth + kx, false);
                        }
                    }
                    (*y, *index) = (best, (byte)at);
                }
        }
    }

    // Whether eight windows from the row's first on lie within the plane, on both sides: what they spoil beyond a short row is written afterwards.
    private static bool HasRoom(in PoolShape s, int row) => row * s.OutWidth + 8 <= s.OutHeight * s.OutWidth && (2 * row + 1) * s.Width + 16 <= s.Height * s.Width;

    // Eights, the last one back over the end of the one before; a row shorter than that over the beginning of the next, or through a buffer.
    private static void Row(float* top, nint width, float* y, byte* index, int count, bool hasRoom)
    {
        if (count < 8 && hasRoom)
        {
            Eight(top, width, y, index);
            return;
        }
        if (count < 8)
        {
            Span<float> rows = stackalloc float[32], results = stackalloc float[8];
            Span<byte> places = stackalloc byte[8];
            new Span<float>(top, 2 * count).CopyTo(rows);
            new Span<float>(top + width, 2 * count).CopyTo(rows[16..]);
            fixed (float* from = rows, to = results)
            fixed (byte* at = places) Eight(from, 16, to, at);
            results[..count].CopyTo(new Span<float>(y, count));
            places[..count].CopyTo(new Span<byte>(index, count));
            return;
        }
        for (var first = 0; first < count; first += 8)
        {
            var at = Math.Min(first, count - 8);
            Eight(top + 2 * at, width, y + at, index + at);
        }
    }

    private static void RowBack(float* g, byte* index, float* top, nint width, int count, bool hasRoom)
    {
        if (count < 8 && hasRoom)
        {
            EightBack(g, index, top, width);
            return;
        }
        if (count < 8)
        {
            Span<float> rows = stackalloc float[32], slopes = stackalloc float[8];
            Span<byte> places = stackalloc byte[8];
            new Span<float>(g, count).CopyTo(slopes);
            new Span<byte>(index, count).CopyTo(places);
            fixed (float* to = rows, from = slopes)
            fixed (byte* at = places) EightBack(from, at, to, 16);
            rows[..(2 * count)].CopyTo(new Span<float>(top, 2 * count));
            rows.Slice(16, 2 * count).CopyTo(new Span<float>(top + width, 2 * count));
            return;
        }
        for (var first = 0; first < count; first += 8)
        {
            var at = Math.Min(first, count - 8);
            EightBack(g + at, index + at, top + 2 * at, width);
        }
    }

    // Eight windows of 2 × 2 side by side.
    private static void Eight(float* top, nint width, float* y, byte* index)
    {
        Split(top, out var best, out var second);
        Split(top + width, out var third, out var fourth);
        var at = Vector256<int>.Zero;
        Better(ref best, ref at, second, 1);
        Better(ref best, ref at, third, 2);
        Better(ref best, ref at, fourth, 3);
        best.Store(y);
        var halves = Vector128.Narrow(at.GetLower(), at.GetUpper());
        *(ulong*)index = Vector128.Narrow(halves, halves).AsUInt64().ToScalar();

        static void Split(float* from, out Vector256<float> even, out Vector256<float> odd)
        {
            var (a, b) = (Vector256.Load(from), Vector256.Load(from + 8));
            even = Avx2.Permute4x64(Avx.Shuffle(a, b, 0x88).AsDouble(), 0xD8).AsSingle();
            odd = Avx2.Permute4x64(Avx.Shuffle(a, b, 0xDD).AsDouble(), 0xD8).AsSingle();
        }

        // Larger, or the first NaN: not (x ≤ best), and best is a number.
        static void Better(ref Vector256<float> best, ref Vector256<int> at, Vector256<float> x, int number)
        {
            var better = Vector256.AndNot(Vector256.Equals(best, best), Vector256.LessThanOrEqual(x, best));
            best = Vector256.ConditionalSelect(better, x, best);
            at = Vector256.ConditionalSelect(better.AsInt32(), Vector256.Create(number), at);
        }
    }

    // Each of eight gradients to one of its window's four places, 0 to the others.
    private static void EightBack(float* g, byte* index, float* top, nint width)
    {
        var slope = Vector256.Load(g);
        var at = Avx2.ConvertToVector256Int32(Vector128.CreateScalarUnsafe(*(ulong*)index).AsByte());
        Join(Vector256.Equals(at, Vector256<int>.Zero), Vector256.Equals(at, Vector256.Create(1)), slope, top);
        Join(Vector256.Equals(at, Vector256.Create(2)), Vector256.Equals(at, Vector256.Create(3)), slope, top + width);

        static void Join(Vector256<int> even, Vector256<int> odd, Vector256<float> slope, float* to)
        {
            var (a, b) = (even.AsSingle() & slope, odd.AsSingle() & slope);
            var (low, high) = (Avx.UnpackLow(a, b), Avx.UnpackHigh(a, b));
            Avx.Permute2x128(low, high, 0x20).Store(to);
            Avx.Permute2x128(low, high, 0x31).Store(to + 8);
        }
    }

    private struct MaxGradientJob<T> : IChunkJob where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public PoolShape Shape;
        public T* G;
        public byte* Index;
        public T* X;
        public int Lot;

        public readonly void Run(int chunk)
        {
            for (var plane = chunk * Lot; plane < Math.Min(Shape.Planes, (chunk + 1) * Lot); plane++) Plane(plane);
        }

        private readonly void Plane(int plane)
        {
            var s = Shape;
            var x = X + (nint)plane * s.Height * s.Width;
            new Span<T>(x, s.Height * s.Width).Clear();
            var g = G + (nint)plane * s.OutHeight * s.OutWidth;
            var index = Index + (nint)plane * s.OutHeight * s.OutWidth;
            var isPlain = typeof(T) == typeof(float) && Avx2.IsSupported && s is { KernelHeight: 2, KernelWidth: 2, StrideHeight: 2, StrideWidth: 2, PadHeight: 0, PadWidth: 0 } && 2 * s.OutHeight <= s.Height && 2 * s.OutWidth <= s.Width;
            for (var i = 0; i < s.OutHeight; i++)
            {
                if (isPlain)
                {
                    RowBack((float*)g, index, (float*)x + (nint)2 * i * s.Width, s.Width, s.OutWidth, s.Height == 2 * s.OutHeight && s.Width == 2 * s.OutWidth && HasRoom(s, i));
                    g += s.OutWidth;
                    index += s.OutWidth;
                    continue;
                }
                for (var j = 0; j < s.OutWidth; j++, g++, index++)
                {
                    var (row, column) = (i * s.StrideHeight + *index / s.KernelWidth - s.PadHeight, j * s.StrideWidth + *index % s.KernelWidth - s.PadWidth);
                    if ((uint)row < (uint)s.Height && (uint)column < (uint)s.Width)
                        x[(nint)row * s.Width + column] += *g;
                }
            }
        }
    }

    private struct SelectJob<T> : IChunkJob where T : unmanaged
    {
        public PoolShape Shape;
        public T* X;
        public byte* Index;
        public T* Y;
        public int Lot;

        public readonly void Run(int chunk)
        {
            for (var plane = chunk * Lot; plane < Math.Min(Shape.Planes, (chunk + 1) * Lot); plane++) Plane(plane);
        }

        private readonly void Plane(int plane)
        {
            var s = Shape;
            var x = X + (nint)plane * s.Height * s.Width;
            var y = Y + (nint)plane * s.OutHeight * s.OutWidth;
            var index = Index + (nint)plane * s.OutHeight * s.OutWidth;
            for (var i = 0; i < s.OutHeight; i++)
                for (var j = 0; j < s.OutWidth; j++, y++, index++)
                {
                    var row = i * s.StrideHeight + *index / s.KernelWidth - s.PadHeight;
                    var column = j * s.StrideWidth + *index % s.KernelWidth - s.PadWidth;
                    // As on the way back: a number that names no element of the plane picks nothing.
                    *y = (uint)row < (uint)s.Height && (uint)column < (uint)s.Width
                        ? x[(nint)row * s.Width + column]
                        : default;
                }
        }
    }
}
