namespace Adjoint.Kernels;

/// <summary>Quotients rounded down (floor division), and remainders of floating-point numbers.</summary>
internal static class Quotient
{
    /// <summary>⌊x / y⌋ of the exact quotient; x / y for y = 0, NaN for infinite x.</summary>
    internal static T Floor<T>(T x, T y) where T : unmanaged =>
        typeof(T) == typeof(float) ? (T)(object)(float)Floor((double)(float)(object)x, (float)(object)y)
        : typeof(T) == typeof(double) ? (T)(object)Floor((double)(object)x, (double)(object)y)
        : throw Elements.None<T, T>();

    /// <summary>
    /// x − y·⌊x / y⌋, exact but for one rounding where x and y differ in sign; NaN for y = 0 or infinite x.
    /// </summary>
    internal static T Remainder<T>(T x, T y) where T : unmanaged =>
        typeof(T) == typeof(float) ? (T)(object)Remainder((float)(object)x, (float)(object)y)
        : typeof(T) == typeof(double) ? (T)(object)Remainder((double)(object)x, (double)(object)y)
        : throw Elements.None<T, T>();

    private static double Floor(double x, double y)
    {
        if (y == 0) return x / y;
        var remainder = x % y;
        // x − remainder is a multiple of y, but for a rounding that does not reach the next one.
        var quotient = (x - remainder) / y;
        if (remainder != 0 && remainder < 0 != y < 0) quotient--;
        if (quotient == 0) return Math.CopySign(0, x / y);
        var floor = Math.Floor(quotient);
        return quotient - floor > 0.5 ? floor + 1 : floor;
    }

    private static float Remainder(float x, float y)
    {
        var remainder = x % y;
        return remainder != 0 && remainder < 0 != y < 0 ? remainder + y : remainder;
    }

    private static double Remainder(double x, double y)
    {
        var remainder = x % y;
        return remainder != 0 && remainder < 0 != y < 0 ? remainder + y : remainder;
    }
}
