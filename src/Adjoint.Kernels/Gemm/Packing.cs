using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Adjoint.Kernels;

/// <summary>
/// Packing of panels (Goto and van de Geijn 2008): a matrix operand is laid out in the order in which the micro-kernel
/// reads it, [k][width], width being MR or NR. What is transposed on the way goes through registers, 8 × 8 at a time.
/// </summary>
internal static unsafe class Packing
{
    private const int Block = 16;

    /// <summary>
    /// to[k·width + i] = element i of step k, for i &lt; count; 0 for the rest of the width.
    /// </summary>
    /// <param name="from">Element 0 of step 0.</param>
    /// <param name="leading">
    /// Elements from step to step, or from element to element where <paramref name="stepsAreDense"/>.
    /// </param>
    /// <param name="stepsAreDense">Whether the steps of an element are contiguous, else the elements of a step.</param>
    /// <param name="count">Elements of a step.</param>
    /// <param name="width">Elements of a step of the panel.</param>
    /// <param name="steps">How many steps.</param>
    /// <param name="to">The panel.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Panel<T>(T* from, nint leading, bool stepsAreDense, int count, int width, int steps, T* to)
        where T : unmanaged
    {
        if (count < width) new Span<T>(to, width * steps).Clear();
        if (stepsAreDense)
        {
            if (typeof(T) == typeof(float) && Avx2.IsSupported && width < 8 && steps > 8)
                TransposeNarrow((float*)from, leading, count, steps, (float*)to, width);
            else Transpose(from, leading, count, steps, to, width);
            return;
        }
        var bytes = count * sizeof(T);
        byte* source = (byte*)from, target = (byte*)to;
        var stride = leading * sizeof(T);
        if (count == width && bytes == 2 * sizeof(Vector512<byte>))
            Copy<Vector512<byte>>(source, stride, target, steps, 2);
        else if (count == width && bytes == 2 * sizeof(Vector256<byte>))
            Copy<Vector256<byte>>(source, stride, target, steps, 2);
        else if (count == width && bytes % sizeof(Vector128<byte>) == 0)
            Copy<Vector128<byte>>(source, stride, target, steps, bytes / sizeof(Vector128<byte>));
        else
            for (nint k = 0; k < steps; k++)
                Unsafe.CopyBlockUnaligned(to + k * width, from + k * leading, (uint)bytes);
    }

    /// <summary>
    /// to[j·width + i] = from[i·leading + j]. The last blocks of 8 × 8 go back over the ends of those before.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Transpose<T>(T* from, nint leading, int rows, int columns, T* to, nint width)
        where T : unmanaged
    {
        if (typeof(T) == typeof(float) && Avx2.IsSupported)
        {
            // A line of the source at a time, down all rows: so the target is written straight on.
            for (var line = 0; line < columns; line += Block)
                for (var row = 0; row < rows; row += 8)
                    for (var column = line; column < Math.Min(columns, line + Block); column += 8)
                    {
                        var (i, j) = ((nint)Math.Clamp(rows - 8, 0, row), (nint)Math.Clamp(columns - 8, 0, column));
                        float* source = (float*)from + i * leading + j, target = (float*)to + j * width + i;
                        if (rows >= 8 && columns >= 8) Transpose8x8(source, leading, target, width);
                        else
                            TransposePartial(
                                source, leading, Math.Min(rows, 8), Math.Min(columns, 8), target, width);
                    }
            return;
        }
        // In blocks, so that neither side strides through more lines than the cache holds.
        for (nint block = 0; block < columns; block += Block)
            for (nint i = 0; i < rows; i++)
                for (var j = block; j < Math.Min(columns, block + Block); j++)
                    to[j * width + i] = from[i * leading + j];
    }

    /// <summary>to[k·width + i] = element k of source i, for up to eight sources.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Transpose<T>(T** sources, int count, int steps, T* to, nint width) where T : unmanaged
    {
        var k = 0;
        if (typeof(T) == typeof(float) && Avx.IsSupported && count == 8)
            for (; steps >= 8 && k < steps; k += 8)
            {
                // The last block goes back over the end of the one before.
                k = Math.Min(k, steps - 8);
                Transpose8x8(
                    Load(sources, 0, k), Load(sources, 1, k), Load(sources, 2, k), Load(sources, 3, k),
                    Load(sources, 4, k), Load(sources, 5, k), Load(sources, 6, k), Load(sources, 7, k),
                    (float*)to + k * width, width);
            }
        for (; k < steps; k++)
            for (var i = 0; i < count; i++) to[k * width + i] = sources[i][k];
    }

    // A panel of fewer than 8 rows and more than 8 columns. Missing rows are zeros; the eight lanes of a step reach
    // into the next one of the panel, which is written after it. The last block stays within the panel.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransposeNarrow(float* from, nint leading, int rows, int columns, float* to, int width)
    {
        for (var j = 0; j < columns - 8; j += 8, from += 8)
            Transpose8x8(Row(0), Row(1), Row(2), Row(3), Row(4), Row(5), Row(6), Row(7), to + j * width, width);
        var last = (columns - 1) / 8 * 8;
        TransposePartial(from, leading, rows, columns - last, to + last * width, width);

        Vector256<float> Row(int i) => i < rows ? Vector256.Load(from + i * leading) : default;
    }

    // Up to 8 × 8; nothing beyond is read or written.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransposePartial(float* from, nint leading, int rows, int columns, float* to, nint width)
    {
        var (isColumn, isRow) = (First(columns), First(rows));
        var transposed = stackalloc float[64];
        Transpose8x8(Row(0), Row(1), Row(2), Row(3), Row(4), Row(5), Row(6), Row(7), transposed, 8);
        for (var j = 0; j < columns; j++) Avx.MaskStore(to + j * width, isRow, Vector256.Load(transposed + 8 * j));

        static Vector256<float> First(int count) =>
            Vector256.LessThan(Vector256<int>.Indices, Vector256.Create(count)).AsSingle();

        Vector256<float> Row(int i) => i < rows ? Avx.MaskLoad(from + i * leading, isColumn) : default;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Load<T>(T** sources, int source, nint at) where T : unmanaged =>
        Vector256.Load((float*)sources[source] + at);

    /// <summary>Copies a short row; a call of memcpy would cost more.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void CopyRow<T>(T* from, T* to, int count) where T : unmanaged
    {
        var width = sizeof(Vector256<byte>) / sizeof(T);
        if (count < width)
        {
            for (var i = 0; i < count; i++) to[i] = from[i];
            return;
        }
        // The last vector goes back over the end of the one before.
        for (var i = 0; i < count; i += width)
        {
            var at = Math.Min(i, count - width);
            Unsafe.WriteUnaligned(to + at, Unsafe.ReadUnaligned<Vector256<byte>>(from + at));
        }
    }

    // A call of memcpy for every step would cost more than the copy.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Copy<TVector>(byte* from, nint leading, byte* to, int steps, int vectors)
        where TVector : unmanaged
    {
        for (; steps > 0; steps--, from += leading)
            for (var i = 0; i < vectors; i++, to += sizeof(TVector))
                Unsafe.WriteUnaligned(to, Unsafe.ReadUnaligned<TVector>(from + i * sizeof(TVector)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose8x8(float* from, nint leading, float* to, nint width) => Transpose8x8(
        Vector256.Load(from), Vector256.Load(from + leading), Vector256.Load(from + 2 * leading),
        Vector256.Load(from + 3 * leading), Vector256.Load(from + 4 * leading), Vector256.Load(from + 5 * leading),
        Vector256.Load(from + 6 * leading), Vector256.Load(from + 7 * leading), to, width);

    // Pairs of rows are interleaved, then fours, within halves of 128 bits; then the halves change places. Statement
    // by statement: deconstructed tuples would leave the registers.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose8x8(
        Vector256<float> r0, Vector256<float> r1, Vector256<float> r2, Vector256<float> r3, Vector256<float> r4,
        Vector256<float> r5, Vector256<float> r6, Vector256<float> r7, float* to, nint width)
    {
        var a0 = Avx.UnpackLow(r0, r1);
        var a1 = Avx.UnpackHigh(r0, r1);
        var a2 = Avx.UnpackLow(r2, r3);
        var a3 = Avx.UnpackHigh(r2, r3);
        var a4 = Avx.UnpackLow(r4, r5);
        var a5 = Avx.UnpackHigh(r4, r5);
        var a6 = Avx.UnpackLow(r6, r7);
        var a7 = Avx.UnpackHigh(r6, r7);
        var b0 = Avx.Shuffle(a0, a2, 0x44);
        var b1 = Avx.Shuffle(a0, a2, 0xEE);
        var b2 = Avx.Shuffle(a1, a3, 0x44);
        var b3 = Avx.Shuffle(a1, a3, 0xEE);
        var b4 = Avx.Shuffle(a4, a6, 0x44);
        var b5 = Avx.Shuffle(a4, a6, 0xEE);
        var b6 = Avx.Shuffle(a5, a7, 0x44);
        var b7 = Avx.Shuffle(a5, a7, 0xEE);
        Avx.Permute2x128(b0, b4, 0x20).Store(to);
        Avx.Permute2x128(b1, b5, 0x20).Store(to + width);
        Avx.Permute2x128(b2, b6, 0x20).Store(to + 2 * width);
        Avx.Permute2x128(b3, b7, 0x20).Store(to + 3 * width);
        Avx.Permute2x128(b0, b4, 0x31).Store(to + 4 * width);
        Avx.Permute2x128(b1, b5, 0x31).Store(to + 5 * width);
        Avx.Permute2x128(b2, b6, 0x31).Store(to + 6 * width);
        Avx.Permute2x128(b3, b7, 0x31).Store(to + 7 * width);
    }
}
