using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// The micro-kernel of 12 rows by 2 vectors: 24 accumulators stay in registers while k runs; per step 2 loads of B and 12 broadcasts of A
/// feed 24 fused multiply-adds. Spelled out, because the compiler keeps arrays out of registers.
/// </summary>
internal readonly unsafe struct Tile12x2<V, T> : ITile<T> where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static int Rows => 12;

    public static int Columns
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 2 * V.Count;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Run(nint depth, T* a, T* b, nint strideB, T* c, nint ldc, T alpha, T beta)
    {
        V a0 = default, b0 = default, a1 = default, b1 = default, a2 = default, b2 = default, a3 = default, b3 = default, a4 = default, b4 = default, a5 = default, b5 = default, a6 = default, b6 = default, a7 = default, b7 = default, a8 = default, b8 = default, a9 = default, b9 = default, a10 = default, b10 = default, a11 = default, b11 = default;
        for (nint k = 0; k < depth; k++)
        {
            var left = V.Load(b);
            var right = V.Load(b + V.Count);
            V x;
            x = V.Splat(a[0]);
            a0 = V.Fma(x, left, a0);
            b0 = V.Fma(x, right, b0);
            x = V.Splat(a[1]);
            a1 = V.Fma(x, left, a1);
            b1 = V.Fma(x, right, b1);
            x = V.Splat(a[2]);
            a2 = V.Fma(x, left, a2);
            b2 = V.Fma(x, right, b2);
            x = V.Splat(a[3]);
            a3 = V.Fma(x, left, a3);
            b3 = V.Fma(x, right, b3);
            x = V.Splat(a[4]);
            a4 = V.Fma(x, left, a4);
            b4 = V.Fma(x, right, b4);
            x = V.Splat(a[5]);
            a5 = V.Fma(x, left, a5);
            b5 = V.Fma(x, right, b5);
            x = V.Splat(a[6]);
            a6 = V.Fma(x, left, a6);
            b6 = V.Fma(x, right, b6);
            x = V.Splat(a[7]);
            a7 = V.Fma(x, left, a7);
            b7 = V.Fma(x, right, b7);
            x = V.Splat(a[8]);
            a8 = V.Fma(x, left, a8);
            b8 = V.Fma(x, right, b8);
            x = V.Splat(a[9]);
            a9 = V.Fma(x, left, a9);
            b9 = V.Fma(x, right, b9);
            x = V.Splat(a[10]);
            a10 = V.Fma(x, left, a10);
            b10 = V.Fma(x, right, b10);
            x = V.Splat(a[11]);
            a11 = V.Fma(x, left, a11);
            b11 = V.Fma(x, right, b11);
            a += 12;
            b += strideB;
        }
        var (scale, keep) = (V.Splat(alpha), V.Splat(beta));
        Put(c + 0 * ldc, a0, b0, scale, keep, beta);
        Put(c + 1 * ldc, a1, b1, scale, keep, beta);
        Put(c + 2 * ldc, a2, b2, scale, keep, beta);
        Put(c + 3 * ldc, a3, b3, scale, keep, beta);
        Put(c + 4 * ldc, a4, b4, scale, keep, beta);
        Put(c + 5 * ldc, a5, b5, scale, keep, beta);
        Put(c + 6 * ldc, a6, b6, scale, keep, beta);
        Put(c + 7 * ldc, a7, b7, scale, keep, beta);
        Put(c + 8 * ldc, a8, b8, scale, keep, beta);
        Put(c + 9 * ldc, a9, b9, scale, keep, beta);
        Put(c + 10 * ldc, a10, b10, scale, keep, beta);
        Put(c + 11 * ldc, a11, b11, scale, keep, beta);
    }

    public static void Finish<TOperator>(int rows, T* c, nint ldc, T* bias, TOperator activation) where TOperator : struct, IUnaryOperator
    {
        var (left, right) = bias == null ? (V.Splat(0), V.Splat(0)) : (V.Load(bias), V.Load(bias + V.Count));
        for (; rows > 0; rows--, c += ldc)
        {
            V.Store(activation.Invoke(V.Load(c) + left), c);
            V.Store(activation.Invoke(V.Load(c + V.Count) + right), c + V.Count);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(T* c, V left, V right, V alpha, V keep, T beta)
    {
        (left, right) = (left * alpha, right * alpha);
        if (beta != T.Zero)
        {
            left = V.Fma(keep, V.Load(c), left);
            right = V.Fma(keep, V.Load(c + V.Count), right);
        }
        V.Store(left, c);
        V.Store(right, c + V.Count);
    }
}
