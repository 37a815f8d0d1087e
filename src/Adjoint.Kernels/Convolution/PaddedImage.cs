using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// One sample and group of an input with its zero padding, as layout (C, stride residue, rows, columns): columns are
/// sorted by their remainder modulo the horizontal stride, so that the inputs of neighboring outputs are neighbors in
/// memory for every stride, and no tap needs a bounds check. Tap t of output (i, j) is at
/// <see cref="TapOffsets"/>[t] + i · <see cref="RowStep"/> + j. It takes the place of an im2col matrix, which would be
/// R·S times as large.
/// </summary>
internal readonly unsafe struct PaddedImage
{
    private readonly int channels, height, width, padHeight, padWidth, kernelHeight, kernelWidth;
    private readonly int strideHeight, strideWidth, dilationHeight, dilationWidth;

    // Distance of neighboring inputs: above 1, zeros lie between (the gradient of a strided convolution).
    private readonly int inputDilationHeight, inputDilationWidth;

    // Of each channel and residue, padding included.
    private readonly int rows, columns;

    private PaddedImage(
        in ConvShape shape, int channels, (int Height, int Width) size, (int Height, int Width) pad,
        (int Height, int Width) stride, (int Height, int Width) inputDilation, (int Height, int Width) output)
    {
        this.channels = channels;
        (height, width) = size;
        (padHeight, padWidth) = pad;
        (strideHeight, strideWidth) = stride;
        (inputDilationHeight, inputDilationWidth) = inputDilation;
        (dilationHeight, dilationWidth) = (shape.DilationHeight, shape.DilationWidth);
        (kernelHeight, kernelWidth) = (shape.KernelHeight, shape.KernelWidth);
        rows = (output.Height - 1) * strideHeight + dilationHeight * (kernelHeight - 1) + 1;
        columns = output.Width + dilationWidth * (kernelWidth - 1) / strideWidth;
        // Addresses within an image are worked out unchecked.
        var elements = (double)channels * strideWidth * rows * columns;
        if (elements > ScratchLimitException.Limit) throw new ScratchLimitException(elements * sizeof(float));
    }

    /// <summary>
    /// Elements of one sample, with room behind it for a vector that reads too far, in a row or beyond the last.
    /// </summary>
    internal nint Length => (nint)channels * strideWidth * rows * columns + RowStep + 64;

    /// <summary>From one output row to the next.</summary>
    internal nint RowStep => (nint)strideHeight * columns;

    /// <summary>The input x of a convolution, or of its weight gradient.</summary>
    internal static PaddedImage OfInput(in ConvShape shape) => new(
        shape, shape.GroupChannels, (shape.Height, shape.Width), (shape.PadHeight, shape.PadWidth),
        (shape.StrideHeight, shape.StrideWidth), (1, 1), (shape.OutHeight, shape.OutWidth));

    /// <summary>g = ∂L/∂y as the data gradient reads it: dilated by the stride, with a full halo.</summary>
    internal static PaddedImage OfGradient(in ConvShape shape) => new(
        shape, shape.GroupFilters, (shape.OutHeight, shape.OutWidth),
        (shape.DilationHeight * (shape.KernelHeight - 1) - shape.PadHeight,
            shape.DilationWidth * (shape.KernelWidth - 1) - shape.PadWidth),
        (1, 1), (shape.StrideHeight, shape.StrideWidth), (shape.Height, shape.Width));

    /// <summary>
    /// Where each tap (c, r, s), numbered row-major, of output (0, 0) lies; then 0 up to a multiple of so many.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal nint[] TapOffsets(int multiple = 1)
    {
        var taps = channels * kernelHeight * kernelWidth;
        var offsets = new nint[(taps + multiple - 1) / multiple * multiple];
        for (var tap = 0; tap < taps; tap++) offsets[tap] = TapOffset(tap);
        return offsets;
    }

    /// <summary>Where tap (c, r, s), numbered row-major, of output (0, 0) lies.</summary>
    internal nint TapOffset(int tap)
    {
        var (s, rest) = (tap % kernelWidth, tap / kernelWidth);
        var (r, channel) = (rest % kernelHeight, rest / kernelHeight);
        var (residue, column) = (s * dilationWidth % strideWidth, s * dilationWidth / strideWidth);
        return (((nint)channel * strideWidth + residue) * rows + r * dilationHeight) * columns + column;
    }

    /// <summary>Lays out one sample: contiguous channels × height × width.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void Fill<T>(T* x, T* to) where T : unmanaged
    {
        var isDense = strideWidth == 1 && inputDilationWidth == 1;
        var hasNoZeros = isDense && inputDilationHeight == 1 && padHeight == 0 && padWidth == 0
            && rows <= height && columns <= width;
        var elements = (nint)channels * strideWidth * rows * columns;
        // What is read too far is multiplied by 0, and must not be what somebody left here: NaN stays NaN.
        if (hasNoZeros) new Span<T>(to + elements, (int)(Length - elements)).Clear();
        else new Span<T>(to, (int)Length).Clear();
        if (hasNoZeros && rows == height && columns == width)
        {
            new Span<T>(x, channels * height * width).CopyTo(new Span<T>(to, channels * height * width));
            return;
        }
        for (var channel = 0; channel < channels; channel++)
            for (var i = 0; i < height; i++)
            {
                var row = padHeight + i * inputDilationHeight;
                if (row < 0 || row >= rows) continue;
                var source = x + ((nint)channel * height + i) * width;
                var target = to + (nint)channel * strideWidth * rows * columns + (nint)row * columns;
                if (!isDense)
                {
                    FillRow(source, target);
                    continue;
                }
                var first = Math.Max(0, -padWidth);
                var last = Math.Min(width, columns - padWidth);
                if (last > first) Packing.CopyRow(source + first, target + padWidth + first, last - first);
            }
    }

    // A row whose neighbors go to different residues, or with zeros between them.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void FillRow<T>(T* source, T* target) where T : unmanaged
    {
        for (var j = 0; j < width; j++)
        {
            var column = padWidth + j * inputDilationWidth;
            if (column < 0 || column / strideWidth >= columns) continue;
            target[(nint)(column % strideWidth) * rows * columns + column / strideWidth] = source[j];
        }
    }
}
