using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// A micro-kernel that reads its vectors of inputs where they lie in the padded image: vector i of tap t begins at
/// inputs[i] + offsets[t]. A lane is a position; the filter is broadcast.
/// </summary>
internal static unsafe class DirectTile<TKernel, V, T, TLoad>
    where TKernel : struct, IMicroKernel where V : struct, ILanes<V, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T> where TLoad : struct, IRowLoad<V, T>
{
    /// <summary>
    /// tile[row][vector] = Σ over taps a[tap · MR + row] · vector; the next image row, for
    /// <see cref="IRowLoad{V, T}"/>, lies <paramref name="nextRow"/> elements further on.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    internal static void Run(nint taps, T* a, T** inputs, nint* offsets, nint nextRow, T* tile) =>
        TKernel.Run<V, T, PackedA<T>, ImageB<V, T, TLoad>, PlainC<V, T>>(
            taps, new(a, TKernel.MR), new(inputs, TKernel.Vectors, offsets, nextRow),
            new(tile, TKernel.Vectors * V.Count));
}
