using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>How a vector is read from the rows of an image.</summary>
internal unsafe interface IRowLoad<V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    /// <summary>How many rows a vector takes part in.</summary>
    static abstract int Rows { get; }

    /// <summary>A vector; the next row lies <paramref name="gap"/> elements further on.</summary>
    static abstract V Load(T* from, nint gap);
}

/// <summary>All lanes from one row.</summary>
internal readonly unsafe struct OneRow<V, T> : IRowLoad<V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    public static int Rows => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load(T* from, nint gap) => V.Load(from);
}

/// <summary>Half of the lanes from one row, half from the next: for rows too short for a vector.</summary>
internal readonly unsafe struct TwoRows<V, T> : IRowLoad<V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    public static int Rows => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load(T* from, nint gap) => V.LoadHalves(from, from + gap);
}

/// <summary>
/// A register-blocked micro-kernel that reads its vectors of inputs where they lie: vector i of tap t begins at at[i] + offsets[t]; <c>gap</c> is for <see cref="IRowLoad{V, T}"/>. Spelled out, because
/// the compiler keeps arrays out of registers.
/// </summary>
internal unsafe interface IDirectTile<V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    /// <summary>Filters at a time.</summary>
    static abstract int Rows { get; }

    /// <summary>Vectors of positions at a time.</summary>
    static abstract int Vectors { get; }

    /// <summary>tile [Rows × Vectors] = Σ over taps a[tap · Rows + row] · vector.</summary>
    static abstract void Run<TLoad>(nint taps, T* a, T** at, nint* offsets, nint gap, T* tile) where TLoad : struct, IRowLoad<V, T>;
}

/// <summary>12 filters by 2 vectors of positions.</summary>
internal readonly unsafe struct DirectTile12x2<V, T> : IDirectTile<V, T> where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static int Rows => 12;

    public static int Vectors => 2;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Run<TLoad>(nint taps, T* a, T** at, nint* offsets, nint gap, T* tile) where TLoad : struct, IRowLoad<V, T>
    {
        var b0 = at[0];
        var b1 = at[1];
        V p0 = default, q0 = default, p1 = default, q1 = default, p2 = default, q2 = default, p3 = default, q3 = default, p4 = default, q4 = default, p5 = default, q5 = default, p6 = default, q6 = default, p7 = default, q7 = default, p8 = default, q8 = default, p9 = default, q9 = default, p10 = default, q10 = default, p11 = default, q11 = default;
        for (nint tap = 0; tap < taps; tap++)
        {
            var offset = offsets[tap];
            var left = TLoad.Load(b0 + offset, gap);
            var second = TLoad.Load(b1 + offset, gap);
            V x;
            x = V.Splat(a[0]);
            p0 = V.Fma(x, left, p0);
            q0 = V.Fma(x, second, q0);
            x = V.Splat(a[1]);
            p1 = V.Fma(x, left, p1);
            q1 = V.Fma(x, second, q1);
            x = V.Splat(a[2]);
            p2 = V.Fma(x, left, p2);
            q2 = V.Fma(x, second, q2);
            x = V.Splat(a[3]);
            p3 = V.Fma(x, left, p3);
            q3 = V.Fma(x, second, q3);
            x = V.Splat(a[4]);
            p4 = V.Fma(x, left, p4);
            q4 = V.Fma(x, second, q4);
            x = V.Splat(a[5]);
            p5 = V.Fma(x, left, p5);
            q5 = V.Fma(x, second, q5);
            x = V.Splat(a[6]);
            p6 = V.Fma(x, left, p6);
            q6 = V.Fma(x, second, q6);
            x = V.Splat(a[7]);
            p7 = V.Fma(x, left, p7);
            q7 = V.Fma(x, second, q7);
            x = V.Splat(a[8]);
            p8 = V.Fma(x, left, p8);
            q8 = V.Fma(x, second, q8);
            x = V.Splat(a[9]);
            p9 = V.Fma(x, left, p9);
            q9 = V.Fma(x, second, q9);
            x = V.Splat(a[10]);
            p10 = V.Fma(x, left, p10);
            q10 = V.Fma(x, second, q10);
            x = V.Splat(a[11]);
            p11 = V.Fma(x, left, p11);
            q11 = V.Fma(x, second, q11);
            a += 12;
        }
        V.Store(p0, tile + 0 * V.Count);
        V.Store(q0, tile + 1 * V.Count);
        V.Store(p1, tile + 2 * V.Count);
        V.Store(q1, tile + 3 * V.Count);
        V.Store(p2, tile + 4 * V.Count);
        V.Store(q2, tile + 5 * V.Count);
        V.Store(p3, tile + 6 * V.Count);
        V.Store(q3, tile + 7 * V.Count);
        V.Store(p4, tile + 8 * V.Count);
        V.Store(q4, tile + 9 * V.Count);
        V.Store(p5, tile + 10 * V.Count);
        V.Store(q5, tile + 11 * V.Count);
        V.Store(p6, tile + 12 * V.Count);
        V.Store(q6, tile + 13 * V.Count);
        V.Store(p7, tile + 14 * V.Count);
        V.Store(q7, tile + 15 * V.Count);
        V.Store(p8, tile + 16 * V.Count);
        V.Store(q8, tile + 17 * V.Count);
        V.Store(p9, tile + 18 * V.Count);
        V.Store(q9, tile + 19 * V.Count);
        V.Store(p10, tile + 20 * V.Count);
        V.Store(q10, tile + 21 * V.Count);
        V.Store(p11, tile + 22 * V.Count);
        V.Store(q11, tile + 23 * V.Count);
    }
}

/// <summary>8 filters by 3 vectors of positions.</summary>
internal readonly unsafe struct DirectTile8x3<V, T> : IDirectTile<V, T> where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static int Rows => 8;

    public static int Vectors => 3;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Run<TLoad>(nint taps, T* a, T** at, nint* offsets, nint gap, T* tile) where TLoad : struct, IRowLoad<V, T>
    {
        var b0 = at[0];
        var b1 = at[1];
        var b2 = at[2];
        V p0 = default, q0 = default, r0 = default, p1 = default, q1 = default, r1 = default, p2 = default, q2 = default, r2 = default, p3 = default, q3 = default, r3 = default, p4 = default, q4 = default, r4 = default, p5 = default, q5 = default, r5 = default, p6 = default, q6 = default, r6 = default, p7 = default, q7 = default, r7 = default;
        for (nint tap = 0; tap < taps; tap++)
        {
            var offset = offsets[tap];
            var left = TLoad.Load(b0 + offset, gap);
            var second = TLoad.Load(b1 + offset, gap);
            var third = TLoad.Load(b2 + offset, gap);
            V x;
            x = V.Splat(a[0]);
            p0 = V.Fma(x, left, p0);
            q0 = V.Fma(x, second, q0);
            r0 = V.Fma(x, third, r0);
            x = V.Splat(a[1]);
            p1 = V.Fma(x, left, p1);
            q1 = V.Fma(x, second, q1);
            r1 = V.Fma(x, third, r1);
            x = V.Splat(a[2]);
            p2 = V.Fma(x, left, p2);
            q2 = V.Fma(x, second, q2);
            r2 = V.Fma(x, third, r2);
            x = V.Splat(a[3]);
            p3 = V.Fma(x, left, p3);
            q3 = V.Fma(x, second, q3);
            r3 = V.Fma(x, third, r3);
            x = V.Splat(a[4]);
            p4 = V.Fma(x, left, p4);
            q4 = V.Fma(x, second, q4);
            r4 = V.Fma(x, third, r4);
            x = V.Splat(a[5]);
            p5 = V.Fma(x, left, p5);
            q5 = V.Fma(x, second, q5);
            r5 = V.Fma(x, third, r5);
            x = V.Splat(a[6]);
            p6 = V.Fma(x, left, p6);
            q6 = V.Fma(x, second, q6);
            r6 = V.Fma(x, third, r6);
            x = V.Splat(a[7]);
            p7 = V.Fma(x, left, p7);
            q7 = V.Fma(x, second, q7);
            r7 = V.Fma(x, third, r7);
            a += 8;
        }
        V.Store(p0, tile + 0 * V.Count);
        V.Store(q0, tile + 1 * V.Count);
        V.Store(r0, tile + 2 * V.Count);
        V.Store(p1, tile + 3 * V.Count);
        V.Store(q1, tile + 4 * V.Count);
        V.Store(r1, tile + 5 * V.Count);
        V.Store(p2, tile + 6 * V.Count);
        V.Store(q2, tile + 7 * V.Count);
        V.Store(r2, tile + 8 * V.Count);
        V.Store(p3, tile + 9 * V.Count);
        V.Store(q3, tile + 10 * V.Count);
        V.Store(r3, tile + 11 * V.Count);
        V.Store(p4, tile + 12 * V.Count);
        V.Store(q4, tile + 13 * V.Count);
        V.Store(r4, tile + 14 * V.Count);
        V.Store(p5, tile + 15 * V.Count);
        V.Store(q5, tile + 16 * V.Count);
        V.Store(r5, tile + 17 * V.Count);
        V.Store(p6, tile + 18 * V.Count);
        V.Store(q6, tile + 19 * V.Count);
        V.Store(r6, tile + 20 * V.Count);
        V.Store(p7, tile + 21 * V.Count);
        V.Store(q7, tile + 22 * V.Count);
        V.Store(r7, tile + 23 * V.Count);
    }
}

/// <summary>6 filters by 4 vectors of positions.</summary>
internal readonly unsafe struct DirectTile6x4<V, T> : IDirectTile<V, T> where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static int Rows => 6;

    public static int Vectors => 4;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Run<TLoad>(nint taps, T* a, T** at, nint* offsets, nint gap, T* tile) where TLoad : struct, IRowLoad<V, T>
    {
        var b0 = at[0];
        var b1 = at[1];
        var b2 = at[2];
        var b3 = at[3];
        V p0 = default, q0 = default, r0 = default, s0 = default, p1 = default, q1 = default, r1 = default, s1 = default, p2 = default, q2 = default, r2 = default, s2 = default, p3 = default, q3 = default, r3 = default, s3 = default, p4 = default, q4 = default, r4 = default, s4 = default, p5 = default, q5 = default, r5 = default, s5 = default;
        for (nint tap = 0; tap < taps; tap++)
        {
            var offset = offsets[tap];
            var left = TLoad.Load(b0 + offset, gap);
            var second = TLoad.Load(b1 + offset, gap);
            var third = TLoad.Load(b2 + offset, gap);
            var fourth = TLoad.Load(b3 + offset, gap);
            V x;
            x = V.Splat(a[0]);
            p0 = V.Fma(x, left, p0);
            q0 = V.Fma(x, second, q0);
            r0 = V.Fma(x, third, r0);
            s0 = V.Fma(x, fourth, s0);
            x = V.Splat(a[1]);
            p1 = V.Fma(x, left, p1);
            q1 = V.Fma(x, second, q1);
            r1 = V.Fma(x, third, r1);
            s1 = V.Fma(x, fourth, s1);
            x = V.Splat(a[2]);
            p2 = V.Fma(x, left, p2);
            q2 = V.Fma(x, second, q2);
            r2 = V.Fma(x, third, r2);
            s2 = V.Fma(x, fourth, s2);
            x = V.Splat(a[3]);
            p3 = V.Fma(x, left, p3);
            q3 = V.Fma(x, second, q3);
            r3 = V.Fma(x, third, r3);
            s3 = V.Fma(x, fourth, s3);
            x = V.Splat(a[4]);
            p4 = V.Fma(x, left, p4);
            q4 = V.Fma(x, second, q4);
            r4 = V.Fma(x, third, r4);
            s4 = V.Fma(x, fourth, s4);
            x = V.Splat(a[5]);
            p5 = V.Fma(x, left, p5);
            q5 = V.Fma(x, second, q5);
            r5 = V.Fma(x, third, r5);
            s5 = V.Fma(x, fourth, s5);
            a += 6;
        }
        V.Store(p0, tile + 0 * V.Count);
        V.Store(q0, tile + 1 * V.Count);
        V.Store(r0, tile + 2 * V.Count);
        V.Store(s0, tile + 3 * V.Count);
        V.Store(p1, tile + 4 * V.Count);
        V.Store(q1, tile + 5 * V.Count);
        V.Store(r1, tile + 6 * V.Count);
        V.Store(s1, tile + 7 * V.Count);
        V.Store(p2, tile + 8 * V.Count);
        V.Store(q2, tile + 9 * V.Count);
        V.Store(r2, tile + 10 * V.Count);
        V.Store(s2, tile + 11 * V.Count);
        V.Store(p3, tile + 12 * V.Count);
        V.Store(q3, tile + 13 * V.Count);
        V.Store(r3, tile + 14 * V.Count);
        V.Store(s3, tile + 15 * V.Count);
        V.Store(p4, tile + 16 * V.Count);
        V.Store(q4, tile + 17 * V.Count);
        V.Store(r4, tile + 18 * V.Count);
        V.Store(s4, tile + 19 * V.Count);
        V.Store(p5, tile + 20 * V.Count);
        V.Store(q5, tile + 21 * V.Count);
        V.Store(r5, tile + 22 * V.Count);
        V.Store(s5, tile + 23 * V.Count);
    }
}

/// <summary>6 filters by 2 vectors of positions.</summary>
internal readonly unsafe struct DirectTile6x2<V, T> : IDirectTile<V, T> where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static int Rows => 6;

    public static int Vectors => 2;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Run<TLoad>(nint taps, T* a, T** at, nint* offsets, nint gap, T* tile) where TLoad : struct, IRowLoad<V, T>
    {
        var b0 = at[0];
        var b1 = at[1];
        V p0 = default, q0 = default, p1 = default, q1 = default, p2 = default, q2 = default, p3 = default, q3 = default, p4 = default, q4 = default, p5 = default, q5 = default;
        for (nint tap = 0; tap < taps; tap++)
        {
            var offset = offsets[tap];
            var left = TLoad.Load(b0 + offset, gap);
            var second = TLoad.Load(b1 + offset, gap);
            V x;
            x = V.Splat(a[0]);
            p0 = V.Fma(x, left, p0);
            q0 = V.Fma(x, second, q0);
            x = V.Splat(a[1]);
            p1 = V.Fma(x, left, p1);
            q1 = V.Fma(x, second, q1);
            x = V.Splat(a[2]);
            p2 = V.Fma(x, left, p2);
            q2 = V.Fma(x, second, q2);
            x = V.Splat(a[3]);
            p3 = V.Fma(x, left, p3);
            q3 = V.Fma(x, second, q3);
            x = V.Splat(a[4]);
            p4 = V.Fma(x, left, p4);
            q4 = V.Fma(x, second, q4);
            x = V.Splat(a[5]);
            p5 = V.Fma(x, left, p5);
            q5 = V.Fma(x, second, q5);
            a += 6;
        }
        V.Store(p0, tile + 0 * V.Count);
        V.Store(q0, tile + 1 * V.Count);
        V.Store(p1, tile + 2 * V.Count);
        V.Store(q1, tile + 3 * V.Count);
        V.Store(p2, tile + 4 * V.Count);
        V.Store(q2, tile + 5 * V.Count);
        V.Store(p3, tile + 6 * V.Count);
        V.Store(q3, tile + 7 * V.Count);
        V.Store(p4, tile + 8 * V.Count);
        V.Store(q4, tile + 9 * V.Count);
        V.Store(p5, tile + 10 * V.Count);
        V.Store(q5, tile + 11 * V.Count);
    }
}
