using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// The micro-kernel of 8 rows by 3 vectors: 24 accumulators stay in registers while k runs; per step 3 loads of B and 8 broadcasts of A
/// feed 24 fused multiply-adds. For matrices of few rows. Spelled out, because the compiler keeps arrays out of registers.
/// </summary>
internal readonly unsafe struct Tile8x3<V, T> : ITile<T> where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static int Rows => 8;

    public static int Columns
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 3 * V.Count;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Run(nint depth, T* a, T* b, nint strideB, T* c, nint ldc, T alpha, T beta)
    {
        V p0 = default, q0 = default, r0 = default, p1 = default, q1 = default, r1 = default, p2 = default, q2 = default, r2 = default, p3 = default, q3 = default, r3 = default, p4 = default, q4 = default, r4 = default, p5 = default, q5 = default, r5 = default, p6 = default, q6 = default, r6 = default, p7 = default, q7 = default, r7 = default;
        for (nint k = 0; k < depth; k++)
        {
            var left = V.Load(b);
            var second = V.Load(b + 1 * V.Count);
            var third = V.Load(b + 2 * V.Count);
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
            b += strideB;
        }
        var (scale, keep) = (V.Splat(alpha), V.Splat(beta));
        Put(c + 0 * ldc + 0 * V.Count, p0, scale, keep, beta);
        Put(c + 0 * ldc + 1 * V.Count, q0, scale, keep, beta);
        Put(c + 0 * ldc + 2 * V.Count, r0, scale, keep, beta);
        Put(c + 1 * ldc + 0 * V.Count, p1, scale, keep, beta);
        Put(c + 1 * ldc + 1 * V.Count, q1, scale, keep, beta);
        Put(c + 1 * ldc + 2 * V.Count, r1, scale, keep, beta);
        Put(c + 2 * ldc + 0 * V.Count, p2, scale, keep, beta);
        Put(c + 2 * ldc + 1 * V.Count, q2, scale, keep, beta);
        Put(c + 2 * ldc + 2 * V.Count, r2, scale, keep, beta);
        Put(c + 3 * ldc + 0 * V.Count, p3, scale, keep, beta);
        Put(c + 3 * ldc + 1 * V.Count, q3, scale, keep, beta);
        Put(c + 3 * ldc + 2 * V.Count, r3, scale, keep, beta);
        Put(c + 4 * ldc + 0 * V.Count, p4, scale, keep, beta);
        Put(c + 4 * ldc + 1 * V.Count, q4, scale, keep, beta);
        Put(c + 4 * ldc + 2 * V.Count, r4, scale, keep, beta);
        Put(c + 5 * ldc + 0 * V.Count, p5, scale, keep, beta);
        Put(c + 5 * ldc + 1 * V.Count, q5, scale, keep, beta);
        Put(c + 5 * ldc + 2 * V.Count, r5, scale, keep, beta);
        Put(c + 6 * ldc + 0 * V.Count, p6, scale, keep, beta);
        Put(c + 6 * ldc + 1 * V.Count, q6, scale, keep, beta);
        Put(c + 6 * ldc + 2 * V.Count, r6, scale, keep, beta);
        Put(c + 7 * ldc + 0 * V.Count, p7, scale, keep, beta);
        Put(c + 7 * ldc + 1 * V.Count, q7, scale, keep, beta);
        Put(c + 7 * ldc + 2 * V.Count, r7, scale, keep, beta);
    }

    public static void Finish<TOperator>(int rows, T* c, nint ldc, T* bias, TOperator activation) where TOperator : struct, IUnaryOperator
    {
        for (; rows > 0; rows--, c += ldc)
            for (var i = 0; i < Columns; i += V.Count)
                V.Store(activation.Invoke(bias == null ? V.Load(c + i) : V.Load(c + i) + V.Load(bias + i)), c + i);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(T* c, V value, V alpha, V keep, T beta)
    {
        value *= alpha;
        V.Store(beta == T.Zero ? value : V.Fma(keep, V.Load(c), value), c);
    }
}
