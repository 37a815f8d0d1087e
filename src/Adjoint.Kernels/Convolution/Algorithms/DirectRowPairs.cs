using System.Numerics;

namespace Adjoint.Kernels;

/// <summary>
/// <see cref="DirectRows{T}"/> with half of a vector along an output row and half along the next, for rows too short
/// for a vector.
/// </summary>
internal sealed unsafe class DirectRowPairs<T>(ConvDirection direction)
    : CorrelationAlgorithm<T>("direct-row-pairs", direction) where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    protected override bool Supports(in CorrelationShape shape) => Simd.Width == 512 && shape.Taps <= MaxTaps;

    protected override bool IsPreferred(in CorrelationShape shape) =>
        DirectRows<T>.PairFill(shape) > DirectRows<T>.RowFill(shape)
        && DirectRows<T>.IsFull(DirectRows<T>.PairFill(shape), shape.Filters);

    protected override nint ScratchElements(in CorrelationShape shape) =>
        DirectBlocking.Fit<T>(shape, rowsPerVector: 2).ScratchElements;

    protected override void Run(in CorrelationShape shape, T* x, T* w, T* bias, T* y) =>
        DirectTiling<V512<T>, T, TwoRows<V512<T>, T>>.Run(shape, x, w, bias, y);
}
