using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Adjoint.Kernels;

/// <summary>
/// Max pooling of 2 × 2 windows side by side in single precision, eight windows at a time: a vector of AVX2 holds one
/// element of each window. Shuffles deinterleave two vectors of a row into its even and odd columns.
/// </summary>
internal static unsafe class MaxPool2x2
{
    private const int Lanes = 8;

    /// <summary>The largest of each window of a plane, and its number: 0 and 1 on top, 2 and 3 below.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Plane(in PoolShape s, float* x, float* y, byte* index)
    {
        for (var i = 0; i < s.OutHeight; i++, y += s.OutWidth, index += s.OutWidth)
            Row(x + (nint)2 * i * s.Width, s.Width, y, index, s.OutWidth, HasRoom(s, i));
    }

    /// <summary>Each gradient of a plane to one element of its window, 0 to the others.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void GradientPlane(in PoolShape s, float* g, byte* index, float* dx)
    {
        var isCovered = s.Height == 2 * s.OutHeight && s.Width == 2 * s.OutWidth;
        for (var i = 0; i < s.OutHeight; i++, g += s.OutWidth, index += s.OutWidth)
            GradientRow(g, index, dx + (nint)2 * i * s.Width, s.Width, s.OutWidth, isCovered && HasRoom(s, i));
    }

    // Whether eight windows from the row's first on lie within the plane, on both sides: what they spoil beyond a short
    // row is written afterwards.
    private static bool HasRoom(in PoolShape s, int row) =>
        row * s.OutWidth + Lanes <= s.OutHeight * s.OutWidth
        && (2 * row + 1) * s.Width + 2 * Lanes <= s.Height * s.Width;

    // Eight windows at a time, the last ones back over the end of those before; a row shorter than that over the
    // beginning of the next, or through a buffer.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Row(float* top, nint width, float* y, byte* index, int count, bool hasRoom)
    {
        if (count < Lanes && hasRoom)
        {
            Windows(top, width, y, index);
            return;
        }
        if (count < Lanes)
        {
            Span<float> rows = stackalloc float[4 * Lanes], results = stackalloc float[Lanes];
            Span<byte> numbers = stackalloc byte[Lanes];
            new Span<float>(top, 2 * count).CopyTo(rows);
            new Span<float>(top + width, 2 * count).CopyTo(rows[(2 * Lanes)..]);
            fixed (float* from = rows, to = results)
            fixed (byte* at = numbers) Windows(from, 2 * Lanes, to, at);
            results[..count].CopyTo(new Span<float>(y, count));
            numbers[..count].CopyTo(new Span<byte>(index, count));
            return;
        }
        for (var first = 0; first < count; first += Lanes)
        {
            var at = Math.Min(first, count - Lanes);
            Windows(top + 2 * at, width, y + at, index + at);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void GradientRow(float* g, byte* index, float* top, nint width, int count, bool hasRoom)
    {
        if (count < Lanes && hasRoom)
        {
            GradientWindows(g, index, top, width);
            return;
        }
        if (count < Lanes)
        {
            Span<float> rows = stackalloc float[4 * Lanes], gradients = stackalloc float[Lanes];
            Span<byte> numbers = stackalloc byte[Lanes];
            new Span<float>(g, count).CopyTo(gradients);
            new Span<byte>(index, count).CopyTo(numbers);
            fixed (float* to = rows, from = gradients)
            fixed (byte* at = numbers) GradientWindows(from, at, to, 2 * Lanes);
            rows[..(2 * count)].CopyTo(new Span<float>(top, 2 * count));
            rows.Slice(2 * Lanes, 2 * count).CopyTo(new Span<float>(top + width, 2 * count));
            return;
        }
        for (var first = 0; first < count; first += Lanes)
        {
            var at = Math.Min(first, count - Lanes);
            GradientWindows(g + at, index + at, top + 2 * at, width);
        }
    }

    private static void Windows(float* top, nint width, float* y, byte* index)
    {
        Deinterleave(top, out var best, out var second);
        Deinterleave(top + width, out var third, out var fourth);
        var number = Vector256<int>.Zero;
        TakeLarger(ref best, ref number, second, 1);
        TakeLarger(ref best, ref number, third, 2);
        TakeLarger(ref best, ref number, fourth, 3);
        best.Store(y);
        var halves = Vector128.Narrow(number.GetLower(), number.GetUpper());
        *(ulong*)index = Vector128.Narrow(halves, halves).AsUInt64().ToScalar();

        static void Deinterleave(float* from, out Vector256<float> even, out Vector256<float> odd)
        {
            // Shuffles work within halves of 128 bits; the permutation brings the quarters into order.
            var (a, b) = (Vector256.Load(from), Vector256.Load(from + Lanes));
            even = Avx2.Permute4x64(Avx.Shuffle(a, b, 0x88).AsDouble(), 0xD8).AsSingle();
            odd = Avx2.Permute4x64(Avx.Shuffle(a, b, 0xDD).AsDouble(), 0xD8).AsSingle();
        }

        // Larger, or the first NaN: not (x ≤ best), and best is a number.
        static void TakeLarger(ref Vector256<float> best, ref Vector256<int> number, Vector256<float> x, int own)
        {
            var isLarger = Vector256.AndNot(Vector256.Equals(best, best), Vector256.LessThanOrEqual(x, best));
            best = Vector256.ConditionalSelect(isLarger, x, best);
            number = Vector256.ConditionalSelect(isLarger.AsInt32(), Vector256.Create(own), number);
        }
    }

    private static void GradientWindows(float* g, byte* index, float* top, nint width)
    {
        var gradient = Vector256.Load(g);
        var at = Avx2.ConvertToVector256Int32(Vector128.CreateScalarUnsafe(*(ulong*)index).AsByte());
        Interleave(
            Vector256.Equals(at, Vector256<int>.Zero), Vector256.Equals(at, Vector256.Create(1)), gradient, top);
        Interleave(
            Vector256.Equals(at, Vector256.Create(2)), Vector256.Equals(at, Vector256.Create(3)), gradient,
            top + width);

        static void Interleave(Vector256<int> even, Vector256<int> odd, Vector256<float> gradient, float* to)
        {
            var (a, b) = (even.AsSingle() & gradient, odd.AsSingle() & gradient);
            var (low, high) = (Avx.UnpackLow(a, b), Avx.UnpackHigh(a, b));
            Avx.Permute2x128(low, high, 0x20).Store(to);
            Avx.Permute2x128(low, high, 0x31).Store(to + Lanes);
        }
    }
}
