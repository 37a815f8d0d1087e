using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// A one-dimensional transform of <see cref="Inputs"/> vectors into <see cref="Outputs"/>, lane by lane.
/// </summary>
internal unsafe interface IWinogradTransform
{
    /// <summary>Vectors read.</summary>
    static abstract int Inputs { get; }

    /// <summary>Vectors written.</summary>
    static abstract int Outputs { get; }

    /// <summary>Reads from, from + step, …; writes to, to + stepTo, ….</summary>
    static abstract void Run<V, T>(T* from, nint step, T* to, nint stepTo)
        where V : struct, ILanes<V, T> where T : unmanaged;
}

/// <summary>
/// The fast convolution of Winograd (1980) as Lavin and Gray (2016, "Fast algorithms for convolutional neural
/// networks") use it, F(4×4, 3×3): a tile of 4 × 4 outputs of a 3 × 3 filter takes 36 products instead of 144.
/// Polynomials are evaluated at six points, multiplied there, and interpolated: y = Aᵀ[(G·w·Gᵀ) ⊙ (Bᵀ·x·B)]A.
/// </summary>
/// <remarks>
/// The points are 0, ±3/4, ±3/2 and ∞: closer together than the usual 0, ±1, ±2, ∞, so that their powers spread less,
/// and as exact when squared. The error in single precision (root mean square over 64 channels of normal numbers,
/// relative) is 0.8·10⁻⁶, that of the direct sum 0.4·10⁻⁶.
/// </remarks>
internal static unsafe class Winograd
{
    /// <summary>Outputs of a tile, per axis.</summary>
    internal const int Tile = 4;

    /// <summary>Points, and inputs of a tile, per axis: Tile + 3 − 1.</summary>
    internal const int Points = 6;

    /// <summary>Products of a tile.</summary>
    internal const int Products = Points * Points;

    // The points ±p and ±q; the squares' sum and product are coefficients of (x² − p²)(x² − q²).
    internal const double P = 0.75, Q = 1.5;
    internal const double P2 = P * P, Q2 = Q * Q, Sum = P2 + Q2, Product = P2 * Q2;

    // One over the product of a point's distances to the other finite ones.
    internal const double At0 = 1 / Product, AtP = 1 / (2 * P2 * (P2 - Q2)), AtQ = 1 / (2 * Q2 * (Q2 - P2));

    /// <summary>Keeps planes of a power of two from meeting in the same sets of the cache.</summary>
    internal const int PlanePadding = 16;

    // Below that, too few products are saved to pay for the transforms.
    private const int MinChannels = 16;

    // Of an image: its transform takes up to 18 bytes for each, in one buffer.
    private const long MaxElements = 1 << 26;

    /// <summary>Rows of the micro-kernel of one vector.</summary>
    internal static int NarrowRows => Simd.Width == 512 ? MicroKernel16x1.MR : MicroKernel12x1.MR;

    /// <summary>Whether a convolution, or a gradient of it, can go by tiles.</summary>
    internal static bool Supports<T>(in ConvShape shape) => typeof(T) == typeof(float) && Simd.Width >= 256
        && shape is
        {
            Groups: 1, KernelHeight: 3, KernelWidth: 3, IsDense: true, PadHeight: <= 2, PadWidth: <= 2,
        }
        && (long)Math.Max(shape.Channels, shape.Filters) * shape.Height * shape.Width <= MaxElements;

    /// <summary>Whether it pays: where both channels and filters fill vectors, and outputs most of a tile.</summary>
    internal static bool IsPreferred(in ConvShape shape) =>
        Math.Min(shape.Channels, shape.Filters) >= MinChannels
        && shape.OutHeight >= Tile - 1 && shape.OutWidth >= Tile - 1;

    /// <summary>
    /// A transform along both axes: input (i, j) at from + i·row + j·column, output (i, j) at to + i·toRow +
    /// j·toColumn; scratch has room for 36 vectors. A lane is a channel, or a filter.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Transform2D<TTransform, V, T>(
        T* from, nint row, nint column, T* to, nint toRow, nint toColumn, T* scratch)
        where TTransform : struct, IWinogradTransform where V : struct, ILanes<V, T> where T : unmanaged
    {
        for (var i = 0; i < TTransform.Inputs; i++)
            TTransform.Run<V, T>(from + i * row, column, scratch + i * TTransform.Outputs * V.Count, V.Count);
        for (var j = 0; j < TTransform.Outputs; j++)
            TTransform.Run<V, T>(scratch + j * V.Count, TTransform.Outputs * V.Count, to + j * toColumn, toRow);
    }
}

/// <summary>Bᵀ: six inputs to the six points.</summary>
internal readonly unsafe struct WinogradInputTransform : IWinogradTransform
{
    public static int Inputs => 6;

    public static int Outputs => 6;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run<V, T>(T* from, nint step, T* to, nint stepTo)
        where V : struct, ILanes<V, T> where T : unmanaged
    {
        var x0 = V.Load(from);
        var x1 = V.Load(from + step);
        var x2 = V.Load(from + 2 * step);
        var x3 = V.Load(from + 3 * step);
        var x4 = V.Load(from + 4 * step);
        var x5 = V.Load(from + 5 * step);
        V.Store(V.Fma(V.Splat(Winograd.Product), x0, V.Fma(V.Splat(-Winograd.Sum), x2, x4)), to);
        // Points ±p share their even and odd parts.
        var even = V.Fma(V.Splat(-Winograd.Q2), x2, x4);
        var odd = V.Fma(V.Splat(-Winograd.Q2), x1, x3);
        V.Store(V.Fma(V.Splat(Winograd.P), odd, even), to + stepTo);
        V.Store(V.Fma(V.Splat(-Winograd.P), odd, even), to + 2 * stepTo);
        even = V.Fma(V.Splat(-Winograd.P2), x2, x4);
        odd = V.Fma(V.Splat(-Winograd.P2), x1, x3);
        V.Store(V.Fma(V.Splat(Winograd.Q), odd, even), to + 3 * stepTo);
        V.Store(V.Fma(V.Splat(-Winograd.Q), odd, even), to + 4 * stepTo);
        V.Store(V.Fma(V.Splat(Winograd.Product), x1, V.Fma(V.Splat(-Winograd.Sum), x3, x5)), to + 5 * stepTo);
    }
}

/// <summary>G: three weights at the six points.</summary>
internal readonly unsafe struct WinogradFilterTransform : IWinogradTransform
{
    public static int Inputs => 3;

    public static int Outputs => 6;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run<V, T>(T* from, nint step, T* to, nint stepTo)
        where V : struct, ILanes<V, T> where T : unmanaged
    {
        var w0 = V.Load(from);
        var w1 = V.Load(from + step);
        var w2 = V.Load(from + 2 * step);
        V.Store(V.Splat(Winograd.At0) * w0, to);
        var even = V.Splat(Winograd.AtP) * V.Fma(V.Splat(Winograd.P2), w2, w0);
        V.Store(V.Fma(V.Splat(Winograd.AtP * Winograd.P), w1, even), to + stepTo);
        V.Store(V.Fma(V.Splat(-Winograd.AtP * Winograd.P), w1, even), to + 2 * stepTo);
        even = V.Splat(Winograd.AtQ) * V.Fma(V.Splat(Winograd.Q2), w2, w0);
        V.Store(V.Fma(V.Splat(Winograd.AtQ * Winograd.Q), w1, even), to + 3 * stepTo);
        V.Store(V.Fma(V.Splat(-Winograd.AtQ * Winograd.Q), w1, even), to + 4 * stepTo);
        V.Store(w2, to + 5 * stepTo);
    }
}

/// <summary>G for a filter of four: four gradients at the six points.</summary>
internal readonly unsafe struct WinogradGradientTransform : IWinogradTransform
{
    public static int Inputs => 4;

    public static int Outputs => 6;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run<V, T>(T* from, nint step, T* to, nint stepTo)
        where V : struct, ILanes<V, T> where T : unmanaged
    {
        var g0 = V.Load(from);
        var g1 = V.Load(from + step);
        var g2 = V.Load(from + 2 * step);
        var g3 = V.Load(from + 3 * step);
        V.Store(V.Splat(Winograd.At0) * g0, to);
        var even = V.Splat(Winograd.AtP) * V.Fma(V.Splat(Winograd.P2), g2, g0);
        var odd = V.Fma(V.Splat(Winograd.P2), g3, g1);
        V.Store(V.Fma(V.Splat(Winograd.AtP * Winograd.P), odd, even), to + stepTo);
        V.Store(V.Fma(V.Splat(-Winograd.AtP * Winograd.P), odd, even), to + 2 * stepTo);
        even = V.Splat(Winograd.AtQ) * V.Fma(V.Splat(Winograd.Q2), g2, g0);
        odd = V.Fma(V.Splat(Winograd.Q2), g3, g1);
        V.Store(V.Fma(V.Splat(Winograd.AtQ * Winograd.Q), odd, even), to + 3 * stepTo);
        V.Store(V.Fma(V.Splat(-Winograd.AtQ * Winograd.Q), odd, even), to + 4 * stepTo);
        V.Store(g3, to + 5 * stepTo);
    }
}

/// <summary>Aᵀ: six products to the four outputs.</summary>
internal readonly unsafe struct WinogradOutputTransform : IWinogradTransform
{
    public static int Inputs => 6;

    public static int Outputs => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run<V, T>(T* from, nint step, T* to, nint stepTo)
        where V : struct, ILanes<V, T> where T : unmanaged
    {
        var m1 = V.Load(from + step);
        var m2 = V.Load(from + 2 * step);
        var m3 = V.Load(from + 3 * step);
        var m4 = V.Load(from + 4 * step);
        var (evenP, oddP, evenQ, oddQ) = (m1 + m2, m1 - m2, m3 + m4, m3 - m4);
        V.Store(V.Load(from) + evenP + evenQ, to);
        V.Store(V.Fma(V.Splat(Winograd.P), oddP, V.Splat(Winograd.Q) * oddQ), to + stepTo);
        V.Store(V.Fma(V.Splat(Winograd.P2), evenP, V.Splat(Winograd.Q2) * evenQ), to + 2 * stepTo);
        var last = V.Fma(V.Splat(Winograd.Q2 * Winograd.Q), oddQ, V.Load(from + 5 * step));
        V.Store(V.Fma(V.Splat(Winograd.P2 * Winograd.P), oddP, last), to + 3 * stepTo);
    }
}

/// <summary>Aᵀ for three outputs: six sums to the three gradients of a filter's row.</summary>
internal readonly unsafe struct WinogradFilterGradientTransform : IWinogradTransform
{
    public static int Inputs => 6;

    public static int Outputs => 3;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run<V, T>(T* from, nint step, T* to, nint stepTo)
        where V : struct, ILanes<V, T> where T : unmanaged
    {
        var m1 = V.Load(from + step);
        var m2 = V.Load(from + 2 * step);
        var m3 = V.Load(from + 3 * step);
        var m4 = V.Load(from + 4 * step);
        var (evenP, oddP, evenQ, oddQ) = (m1 + m2, m1 - m2, m3 + m4, m3 - m4);
        V.Store(V.Load(from) + evenP + evenQ, to);
        V.Store(V.Fma(V.Splat(Winograd.P), oddP, V.Splat(Winograd.Q) * oddQ), to + stepTo);
        var last = V.Fma(V.Splat(Winograd.Q2), evenQ, V.Load(from + 5 * step));
        V.Store(V.Fma(V.Splat(Winograd.P2), evenP, last), to + 2 * stepTo);
    }
}
