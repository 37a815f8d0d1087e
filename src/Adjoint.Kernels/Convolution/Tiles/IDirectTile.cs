using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// A register-blocked micro-kernel that reads its vectors of inputs where they lie in the padded image: vector i of tap
/// t begins at inputs[i] + offsets[t]. A lane is a position; the filter is broadcast.
/// </summary>
internal unsafe interface IDirectTile<V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    /// <summary>Filters at a time (MR).</summary>
    static abstract int Rows { get; }

    /// <summary>Vectors of positions at a time (NR / lanes).</summary>
    static abstract int Vectors { get; }

    /// <summary>
    /// tile[row][vector] = Σ over taps a[tap · Rows + row] · vector; the next image row, for
    /// <see cref="IRowLoad{V, T}"/>, lies <paramref name="nextRow"/> elements further on.
    /// </summary>
    static abstract void Run<TLoad>(nint taps, T* a, T** inputs, nint* offsets, nint nextRow, T* tile)
        where TLoad : struct, IRowLoad<V, T>;
}

/// <summary>How a vector is read from the rows of an image.</summary>
internal unsafe interface IRowLoad<V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    /// <summary>How many rows a vector takes part in.</summary>
    static abstract int Rows { get; }

    /// <summary>A vector; the next row lies <paramref name="nextRow"/> elements further on.</summary>
    static abstract V Load(T* from, nint nextRow);
}

/// <summary>All lanes from one row.</summary>
internal readonly unsafe struct OneRow<V, T> : IRowLoad<V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    public static int Rows => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load(T* from, nint nextRow) => V.Load(from);
}

/// <summary>
/// The lower half of the lanes from one row, the upper half from the next: for rows too short for a vector.
/// </summary>
internal readonly unsafe struct TwoRows<V, T> : IRowLoad<V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    public static int Rows => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load(T* from, nint nextRow) => V.LoadHalves(from, from + nextRow);
}
