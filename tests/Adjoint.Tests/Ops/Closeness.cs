namespace Adjoint.Tests.Ops;

/// <summary>How near a value must be to the reference, by element type.</summary>
internal static class Closeness
{
    /// <summary>Fails where a result is not the reference's, in the precision of the coarser of two types.</summary>
    /// <param name="row">The row, whose half precision may be coarser.</param>
    /// <param name="type">The type of the inputs.</param>
    /// <param name="expected">By the reference.</param>
    /// <param name="found">By the library.</param>
    /// <param name="halfUnits">Instead of the row's tolerance in half precision, for each element by itself.</param>
    internal static void Check(OpCase row, DType type, double[] expected, Tensor found, double? halfUnits = null)
    {
        var values = found.To(DType.Float64).ToArray<double>();
        Assert.Equal(expected.Length, values.Length);
        var coarser = type.IsFloating() && found.DType.IsFloating() && Digits(type) < Digits(found.DType)
            ? type
            : found.DType;
        if (!coarser.IsFloating())
        {
            Assert.Equal([.. expected.Select(value => Wrapped(value, coarser))], values);
            return;
        }
        if (Digits(coarser) < 24)
        {
            if (halfUnits is not { } most) Assert.InRange(Units(expected, values, coarser), 0, row.HalfUnits);
            else
                for (var i = 0; i < values.Length; i++)
                    if (!(Math.Abs(expected[i] - values[i]) <= most * Unit(expected[i], coarser)))
                        Assert.Fail($"[{i}]: expected {expected[i]:R}, found {values[i]:R} in {coarser.Label()}");
            return;
        }
        var relative = coarser == DType.Float32 ? 5e-6 : 1e-12;
        for (var i = 0; i < values.Length; i++)
            if (!expected[i].Equals(values[i])
                && !(Math.Abs(expected[i] - values[i]) <= relative * Math.Max(1, Math.Abs(expected[i]))))
                Assert.Fail($"[{i}]: expected {expected[i]:R}, found {values[i]:R} in {coarser.Label()}");
    }

    /// <summary>The largest difference, in units in the last place of the largest number.</summary>
    internal static double Units(double[] expected, double[] found, DType type)
    {
        Assert.Equal(expected.Length, found.Length);
        var unit = Unit(expected.Select(Math.Abs).DefaultIfEmpty().Max(), type);
        return expected.Zip(found, (a, b) => Math.Abs(a - b) / unit).DefaultIfEmpty().Max();
    }

    // In the last place of a number.
    private static double Unit(double x, DType type)
    {
        var smallest = type == DType.BFloat16 ? -126 : -14;
        return Math.ScaleB(1, Math.Max(x == 0 ? smallest : Math.ILogB(x), smallest) - Digits(type) + 1);
    }

    // Binary ones.
    private static int Digits(DType type) => type switch
    {
        DType.BFloat16 => 8,
        DType.Float16 => 11,
        DType.Float32 => 24,
        DType.Float64 => 53,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "no floating type"),
    };

    // The low bits; truth is what is not 0. What is no whole number is no value of an integer type.
    private static double Wrapped(double value, DType type) => type switch
    {
        DType.Bool => value == 0 ? 0 : 1,
        _ when value != Math.Floor(value) => value,
        DType.UInt8 => (byte)(long)value,
        DType.Int32 => (int)(long)value,
        _ => value,
    };
}
