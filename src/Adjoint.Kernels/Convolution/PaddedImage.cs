namespace Adjoint.Kernels;

/// <summary>
/// Where the elements of one sample and group lie after padding. Columns are sorted by their remainder modulo the stride, so that the inputs of
/// neighbouring outputs are neighbours for every stride, and no bounds need checking.
/// </summary>
internal readonly unsafe struct PaddedImage
{
    private readonly int channels, height, width, padHeight, padWidth, strideHeight, strideWidth, dilationHeight, dilationWidth, kernelWidth, kernelHeight;

    // Zeros to put between neighbours: stride − 1 for the gradient of a strided convolution.
    private readonly int spreadHeight, spreadWidth;
    private readonly int rows, columns;

    internal PaddedImage(int channels, int height, int width, int padHeight, int padWidth, in ConvShape shape, int strideHeight, int strideWidth, int outHeight, int outWidth, int spreadHeight = 1, int spreadWidth = 1)
    {
        (this.channels, this.height, this.width, this.padHeight, this.padWidth) = (channels, height, width, padHeight, padWidth);
        (this.strideHeight, this.strideWidth, this.spreadHeight, this.spreadWidth) = (strideHeight, strideWidth, spreadHeight, spreadWidth);
        (dilationHeight, dilationWidth, kernelHeight, kernelWidth) = (shape.DilationHeight, shape.DilationWidth, shape.KernelHeight, shape.KernelWidth);
        rows = (outHeight - 1) * strideHeight + dilationHeight * (kernelHeight - 1) + 1;
        columns = outWidth + dilationWidth * (kernelWidth - 1) / strideWidth;
        // Addresses within an image are worked out unchecked.
        var elements = (double)channels * strideWidth * rows * columns;
        if (elements > ScratchLimitException.Limit) throw new ScratchLimitException(elements * sizeof(float));
    }

    /// <summary>Elements of one sample, with room behind it for a vector that reads too far, in a row or in one that is not there.</summary>
    internal nint Length => (nint)channels * strideWidth * rows * columns + RowStep + 64;

    /// <summary>From one output row to the next.</summary>
    internal nint RowStep => (nint)strideHeight * columns;

    /// <summary>Where tap (channel, ky, kx), numbered row-major, of the output at the origin lies.</summary>
    internal nint Tap(int tap)
    {
        var (kx, rest) = (tap % kernelWidth, tap / kernelWidth);
        var (ky, channel) = (rest % kernelHeight, rest / kernelHeight);
        return (((nint)channel * strideWidth + kx * dilationWidth % strideWidth) * rows + ky * dilationHeight) * columns + kx * dilationWidth / strideWidth;
    }

    /// <summary>Lays out one sample: contiguous channels × height × width.</summary>
    internal void Fill<T>(T* x, T* to) where T : unmanaged
    {
        var isCovered = padHeight == 0 && padWidth == 0 && spreadHeight == 1 && spreadWidth == 1 && strideWidth == 1 && rows <= height && columns <= width;
        var elements = (nint)channels * strideWidth * rows * columns;
        // What is read too far is multiplied by 0, and must not be what somebody left here: NaN stays NaN.
        if (isCovered) new Span<T>(to + elements, (int)(Length - elements)).Clear();
        else new Span<T>(to, (int)Length).Clear();
        if (isCovered && rows == height && columns == width)
        {
            new Span<T>(x, channels * height * width).CopyTo(new Span<T>(to, channels * height * width));
            return;
        }
        for (var channel = 0; channel < channels; channel++)
            for (var i = 0; i < height; i++)
            {
                var row = padHeight + i * spreadHeight;
                if (row < 0 || row >= rows) continue;
                var source = x + ((nint)channel * height + i) * width;
                var plane = to + (nint)channel * strideWidth * rows * columns + (nint)row * columns;
                if (strideWidth == 1 && spreadWidth == 1)
                {
                    var first = Math.Max(0, -padWidth);
                    var last = Math.Min(width, columns - padWidth);
                    if (last > first) Packing.CopyRow(source + first, plane + padWidth + first, last - first);
                    continue;
                }
                for (var j = 0; j < width; j++)
                {
                    var column = padWidth + j * spreadWidth;
                    if (column >= 0 && column / strideWidth < columns) plane[(nint)(column % strideWidth) * rows * columns + column / strideWidth] = source[j];
                }
            }
    }
}
