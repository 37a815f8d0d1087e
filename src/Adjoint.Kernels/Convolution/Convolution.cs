using System.Numerics;

namespace Adjoint.Kernels;

/// <summary>
/// Two-dimensional convolution (in the sense of the field: cross-correlation) and its gradients, each by the first of
/// its <see cref="ConvAlgorithms{T}"/> that suits the shape and the machine's vectors.
/// </summary>
public static unsafe class Convolution
{
    /// <summary>
    /// y[n, k, i, j] = bias[k] + Σ over c, r, s of x[n, c, i·stride + r·dilation − pad, j·stride + s·dilation − pad]
    /// · w[k, c, r, s]; bias may be null.
    /// </summary>
    public static void Forward<T>(in ConvShape shape, T* x, T* w, T* bias, T* y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        ConvAlgorithms<T>.Choose(ConvDirection.Forward, shape).Run(shape, x, w, bias, y);

    /// <summary>∂L/∂x from g = ∂L/∂y: a transposed convolution of g.</summary>
    public static void DataGradient<T>(in ConvShape shape, T* g, T* w, T* dx)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        ConvAlgorithms<T>.Choose(ConvDirection.DataGradient, shape).Run(shape, g, w, null, dx);

    /// <summary>∂L/∂w[k, c, r, s] from g = ∂L/∂y: Σ over n, i, j of g[n, k, i, j] · x at the tap's place.</summary>
    public static void WeightGradient<T>(in ConvShape shape, T* x, T* g, T* dw)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        ConvAlgorithms<T>.Choose(ConvDirection.WeightGradient, shape).Run(shape, x, g, null, dw);
}
