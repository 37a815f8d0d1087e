using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// A register-blocked micro-kernel whose left operand lies at any strides: C (+)= A·B over <see cref="Rows"/> rows by <see cref="Vectors"/> vectors, element (i, k) of A at
/// a[i·row + k·step], vector k of B at b + k·strideB. Spelled out, because the compiler keeps arrays out of registers.
/// </summary>
internal unsafe interface IStridedTile<V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    /// <summary>Rows of C.</summary>
    static abstract int Rows { get; }

    /// <summary>Vectors of a row of C.</summary>
    static abstract int Vectors { get; }

    /// <summary>The product; added to what C holds, or in its place.</summary>
    static abstract void Run(nint steps, T* a, nint row, nint step, T* b, nint strideB, T* c, nint strideC, bool accumulate);
}

/// <summary>8 rows by 2 vectors: per step 2 loads of B and 8 broadcasts feed 16 multiply-adds, as many as a latency of four cycles needs twice over.</summary>
internal readonly unsafe struct StridedTile8x2<V, T> : IStridedTile<V, T> where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static int Rows => 8;

    public static int Vectors => 2;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Run(nint steps, T* a, nint row, nint step, T* b, nint strideB, T* c, nint strideC, bool accumulate)
    {
        V a0 = default, b0 = default, a1 = default, b1 = default, a2 = default, b2 = default, a3 = default, b3 = default, a4 = default, b4 = default, a5 = default, b5 = default, a6 = default, b6 = default, a7 = default, b7 = default;
        var twice = 2 * row;
        var x0 = a;
        var x3 = a + 3 * row;
        var x6 = a + 6 * row;
        for (nint k = 0; k < steps; k++)
        {
            var left = V.Load(b);
            var right = V.Load(b + V.Count);
            V x;
            x = V.Splat(x0[0]);
            a0 = V.Fma(x, left, a0);
            b0 = V.Fma(x, right, b0);
            x = V.Splat(x0[row]);
            a1 = V.Fma(x, left, a1);
            b1 = V.Fma(x, right, b1);
            x = V.Splat(x0[twice]);
            a2 = V.Fma(x, left, a2);
            b2 = V.Fma(x, right, b2);
            x = V.Splat(x3[0]);
            a3 = V.Fma(x, left, a3);
            b3 = V.Fma(x, right, b3);
            x = V.Splat(x3[row]);
            a4 = V.Fma(x, left, a4);
            b4 = V.Fma(x, right, b4);
            x = V.Splat(x3[twice]);
            a5 = V.Fma(x, left, a5);
            b5 = V.Fma(x, right, b5);
            x = V.Splat(x6[0]);
            a6 = V.Fma(x, left, a6);
            b6 = V.Fma(x, right, b6);
            x = V.Splat(x6[row]);
            a7 = V.Fma(x, left, a7);
            b7 = V.Fma(x, right, b7);
            x0 += step;
            x3 += step;
            x6 += step;
            b += strideB;
        }
        if (accumulate)
        {
            a0 += V.Load(c);
            b0 += V.Load(c + V.Count);
            a1 += V.Load(c + strideC);
            b1 += V.Load(c + strideC + V.Count);
            a2 += V.Load(c + 2 * strideC);
            b2 += V.Load(c + 2 * strideC + V.Count);
            a3 += V.Load(c + 3 * strideC);
            b3 += V.Load(c + 3 * strideC + V.Count);
            a4 += V.Load(c + 4 * strideC);
            b4 += V.Load(c + 4 * strideC + V.Count);
            a5 += V.Load(c + 5 * strideC);
            b5 += V.Load(c + 5 * strideC + V.Count);
            a6 += V.Load(c + 6 * strideC);
            b6 += V.Load(c + 6 * strideC + V.Count);
            a7 += V.Load(c + 7 * strideC);
            b7 += V.Load(c + 7 * strideC + V.Count);
        }
        V.Store(a0, c);
        V.Store(b0, c + V.Count);
        V.Store(a1, c + strideC);
        V.Store(b1, c + strideC + V.Count);
        V.Store(a2, c + 2 * strideC);
        V.Store(b2, c + 2 * strideC + V.Count);
        V.Store(a3, c + 3 * strideC);
        V.Store(b3, c + 3 * strideC + V.Count);
        V.Store(a4, c + 4 * strideC);
        V.Store(b4, c + 4 * strideC + V.Count);
        V.Store(a5, c + 5 * strideC);
        V.Store(b5, c + 5 * strideC + V.Count);
        V.Store(a6, c + 6 * strideC);
        V.Store(b6, c + 6 * strideC + V.Count);
        V.Store(a7, c + 7 * strideC);
        V.Store(b7, c + 7 * strideC + V.Count);
    }
}

/// <summary>16 rows by 1 vector, for what two vectors do not fill.</summary>
internal readonly unsafe struct StridedTile16x1<V, T> : IStridedTile<V, T> where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static int Rows => 16;

    public static int Vectors => 1;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Run(nint steps, T* a, nint row, nint step, T* b, nint strideB, T* c, nint strideC, bool accumulate)
    {
        V a0 = default, a1 = default, a2 = default, a3 = default, a4 = default, a5 = default, a6 = default, a7 = default, a8 = default, a9 = default, a10 = default, a11 = default, a12 = default, a13 = default, a14 = default, a15 = default;
        var twice = 2 * row;
        var x0 = a;
        var x3 = a + 3 * row;
        var x6 = a + 6 * row;
        var x9 = a + 9 * row;
        var x12 = a + 12 * row;
        var x15 = a + 15 * row;
        for (nint k = 0; k < steps; k++)
        {
            var left = V.Load(b);
            a0 = V.FmaSplat(left, x0, a0);
            a1 = V.FmaSplat(left, x0 + row, a1);
            a2 = V.FmaSplat(left, x0 + twice, a2);
            a3 = V.FmaSplat(left, x3, a3);
            a4 = V.FmaSplat(left, x3 + row, a4);
            a5 = V.FmaSplat(left, x3 + twice, a5);
            a6 = V.FmaSplat(left, x6, a6);
            a7 = V.FmaSplat(left, x6 + row, a7);
            a8 = V.FmaSplat(left, x6 + twice, a8);
            a9 = V.FmaSplat(left, x9, a9);
            a10 = V.FmaSplat(left, x9 + row, a10);
            a11 = V.FmaSplat(left, x9 + twice, a11);
            a12 = V.FmaSplat(left, x12, a12);
            a13 = V.FmaSplat(left, x12 + row, a13);
            a14 = V.FmaSplat(left, x12 + twice, a14);
            a15 = V.FmaSplat(left, x15, a15);
            x0 += step;
            x3 += step;
            x6 += step;
            x9 += step;
            x12 += step;
            x15 += step;
            b += strideB;
        }
        if (accumulate)
        {
            a0 += V.Load(c);
            a1 += V.Load(c + strideC);
            a2 += V.Load(c + 2 * strideC);
            a3 += V.Load(c + 3 * strideC);
            a4 += V.Load(c + 4 * strideC);
            a5 += V.Load(c + 5 * strideC);
            a6 += V.Load(c + 6 * strideC);
            a7 += V.Load(c + 7 * strideC);
            a8 += V.Load(c + 8 * strideC);
            a9 += V.Load(c + 9 * strideC);
            a10 += V.Load(c + 10 * strideC);
            a11 += V.Load(c + 11 * strideC);
            a12 += V.Load(c + 12 * strideC);
            a13 += V.Load(c + 13 * strideC);
            a14 += V.Load(c + 14 * strideC);
            a15 += V.Load(c + 15 * strideC);
        }
        V.Store(a0, c);
        V.Store(a1, c + strideC);
        V.Store(a2, c + 2 * strideC);
        V.Store(a3, c + 3 * strideC);
        V.Store(a4, c + 4 * strideC);
        V.Store(a5, c + 5 * strideC);
        V.Store(a6, c + 6 * strideC);
        V.Store(a7, c + 7 * strideC);
        V.Store(a8, c + 8 * strideC);
        V.Store(a9, c + 9 * strideC);
        V.Store(a10, c + 10 * strideC);
        V.Store(a11, c + 11 * strideC);
        V.Store(a12, c + 12 * strideC);
        V.Store(a13, c + 13 * strideC);
        V.Store(a14, c + 14 * strideC);
        V.Store(a15, c + 15 * strideC);
    }
}

/// <summary>6 rows by 2 vectors, for 16 registers.</summary>
internal readonly unsafe struct StridedTile6x2<V, T> : IStridedTile<V, T> where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static int Rows => 6;

    public static int Vectors => 2;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Run(nint steps, T* a, nint row, nint step, T* b, nint strideB, T* c, nint strideC, bool accumulate)
    {
        V a0 = default, b0 = default, a1 = default, b1 = default, a2 = default, b2 = default, a3 = default, b3 = default, a4 = default, b4 = default, a5 = default, b5 = default;
        var twice = 2 * row;
        var x0 = a;
        var x3 = a + 3 * row;
        for (nint k = 0; k < steps; k++)
        {
            var left = V.Load(b);
            var right = V.Load(b + V.Count);
            V x;
            x = V.Splat(x0[0]);
            a0 = V.Fma(x, left, a0);
            b0 = V.Fma(x, right, b0);
            x = V.Splat(x0[row]);
            a1 = V.Fma(x, left, a1);
            b1 = V.Fma(x, right, b1);
            x = V.Splat(x0[twice]);
            a2 = V.Fma(x, left, a2);
            b2 = V.Fma(x, right, b2);
            x = V.Splat(x3[0]);
            a3 = V.Fma(x, left, a3);
            b3 = V.Fma(x, right, b3);
            x = V.Splat(x3[row]);
            a4 = V.Fma(x, left, a4);
            b4 = V.Fma(x, right, b4);
            x = V.Splat(x3[twice]);
            a5 = V.Fma(x, left, a5);
            b5 = V.Fma(x, right, b5);
            x0 += step;
            x3 += step;
            b += strideB;
        }
        if (accumulate)
        {
            a0 += V.Load(c);
            b0 += V.Load(c + V.Count);
            a1 += V.Load(c + strideC);
            b1 += V.Load(c + strideC + V.Count);
            a2 += V.Load(c + 2 * strideC);
            b2 += V.Load(c + 2 * strideC + V.Count);
            a3 += V.Load(c + 3 * strideC);
            b3 += V.Load(c + 3 * strideC + V.Count);
            a4 += V.Load(c + 4 * strideC);
            b4 += V.Load(c + 4 * strideC + V.Count);
            a5 += V.Load(c + 5 * strideC);
            b5 += V.Load(c + 5 * strideC + V.Count);
        }
        V.Store(a0, c);
        V.Store(b0, c + V.Count);
        V.Store(a1, c + strideC);
        V.Store(b1, c + strideC + V.Count);
        V.Store(a2, c + 2 * strideC);
        V.Store(b2, c + 2 * strideC + V.Count);
        V.Store(a3, c + 3 * strideC);
        V.Store(b3, c + 3 * strideC + V.Count);
        V.Store(a4, c + 4 * strideC);
        V.Store(b4, c + 4 * strideC + V.Count);
        V.Store(a5, c + 5 * strideC);
        V.Store(b5, c + 5 * strideC + V.Count);
    }
}

/// <summary>12 rows by 1 vector, for 16 registers.</summary>
internal readonly unsafe struct StridedTile12x1<V, T> : IStridedTile<V, T> where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static int Rows => 12;

    public static int Vectors => 1;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Run(nint steps, T* a, nint row, nint step, T* b, nint strideB, T* c, nint strideC, bool accumulate)
    {
        V a0 = default, a1 = default, a2 = default, a3 = default, a4 = default, a5 = default, a6 = default, a7 = default, a8 = default, a9 = default, a10 = default, a11 = default;
        var twice = 2 * row;
        var x0 = a;
        var x3 = a + 3 * row;
        var x6 = a + 6 * row;
        var x9 = a + 9 * row;
        for (nint k = 0; k < steps; k++)
        {
            var left = V.Load(b);
            a0 = V.FmaSplat(left, x0, a0);
            a1 = V.FmaSplat(left, x0 + row, a1);
            a2 = V.FmaSplat(left, x0 + twice, a2);
            a3 = V.FmaSplat(left, x3, a3);
            a4 = V.FmaSplat(left, x3 + row, a4);
            a5 = V.FmaSplat(left, x3 + twice, a5);
            a6 = V.FmaSplat(left, x6, a6);
            a7 = V.FmaSplat(left, x6 + row, a7);
            a8 = V.FmaSplat(left, x6 + twice, a8);
            a9 = V.FmaSplat(left, x9, a9);
            a10 = V.FmaSplat(left, x9 + row, a10);
            a11 = V.FmaSplat(left, x9 + twice, a11);
            x0 += step;
            x3 += step;
            x6 += step;
            x9 += step;
            b += strideB;
        }
        if (accumulate)
        {
            a0 += V.Load(c);
            a1 += V.Load(c + strideC);
            a2 += V.Load(c + 2 * strideC);
            a3 += V.Load(c + 3 * strideC);
            a4 += V.Load(c + 4 * strideC);
            a5 += V.Load(c + 5 * strideC);
            a6 += V.Load(c + 6 * strideC);
            a7 += V.Load(c + 7 * strideC);
            a8 += V.Load(c + 8 * strideC);
            a9 += V.Load(c + 9 * strideC);
            a10 += V.Load(c + 10 * strideC);
            a11 += V.Load(c + 11 * strideC);
        }
        V.Store(a0, c);
        V.Store(a1, c + strideC);
        V.Store(a2, c + 2 * strideC);
        V.Store(a3, c + 3 * strideC);
        V.Store(a4, c + 4 * strideC);
        V.Store(a5, c + 5 * strideC);
        V.Store(a6, c + 6 * strideC);
        V.Store(a7, c + 7 * strideC);
        V.Store(a8, c + 8 * strideC);
        V.Store(a9, c + 9 * strideC);
        V.Store(a10, c + 10 * strideC);
        V.Store(a11, c + 11 * strideC);
    }
}
