using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// What softmax and its relatives need of one row: its maximum, and e^(xₖ − max) with their sum, each exponential
/// computed once.
/// </summary>
internal static unsafe class ExpRow
{
    /// <summary>
    /// Σₖ e^(xₖ − max), and the terms into <paramref name="y"/> unless null (in place allowed). A NaN makes the sum
    /// NaN; a row of −∞ has the maximum −∞.
    /// </summary>
    internal static T Run<T>(T* x, T* y, nint n, out T max) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T found;
        var sum = Simd.Widest<T, T, Kernel<T>>(new(x, y, n, &found));
        max = found;
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static T Run<V, T>(T* x, T* y, nint n, out T max) where V : struct, ILanes<V, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        // What is left of the row after whole vectors, filled up with −∞, whose exponential is 0.
        var tail = stackalloc T[V.Count];
        var whole = n - n % V.Count;
        for (nint i = 0; i < V.Count; i++) tail[i] = whole + i < n ? x[whole + i] : T.NegativeInfinity;

        var (a, b) = (V.Load(tail), V.Splat(double.NegativeInfinity));
        nint k = 0;
        for (; k <= whole - 2 * V.Count; k += 2 * V.Count)
        {
            a = V.Max(a, V.Load(x + k));
            b = V.Max(b, V.Load(x + k + V.Count));
        }
        if (k < whole) b = V.Max(b, V.Load(x + k));
        max = Fold(V.Max(a, b), largest: true);

        var shift = V.Splat(max);
        var (sum, second) = (V.Exp(V.Load(tail) - shift), V.Splat(0));
        if (y != null)
        {
            // Before whole vectors are written: y may be x.
            V.Store(sum, tail);
            for (nint i = 0; whole + i < n; i++) y[whole + i] = tail[i];
        }
        for (k = 0; k <= whole - 2 * V.Count; k += 2 * V.Count)
        {
            var (left, right) = (V.Exp(V.Load(x + k) - shift), V.Exp(V.Load(x + k + V.Count) - shift));
            (sum, second) = (sum + left, second + right);
            if (y == null) continue;
            V.Store(left, y + k);
            V.Store(right, y + k + V.Count);
        }
        if (k < whole)
        {
            var last = V.Exp(V.Load(x + k) - shift);
            second += last;
            if (y != null) V.Store(last, y + k);
        }
        return Fold(sum + second, largest: false);

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        static T Fold(V lanes, bool largest)
        {
            var values = stackalloc T[V.Count];
            V.Store(lanes, values);
            for (var half = V.Count / 2; half > 0; half /= 2)
                for (var i = 0; i < half; i++)
                    values[i] = largest ? T.Max(values[i], values[i + half]) : values[i] + values[i + half];
            return values[0];
        }
    }

    private readonly struct Kernel<T>(T* x, T* y, nint n, T* max) : IVectorKernel<T, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public T Invoke<V>() where V : struct, ILanes<V, T> => Run<V, T>(x, y, n, out *max);
    }
}
