using System.Numerics;
using System.Runtime.Intrinsics;

namespace Adjoint.Kernels;

/// <summary>
/// Two-dimensional convolution (in the sense of the field: cross-correlation) and its gradients, as matrix products whose second operand is
/// gathered panel by panel from a padded image and never exists whole (implicit GEMM; Chetlur et al. 2014).
/// </summary>
public static unsafe class Convolution
{
    private const double LeastFill = 0.75;
    private const int MostDirectFilters = 16;

    /// <summary>y[n, f, i, j] = b[f] + Σ x[n, c, i·s + ky·d − p, j·s + kx·d − p] · w[f, c, ky, kx]; bias may be null.</summary>
    public static void Forward<T>(in ConvShape shape, T* x, T* w, T* bias, T* y) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var image = new PaddedImage(shape.GroupChannels, shape.Height, shape.Width, shape.PadHeight, shape.PadWidth, shape, shape.StrideHeight, shape.StrideWidth, shape.OutHeight, shape.OutWidth);
        Correlate(shape, image, shape.GroupFilters, shape.Taps, shape.OutHeight, shape.OutWidth, x, (nint)shape.GroupChannels * shape.Height * shape.Width, w, bias, y);
    }

    /// <summary>∂L/∂x from g = ∂L/∂y: the same sum run backward, which is a correlation of the spread-out g with the filters turned by half a turn.</summary>
    public static void DataGradient<T>(in ConvShape shape, T* g, T* w, T* dx) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
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
        // Few filters: gathering would cost more than multiplying.
        if (Vector512.IsHardwareAccelerated && shape.GroupFilters <= MostDirectFilters)
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

    private static void Correlate<T>(in ConvShape shape, PaddedImage image, int filters, int taps, int outHeight, int outWidth, T* x, nint sampleLength, T* w, T* bias, T* y) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        // The tile that wastes the fewest rows; without gathering where rows fill their vectors.
        if (Vector512.IsHardwareAccelerated && DirectCorrelation<V512<T>, T, DirectTile12x2<V512<T>, T>>.Fill(outWidth) >= LeastFill)
        {
            if (filters <= 6) DirectCorrelation<V512<T>, T, DirectTile6x4<V512<T>, T>>.Run(shape, image, filters, taps, outHeight, outWidth, x, sampleLength, w, bias, y);
            else if (filters % 12 is > 0 and <= 8) DirectCorrelation<V512<T>, T, DirectTile8x3<V512<T>, T>>.Run(shape, image, filters, taps, outHeight, outWidth, x, sampleLength, w, bias, y);
            else DirectCorrelation<V512<T>, T, DirectTile12x2<V512<T>, T>>.Run(shape, image, filters, taps, outHeight, outWidth, x, sampleLength, w, bias, y);
        }
        else if (Vector512.IsHardwareAccelerated)
        {
            if (filters <= 6) Correlation<T, Tile6x4<V512<T>, T>>.Run(shape, image, filters, taps, outHeight, outWidth, x, sampleLength, w, bias, y);
            else if (filters % 12 is > 0 and <= 8) Correlation<T, Tile8x3<V512<T>, T>>.Run(shape, image, filters, taps, outHeight, outWidth, x, sampleLength, w, bias, y);
            else Correlation<T, Tile12x2<V512<T>, T>>.Run(shape, image, filters, taps, outHeight, outWidth, x, sampleLength, w, bias, y);
        }
        else if (Vector256.IsHardwareAccelerated) Correlation<T, Tile6x2<V256<T>, T>>.Run(shape, image, filters, taps, outHeight, outWidth, x, sampleLength, w, bias, y);
        else if (Vector128.IsHardwareAccelerated) Correlation<T, Tile6x2<V128<T>, T>>.Run(shape, image, filters, taps, outHeight, outWidth, x, sampleLength, w, bias, y);
        else Correlation<T, Tile6x2<Scalar<T>, T>>.Run(shape, image, filters, taps, outHeight, outWidth, x, sampleLength, w, bias, y);
    }
}
