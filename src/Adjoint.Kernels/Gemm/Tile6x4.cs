using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// The micro-kernel of 6 rows by 4 vectors: 24 accumulators stay in registers while k runs; per step 4 loads of B and 6 broadcasts of A
/// feed 24 fused multiply-adds. For matrices of few rows. Spelled out, because the compiler keeps arrays out of registers.
/// </summary>
internal readonly unsafe struct Tile6x4<V, T> : ITile<T> where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static int Rows => 6;

    public static int Columns
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 4 * V.Count;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Run(nint depth, T* a, T* b, nint strideB, T* c, nint ldc, T alpha, T beta)
    {
        V p0 = default, q0 = default, r0 = default, s0 = default, p1 = default, q1 = default, r1 = default, s1 = default, p2 = default, q2 = default, r2 = default, s2 = default, p3 = default, q3 = default, r3 = default, s3 = default, p4 = default, q4 = default, r4 = default, s4 = default, p5 = default, q5 = default, r5 = default, s5 = default;
        for (nint k = 0; k < depth; k++)
        {
            var left = V.Load(b);
            var second = V.Load(b + 1 * V.Count);
            var third = V.Load(b + 2 * V.Count);
            var fourth = V.Load(b + 3 * V.Count);
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
            b += strideB;
        }
        var (scale, keep) = (V.Splat(alpha), V.Splat(beta));
        Put(c + 0 * ldc + 0 * V.Count, p0, scale, keep, beta);
        Put(c + 0 * ldc + 1 * V.Count, q0, scale, keep, beta);
        Put(c + 0 * ldc + 2 * V.Count, r0, scale, keep, beta);
        Put(c + 0 * ldc + 3 * V.Count, s0, scale, keep, beta);
        Put(c + 1 * ldc + 0 * V.Count, p1, scale, keep, beta);
        Put(c + 1 * ldc + 1 * V.Count, q1, scale, keep, beta);
        Put(c + 1 * ldc + 2 * V.Count, r1, scale, keep, beta);
        Put(c + 1 * ldc + 3 * V.Count, s1, scale, keep, beta);
        Put(c + 2 * ldc + 0 * V.Count, p2, scale, keep, beta);
        Put(c + 2 * ldc + 1 * V.Count, q2, scale, keep, beta);
        Put(c + 2 * ldc + 2 * V.Count, r2, scale, keep, beta);
        Put(c + 2 * ldc + 3 * V.Count, s2, scale, keep, beta);
        Put(c + 3 * ldc + 0 * V.Count, p3, scale, keep, beta);
        Put(c + 3 * ldc + 1 * V.Count, q3, scale, keep, beta);
        Put(c + 3 * ldc + 2 * V.Count, r3, scale, keep, beta);
        Put(c + 3 * ldc + 3 * V.Count, s3, scale, keep, beta);
        Put(c + 4 * ldc + 0 * V.Count, p4, scale, keep, beta);
        Put(c + 4 * ldc + 1 * V.Count, q4, scale, keep, beta);
        Put(c + 4 * ldc + 2 * V.Count, r4, scale, keep, beta);
        Put(c + 4 * ldc + 3 * V.Count, s4, scale, keep, beta);
        Put(c + 5 * ldc + 0 * V.Count, p5, scale, keep, beta);
        Put(c + 5 * ldc + 1 * V.Count, q5, scale, keep, beta);
        Put(c + 5 * ldc + 2 * V.Count, r5, scale, keep, beta);
        Put(c + 5 * ldc + 3 * V.Count, s5, scale, keep, beta);
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
