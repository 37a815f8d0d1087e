using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

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
