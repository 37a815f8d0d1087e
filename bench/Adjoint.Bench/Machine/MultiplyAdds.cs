using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Adjoint.Bench;

/// <summary>Fused multiply-adds from registers, at the widest vectors, as fast as one core goes.</summary>
internal static class MultiplyAdds
{
    // Twelve independent chains hide the latency of two units.
    private const int Chains = 12;
    private static float sink;

    /// <summary>Bits of the widest vectors.</summary>
    internal static int Bits { get; } =
        Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128;

    /// <summary>Floating-point operations of one step.</summary>
    internal static double FlopsOfStep { get; } = 2.0 * Chains * Bits / 32;

    internal static void Run(int steps)
    {
        if (Bits == 512) Run<Vector512<float>, Lanes512>(steps);
        else if (Bits == 256) Run<Vector256<float>, Lanes256>(steps);
        else Run<Vector128<float>, Lanes128>(steps);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Run<V, TLanes>(int steps) where TLanes : ILanes<V>
    {
        V a = TLanes.Splat(1), b = a, c = a, d = a, e = a, f = a, g = a, h = a, i = a, j = a, k = a, l = a;
        var (x, y) = (TLanes.Splat(0.999f), TLanes.Splat(0.001f));
        for (var step = 0; step < steps; step++)
        {
            a = TLanes.Fma(a, x, y);
            b = TLanes.Fma(b, x, y);
            c = TLanes.Fma(c, x, y);
            d = TLanes.Fma(d, x, y);
            e = TLanes.Fma(e, x, y);
            f = TLanes.Fma(f, x, y);
            g = TLanes.Fma(g, x, y);
            h = TLanes.Fma(h, x, y);
            i = TLanes.Fma(i, x, y);
            j = TLanes.Fma(j, x, y);
            k = TLanes.Fma(k, x, y);
            l = TLanes.Fma(l, x, y);
        }
        // What nobody reads would not be computed.
        var half = TLanes.Fma(a, b, TLanes.Fma(c, d, TLanes.Fma(e, f, x)));
        sink = TLanes.First(TLanes.Fma(g, h, TLanes.Fma(i, j, TLanes.Fma(k, l, half))));
    }

    private interface ILanes<V>
    {
        static abstract V Splat(float value);

        static abstract V Fma(V a, V b, V c);

        static abstract float First(V a);
    }

    private readonly struct Lanes512 : ILanes<Vector512<float>>
    {
        public static Vector512<float> Splat(float value) => Vector512.Create(value);

        public static Vector512<float> Fma(Vector512<float> a, Vector512<float> b, Vector512<float> c) =>
            Vector512.FusedMultiplyAdd(a, b, c);

        public static float First(Vector512<float> a) => a.ToScalar();
    }

    private readonly struct Lanes256 : ILanes<Vector256<float>>
    {
        public static Vector256<float> Splat(float value) => Vector256.Create(value);

        public static Vector256<float> Fma(Vector256<float> a, Vector256<float> b, Vector256<float> c) =>
            Vector256.FusedMultiplyAdd(a, b, c);

        public static float First(Vector256<float> a) => a.ToScalar();
    }

    private readonly struct Lanes128 : ILanes<Vector128<float>>
    {
        public static Vector128<float> Splat(float value) => Vector128.Create(value);

        public static Vector128<float> Fma(Vector128<float> a, Vector128<float> b, Vector128<float> c) =>
            Vector128.FusedMultiplyAdd(a, b, c);

        public static float First(Vector128<float> a) => a.ToScalar();
    }
}
