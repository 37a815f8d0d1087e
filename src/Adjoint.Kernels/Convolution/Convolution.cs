using System.Numerics;
using System.Runtime.Intrinsics;

namespace Adjoint.Kernels;

/// <summary>
/// Two-dimensional convolution (in the sense of the field: cross-correlation) and its gradients, by the kernel that suits the shape: tiles of fewer products
/// (<see cref="Winograd"/>), sums over inputs read where they lie, or matrix products whose second operand is gathered panel by panel and never exists whole (implicit GEMM; Chetlur et al. 2014).
/// </summary>
public static unsafe class Convolution
{
    private const double LeastFill = 0.7;
    private const double LeastFillOfFew = 0.5;
    private const int FewFilters = 24;
    private const int FewTapFilters = 32;
    private const int ManyPositions = 512;
    private const int MostDirectFilters = 16;
    private const int LeastWinogradChannels = 16;

    // Kernels that add all taps one after another leave more of them to the one that adds block by block.
    private const int MostTaps = 1 << 15;

    // Of an image: its transform takes up to 18 bytes for each, in one buffer.
    private const long MostWinogradElements = 1 << 26;

    /// <summary>y[n, f, i, j] = b[f] + Σ x[n, c, i·s + ky·d − p, j·s + kx·d − p] · w[f, c, ky, kx]; bias may be null.</summary>
    public static void Forward<T>(in ConvShape shape, T* x, T* w, T* bias, T* y) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (IsWinograd<T>(shape))
        {
            WinogradCorrelate(new(shape.Samples, shape.Channels, shape.Filters, shape.Height, shape.Width, shape.PadHeight, shape.PadWidth, WinogradLanes<T>()), x, w, false, bias, y);
            return;
        }
        var image = new PaddedImage(shape.GroupChannels, shape.Height, shape.Width, shape.PadHeight, shape.PadWidth, shape, shape.StrideHeight, shape.StrideWidth, shape.OutHeight, shape.OutWidth);
        Correlate(shape, image, shape.GroupFilters, shape.Taps, shape.OutHeight, shape.OutWidth, x, (nint)shape.GroupChannels * shape.Height * shape.Width, w, bias, y);
    }

    /// <summary>∂L/∂x from g = ∂L/∂y: the same sum run backward, which is a correlation of the spread-out g with the filters turned by half a turn.</summary>
    public static void DataGradient<T>(in ConvShape shape, T* g, T* w, T* dx) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (IsWinograd<T>(shape))
        {
            WinogradCorrelate(new(shape.Samples, shape.Filters, shape.Channels, shape.OutHeight, shape.OutWidth, 2 - shape.PadHeight, 2 - shape.PadWidth, WinogradLanes<T>()), g, w, true, null, dx);
            return;
        }
        if (FlatDataGradient<V512<T>, T>.Covers(shape)
            && (long)shape.GroupFilters * shape.KernelHeight * shape.KernelWidth <= MostTaps)
        {
            if (Vector512.IsHardwareAccelerated) FlatDataGradient<V512<T>, T>.Run(shape, g, w, dx);
            else if (Vector256.IsHardwareAccelerated) FlatDataGradient<V256<T>, T>.Run(shape, g, w, dx);
            else if (Vector128.IsHardwareAccelerated) FlatDataGradient<V128<T>, T>.Run(shape, g, w, dx);
            else FlatDataGradient<Scalar<T>, T>.Run(shape, g, w, dx);
            return;
        }
        var (kernel, taps) = (shape.KernelHeight * shape.KernelWidth, shape.GroupFilters * shape.KernelHeight * shape.KernelWidth);
        var turned = PackBuffer.Rent<T>(3, (nint)shape.Channels * taps);
        for (var group = 0; group < shape.Groups; group++)
            for (var f = 0; f < shape.GroupFilters; f++)
                for (var c = 0; c < shape.GroupChannels; c++)
                {
                    var from = w + (((nint)group * shape.GroupFilters + f) * shape.GroupChannels + c) * kernel;
                    var to = turned + ((nint)group * shape.GroupChannels + c) * taps + (nint)f * kernel;
                    for (var k = 0; k < kernel; k++) to[k] = from[kernel - 1 - k];
                }
        var image = new PaddedImage(shape.GroupFilters, shape.OutHeight, shape.OutWidth,
            shape.DilationHeight * (shape.KernelHeight - 1) - shape.PadHeight, shape.DilationWidth * (shape.KernelWidth - 1) - shape.PadWidth,
            shape, 1, 1, shape.Height, shape.Width, shape.StrideHeight, shape.StrideWidth);
        Correlate(shape, image, shape.GroupChannels, taps, shape.Height, shape.Width, g, (nint)shape.GroupFilters * shape.Positions, turned, null, dx);
    }

    /// <summary>∂L/∂w from x and g = ∂L/∂y.</summary>
    public static void WeightGradient<T>(in ConvShape shape, T* x, T* g, T* dw) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (LongWeightGradient.Covers(shape)) LongWeightGradient.Run(shape, x, g, dw);
        else ShortWeightGradient(shape, x, g, dw);
    }

    /// <summary>The same where each sum has a moderate number of terms.</summary>
    internal static void ShortWeightGradient<T>(in ConvShape shape, T* x, T* g, T* dw)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (IsWinograd<T>(shape))
        {
            var tiles = new WinogradShape(shape.Samples, shape.Channels, shape.Filters, shape.Height, shape.Width, shape.PadHeight, shape.PadWidth, WinogradLanes<T>());
            if (Vector512.IsHardwareAccelerated) WinogradWeightGradient<V512<T>, T, StridedTile8x2<V512<T>, T>, StridedTile16x1<V512<T>, T>>.Run(tiles, x, g, dw);
            else WinogradWeightGradient<V256<T>, T, StridedTile6x2<V256<T>, T>, StridedTile12x1<V256<T>, T>>.Run(tiles, x, g, dw);
        }
        else if (Vector512.IsHardwareAccelerated && shape is { StrideHeight: 1, StrideWidth: 1, DilationHeight: 1, DilationWidth: 1, KernelWidth: 3 or 5 }
            && FillsVectors<V512<T>, T>(shape.GroupFilters) && (shape.GroupFilters <= FewTapFilters || shape.Positions >= ManyPositions))
        {
            // With many filters and few positions a gathered panel is used often enough to pay for itself.
            if (shape.KernelWidth == 5) TapWeightGradient<V512<T>, T, TapTile5x5<V512<T>, T>>.Run(shape, x, g, dw);
            else TapWeightGradient<V512<T>, T, TapTile8x3<V512<T>, T>>.Run(shape, x, g, dw);
        }
        // Few filters: gathering would cost more than multiplying.
        else if (Vector512.IsHardwareAccelerated && shape.GroupFilters <= MostDirectFilters)
        {
            if (2 * shape.OutWidth <= V512<T>.Count) DirectWeightGradient<V256<T>, T>.Run(shape, x, g, dw);
            else DirectWeightGradient<V512<T>, T>.Run(shape, x, g, dw);
        }
        else if (Vector512.IsHardwareAccelerated)
        {
            if (shape.GroupFilters <= 6) WeightGradient<T, Tile6x4<V512<T>, T>>.Run(shape, x, g, dw);
            else if (shape.GroupFilters % 12 is > 0 and <= 8) WeightGradient<T, Tile8x3<V512<T>, T>>.Run(shape, x, g, dw);
            else WeightGradient<T, Tile12x2<V512<T>, T>>.Run(shape, x, g, dw);
        }
        else if (Vector256.IsHardwareAccelerated) WeightGradient<T, Tile6x2<V256<T>, T>>.Run(shape, x, g, dw);
        else if (Vector128.IsHardwareAccelerated) WeightGradient<T, Tile6x2<V128<T>, T>>.Run(shape, x, g, dw);
        else WeightGradient<T, Tile6x2<Scalar<T>, T>>.Run(shape, x, g, dw);
    }

    // Products are saved where both channels and filters fill vectors. In double precision the plain sum stays: who asks for it asks for its digits.
    private static bool IsWinograd<T>(in ConvShape shape) => typeof(T) == typeof(float) && Vector256.IsHardwareAccelerated
        && shape is { Groups: 1, KernelHeight: 3, KernelWidth: 3, StrideHeight: 1, StrideWidth: 1, DilationHeight: 1, DilationWidth: 1, PadHeight: <= 2, PadWidth: <= 2 }
        && Math.Min(shape.Channels, shape.Filters) >= LeastWinogradChannels && shape.OutHeight >= Winograd.Tile - 1 && shape.OutWidth >= Winograd.Tile - 1
        && (long)Math.Max(shape.Channels, shape.Filters) * shape.Height * shape.Width <= MostWinogradElements;

    private static int WinogradLanes<T>() where T : unmanaged, IBinaryFloatingPointIeee754<T> => Vector512.IsHardwareAccelerated ? V512<T>.Count : V256<T>.Count;

    private static void WinogradCorrelate<T>(in WinogradShape shape, T* x, T* w, bool turned, T* bias, T* y) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (Vector512.IsHardwareAccelerated) WinogradCorrelation<V512<T>, T, StridedTile8x2<V512<T>, T>, StridedTile16x1<V512<T>, T>>.Run(shape, x, w, turned, bias, y);
        else WinogradCorrelation<V256<T>, T, StridedTile6x2<V256<T>, T>, StridedTile12x1<V256<T>, T>>.Run(shape, x, w, turned, bias, y);
    }

    private static bool FillsVectors<V, T>(int filters) where V : struct, ILanes<V, T> where T : unmanaged => filters >= LeastFill * ((filters + V.Count - 1) / V.Count * V.Count);

    private static void Correlate<T>(in ConvShape shape, PaddedImage image, int filters, int taps, int outHeight, int outWidth, T* x, nint sampleLength, T* w, T* bias, T* y) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (Vector512.IsHardwareAccelerated)
        {
            if (taps <= MostTaps && FillsVectors<V512<T>, T>(filters) && filters <= FewFilters
                && outWidth % V512<T>.Count is not 0 && outWidth % FilterLaneCorrelation<V512<T>, T>.Columns == 0)
                FilterLaneCorrelation<V512<T>, T>.Run(shape, image, filters, taps, outHeight, outWidth, x, sampleLength, w, bias, y);
            else if (!IsDirect<V512<T>, T>(filters, outHeight, outWidth, out var pairs) || taps > MostTaps)
            {
                // The tile that wastes the fewest rows.
                if (filters <= 6) Correlation<T, Tile6x4<V512<T>, T>>.Run(shape, image, filters, taps, outHeight, outWidth, x, sampleLength, w, bias, y);
                else if (filters % 12 is > 0 and <= 8) Correlation<T, Tile8x3<V512<T>, T>>.Run(shape, image, filters, taps, outHeight, outWidth, x, sampleLength, w, bias, y);
                else Correlation<T, Tile12x2<V512<T>, T>>.Run(shape, image, filters, taps, outHeight, outWidth, x, sampleLength, w, bias, y);
            }
            else if (pairs) Direct<T, TwoRows<V512<T>, T>>(shape, image, filters, taps, outHeight, outWidth, x, sampleLength, w, bias, y);
            else Direct<T, OneRow<V512<T>, T>>(shape, image, filters, taps, outHeight, outWidth, x, sampleLength, w, bias, y);
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            if (IsDirect<V256<T>, T>(filters, outHeight, outWidth, out var pairs) && !pairs && taps <= MostTaps)
                DirectCorrelation<V256<T>, T, DirectTile6x2<V256<T>, T>, OneRow<V256<T>, T>>.Run(shape, image,
                    filters, taps, outHeight, outWidth, x, sampleLength, w, bias, y);
            else Correlation<T, Tile6x2<V256<T>, T>>.Run(shape, image, filters, taps, outHeight, outWidth, x, sampleLength, w, bias, y);
        }
        else if (Vector128.IsHardwareAccelerated) Correlation<T, Tile6x2<V128<T>, T>>.Run(shape, image, filters, taps, outHeight, outWidth, x, sampleLength, w, bias, y);
        else Correlation<T, Tile6x2<Scalar<T>, T>>.Run(shape, image, filters, taps, outHeight, outWidth, x, sampleLength, w, bias, y);
    }

    private static void Direct<T, TLoad>(in ConvShape shape, PaddedImage image, int filters, int taps, int outHeight, int outWidth, T* x, nint sampleLength, T* w, T* bias, T* y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> where TLoad : struct, IRowLoad<V512<T>, T>
    {
        // The tile that wastes the fewest rows and vectors.
        var vectors = (outHeight + TLoad.Rows - 1) / TLoad.Rows * ((outWidth * TLoad.Rows + V512<T>.Count - 1) / V512<T>.Count);
        double Waste(int rows, int columns) => (double)((filters + rows - 1) / rows * rows) * ((vectors + columns - 1) / columns * columns);
        var (wide, middle, narrow) = (Waste(12, 2), Waste(8, 3), Waste(6, 4));
        if (wide <= middle && wide <= narrow) DirectCorrelation<V512<T>, T, DirectTile12x2<V512<T>, T>, TLoad>.Run(shape, image, filters, taps, outHeight, outWidth, x, sampleLength, w, bias, y);
        else if (middle <= narrow) DirectCorrelation<V512<T>, T, DirectTile8x3<V512<T>, T>, TLoad>.Run(shape, image, filters, taps, outHeight, outWidth, x, sampleLength, w, bias, y);
        else DirectCorrelation<V512<T>, T, DirectTile6x4<V512<T>, T>, TLoad>.Run(shape, image, filters, taps, outHeight, outWidth, x, sampleLength, w, bias, y);
    }

    // Without gathering where rows, or pairs of rows, fill their vectors; few filters make little use of what is gathered.
    private static bool IsDirect<V, T>(int filters, int outHeight, int outWidth, out bool pairs) where V : struct, ILanes<V, T> where T : unmanaged
    {
        var whole = (double)outWidth / ((outWidth + V.Count - 1) / V.Count * V.Count);
        var half = 2 * outWidth <= V.Count ? (double)outHeight * outWidth / ((outHeight + 1) / 2 * V.Count) : 0;
        pairs = half > whole;
        return Math.Max(whole, half) >= (filters <= FewFilters ? LeastFillOfFew : LeastFill);
    }
}
