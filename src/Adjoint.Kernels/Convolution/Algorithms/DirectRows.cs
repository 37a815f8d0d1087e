using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// Direct convolution along output rows: lanes are neighboring positions of a row, whose inputs are neighbors in the
/// padded image for every tap, so that nothing is gathered. A micro-kernel of MR filters by some vectors of positions
/// adds all taps in registers. For rows that fill their vectors well; few filters would make little use of gathered
/// panels.
/// </summary>
internal sealed unsafe class DirectRows<T>(ConvDirection direction)
    : CorrelationAlgorithm<T>("direct-rows", direction) where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    // Of the lanes of vectors that rows, or pairs of rows, fill.
    private const double MinFill = 0.7, MinFillOfFewFilters = 0.5;
    private const int FewFilters = 24;

    /// <summary>Whether enough of the lanes do work.</summary>
    internal static bool IsFull(double fill, int filters) =>
        fill >= (filters <= FewFilters ? MinFillOfFewFilters : MinFill);

    /// <summary>The fraction of lanes that do work, with vectors along single rows.</summary>
    internal static double RowFill(in CorrelationShape shape) =>
        (double)shape.OutWidth / ((shape.OutWidth + Lanes - 1) / Lanes * Lanes);

    /// <summary>The same with half a vector along each of two rows; 0 for rows longer than that.</summary>
    internal static double PairFill(in CorrelationShape shape) => 2 * shape.OutWidth <= Lanes
        ? (double)shape.OutHeight * shape.OutWidth / ((shape.OutHeight + 1) / 2 * Lanes)
        : 0;

    protected override bool Supports(in CorrelationShape shape) => Simd.Width >= 256 && shape.Taps <= MaxTaps;

    protected override bool IsPreferred(in CorrelationShape shape) =>
        IsFull(RowFill(shape), shape.Filters) && PairFill(shape) <= RowFill(shape);

    protected override nint ScratchElements(in CorrelationShape shape) =>
        DirectBlocking.Fit<T>(shape, rowsPerVector: 1).ScratchElements;

    protected override void Run(in CorrelationShape shape, T* x, T* w, T* bias, T* y) =>
        Simd.Widest<T, Kernel>(new(shape, x, w, bias, y));

    private readonly struct Kernel(in CorrelationShape shape, T* x, T* w, T* bias, T* y) : IVectorKernel<T>
    {
        private readonly CorrelationShape shape = shape;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<V>() where V : struct, ILanes<V, T> =>
            DirectTiling<V, T, OneRow<V, T>>.Run(shape, x, w, bias, y);
    }
}
