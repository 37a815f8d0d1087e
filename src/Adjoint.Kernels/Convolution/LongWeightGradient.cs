using System.Numerics;
using System.Runtime.InteropServices;

namespace Adjoint.Kernels;

/// <summary>
/// ∂L/∂w of many samples, or of long images, part by part: the kernels add all positions of their samples one after
/// another, which in float32 stops at 2²⁴ equal terms. Parts are cut where the sizes alone decide, and their sums added
/// in order.
/// </summary>
internal static unsafe class LongWeightGradient
{
    private const int MostTerms = 1 << 18;

    internal static bool Covers(in ConvShape shape) =>
        (long)shape.Samples * shape.OutHeight * shape.OutWidth > MostTerms;

    internal static void Run<T>(in ConvShape shape, T* x, T* g, T* dw)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var length = (nint)shape.Filters * shape.Taps;
        new Span<T>(dw, (int)length).Clear();
        if (length == 0) return;
        var sums = (T*)NativeMemory.AlignedAlloc((nuint)(length * sizeof(T)), 64);
        try
        {
            if (shape.Positions <= MostTerms) Samples(shape, x, g, dw, sums, length);
            else
                for (var sample = 0; sample < shape.Samples; sample++)
                    Image(shape with { Samples = 1 }, x + sample * Inputs(shape), g + sample * Slopes(shape), dw,
                        sums, length);
        }
        finally
        {
            NativeMemory.AlignedFree(sums);
        }
    }

    private static nint Inputs(in ConvShape shape) => (nint)shape.Channels * shape.Height * shape.Width;

    private static nint Slopes(in ConvShape shape) => (nint)shape.Filters * shape.Positions;

    private static void Samples<T>(in ConvShape shape, T* x, T* g, T* dw, T* sums, nint length)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var most = MostTerms / shape.Positions;
        for (var first = 0; first < shape.Samples; first += most)
        {
            var part = shape with { Samples = Math.Min(most, shape.Samples - first) };
            Convolution.ShortWeightGradient(part, x + first * Inputs(shape), g + first * Slopes(shape), sums);
            PartialSums.AddTo(dw, sums, length, 1);
        }
    }

    // Rectangles of outputs, each with the inputs that its windows cover.
    private static void Image<T>(in ConvShape shape, T* x, T* g, T* dw, T* sums, nint length)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var width = Math.Min(shape.OutWidth, MostTerms);
        var height = MostTerms / width;
        for (var row = 0; row < shape.OutHeight; row += height)
            for (var column = 0; column < shape.OutWidth; column += width)
            {
                var rows = Math.Min(height, shape.OutHeight - row);
                var columns = Math.Min(width, shape.OutWidth - column);
                var part = shape with
                {
                    Height = (rows - 1) * shape.StrideHeight + shape.DilationHeight * (shape.KernelHeight - 1) + 1,
                    Width = (columns - 1) * shape.StrideWidth + shape.DilationWidth * (shape.KernelWidth - 1) + 1,
                    PadHeight = 0,
                    PadWidth = 0,
                };
                var copies = (T*)NativeMemory.AlignedAlloc((nuint)((Inputs(part) + Slopes(part)) * sizeof(T)), 64);
                try
                {
                    var (top, left) = (row * shape.StrideHeight - shape.PadHeight,
                        column * shape.StrideWidth - shape.PadWidth);
                    Cut(x, shape.Channels, shape.Height, shape.Width, top, left, part.Height, part.Width, copies);
                    Cut(g, shape.Filters, shape.OutHeight, shape.OutWidth, row, column, rows, columns,
                        copies + Inputs(part));
                    Convolution.ShortWeightGradient(part, copies, copies + Inputs(part), sums);
                }
                finally
                {
                    NativeMemory.AlignedFree(copies);
                }
                PartialSums.AddTo(dw, sums, length, 1);
            }
    }

    // A rectangle of each plane, with zeros where it reaches beyond.
    private static void Cut<T>(
        T* from, int planes, int height, int width, int top, int left, int rows, int columns, T* to) where T : unmanaged
    {
        var (first, last) = (Math.Max(0, -left), Math.Min(columns, width - left));
        for (nint plane = 0; plane < planes; plane++)
            for (var i = 0; i < rows; i++, to += columns)
            {
                var row = top + i;
                var target = new Span<T>(to, columns);
                if (row < 0 || row >= height || last <= first)
                {
                    target.Clear();
                    continue;
                }
                target[..first].Clear();
                new Span<T>(from + (plane * height + row) * width + left + first, last - first).CopyTo(target[first..]);
                target[last..].Clear();
            }
    }
}
