using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Adjoint.Kernels;

/// <summary>
/// Weight gradient of many samples, or of large images, as split-K: the reduction over N·OutHeight·OutWidth is cut into
/// blocks, by the sizes alone, and their sums are added in order; each block takes the first of the other algorithms
/// that suits it. Those add all positions of their samples one after another, which in float32 stops growing at 2²⁴
/// equal terms.
/// </summary>
internal sealed unsafe class SplitKWeightGradient<T>() : ConvAlgorithm<T>("split-k")
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int MaxTerms = 1 << 18;

    internal override bool Supports(in ConvShape shape) =>
        (long)shape.Samples * shape.OutHeight * shape.OutWidth > MaxTerms;

    internal override bool IsPreferred(in ConvShape shape) => true;

    internal override nint ScratchBytes(in ConvShape shape)
    {
        // The largest block is the first.
        var block = shape.Positions <= MaxTerms
            ? shape with { Samples = Math.Min(shape.Samples, MaxTerms / shape.Positions) }
            : Block(shape, BlockSize(shape));
        return Algorithm(block).ScratchBytes(block);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal override void Run(in ConvShape shape, T* input, T* other, T* bias, T* output)
    {
        var length = (nint)shape.Filters * shape.Taps;
        new Span<T>(output, (int)length).Clear();
        if (length == 0) return;
        // Not scratch memory: all of its slots may be in use by the algorithm of a block.
        var sums = (T*)NativeMemory.AlignedAlloc((nuint)(length * sizeof(T)), 64);
        try
        {
            if (shape.Positions <= MaxTerms) SplitSamples(shape, input, other, output, sums, length);
            else
                for (var sample = 0; sample < shape.Samples; sample++)
                    SplitImage(
                        shape with { Samples = 1 }, input + sample * InputLength(shape),
                        other + sample * GradientLength(shape), output, sums, length);
        }
        finally
        {
            NativeMemory.AlignedFree(sums);
        }
    }

    private static nint InputLength(in ConvShape shape) => (nint)shape.Channels * shape.Height * shape.Width;

    private static nint GradientLength(in ConvShape shape) => (nint)shape.Filters * shape.Positions;

    private static ConvAlgorithm<T> Algorithm(in ConvShape block) =>
        ConvAlgorithms<T>.First(ConvAlgorithms<T>.For(ConvDirection.WeightGradient)[1..], block);

    private static (int Rows, int Columns) BlockSize(in ConvShape shape)
    {
        var columns = Math.Min(shape.OutWidth, MaxTerms);
        return (MaxTerms / columns, columns);
    }

    // A rectangle of outputs with the inputs that its windows cover, padding among them.
    private static ConvShape Block(in ConvShape shape, (int Rows, int Columns) outputs) => shape with
    {
        Samples = 1,
        Height = (outputs.Rows - 1) * shape.StrideHeight + shape.DilationHeight * (shape.KernelHeight - 1) + 1,
        Width = (outputs.Columns - 1) * shape.StrideWidth + shape.DilationWidth * (shape.KernelWidth - 1) + 1,
        PadHeight = 0,
        PadWidth = 0,
    };

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SplitSamples(in ConvShape shape, T* x, T* g, T* dw, T* sums, nint length)
    {
        var samples = MaxTerms / shape.Positions;
        for (var first = 0; first < shape.Samples; first += samples)
        {
            var block = shape with { Samples = Math.Min(samples, shape.Samples - first) };
            Algorithm(block).Run(
                block, x + first * InputLength(shape), g + first * GradientLength(shape), null, sums);
            PartialSums.AddTo(dw, sums, length, 1);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SplitImage(in ConvShape shape, T* x, T* g, T* dw, T* sums, nint length)
    {
        var (height, width) = BlockSize(shape);
        for (var row = 0; row < shape.OutHeight; row += height)
            for (var column = 0; column < shape.OutWidth; column += width)
            {
                var rows = Math.Min(height, shape.OutHeight - row);
                var columns = Math.Min(width, shape.OutWidth - column);
                var block = Block(shape, (rows, columns));
                var bytes = (nuint)((InputLength(block) + GradientLength(block)) * sizeof(T));
                var inputs = (T*)NativeMemory.AlignedAlloc(bytes, 64);
                try
                {
                    var top = row * shape.StrideHeight - shape.PadHeight;
                    var left = column * shape.StrideWidth - shape.PadWidth;
                    var gradients = inputs + InputLength(block);
                    Crop(
                        x, shape.Channels, shape.Height, shape.Width, top, left, block.Height, block.Width, inputs);
                    Crop(
                        g, shape.Filters, shape.OutHeight, shape.OutWidth, row, column, rows, columns, gradients);
                    Algorithm(block).Run(block, inputs, gradients, null, sums);
                }
                finally
                {
                    NativeMemory.AlignedFree(inputs);
                }
                PartialSums.AddTo(dw, sums, length, 1);
            }
    }

    // A rectangle of each plane, with zeros where it reaches beyond.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Crop(
        T* from, int planes, int height, int width, int top, int left, int rows, int columns, T* to)
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
