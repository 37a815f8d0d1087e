using System.Numerics;

namespace Adjoint.Tests.Ops;

/// <summary>Powers at 0, at the special values of the C standard, and to the last digit.</summary>
public class PowerTests
{
    private const double Infinity = double.PositiveInfinity;

    public static TheoryData<double, double, double> SpecialCases() => new()
    {
        { double.NaN, 0, 1 }, { double.NaN, -0.0, 1 }, { Infinity, 0, 1 }, { 0, 0, 1 }, { -0.0, 0, 1 }, { -3, 0, 1 },
        { 1, double.NaN, 1 }, { 1, Infinity, 1 }, { 1, -Infinity, 1 }, { -1, Infinity, 1 }, { -1, -Infinity, 1 },
        { -1, double.NaN, double.NaN }, { 2, double.NaN, double.NaN }, { double.NaN, 2, double.NaN },
        { double.NaN, 0.5, double.NaN },
        { 0, 3, 0 }, { -0.0, 3, -0.0 }, { -0.0, 2, 0 }, { -0.0, 1, -0.0 }, { 0, 0.5, 0 }, { -0.0, 0.5, 0 },
        { -0.0, 1.5, 0 }, { 0, Infinity, 0 },
        { 0, -1, Infinity }, { -0.0, -1, -Infinity }, { -0.0, -3, -Infinity }, { -0.0, -2, Infinity },
        { -0.0, -0.5, Infinity }, { -0.0, -1.5, Infinity },
        { 0, -0.5, Infinity }, { 0, -Infinity, Infinity },
        { 0.5, Infinity, 0 }, { -0.5, Infinity, 0 }, { 2, Infinity, Infinity }, { -2, Infinity, Infinity },
        { 0.5, -Infinity, Infinity }, { 2, -Infinity, 0 },
        { Infinity, 0.5, Infinity }, { Infinity, -0.5, 0 }, { Infinity, 2, Infinity }, { Infinity, -2, 0 },
        { Infinity, Infinity, Infinity }, { Infinity, -Infinity, 0 },
        { -Infinity, 1.5, Infinity }, { -Infinity, 0.5, Infinity }, { -Infinity, -0.5, 0 }, { -Infinity, -1.5, 0 },
        { -Infinity, 3, -Infinity }, { -Infinity, 2, Infinity },
        { -Infinity, -3, -0.0 }, { -Infinity, -1, -0.0 }, { -Infinity, -2, 0 }, { -Infinity, 1, -Infinity },
        { -2, 0.5, double.NaN }, { -2, -0.5, double.NaN }, { -2, 1.5, double.NaN }, { -8, 1.0 / 3, double.NaN },
        { -2, 3, -8 }, { -2, -3, -0.125 }, { -2, 4, 16 },
        { 2, 65, 36893488147419103232.0 }, { -2, 65, -36893488147419103232.0 }, { -2, 66, 73786976294838206464.0 },
        { 4, 0.5, 2 }, { 0.25, -0.5, 2 }, { 9, 1.5, 27 },
        { 1e-45, -2, Infinity }, { 1e30, 2000, Infinity }, { 1e-30, 2000, 0 }, { -1e30, 2001, -Infinity },
        { -1e-30, 2001, -0.0 },
    };

    [Theory, MemberData(nameof(SpecialCases))]
    public void Special_values_are_those_of_the_C_standard(double x, double y, double expected)
    {
        foreach (var dtype in (DType[])[DType.Float32, DType.Float64])
        {
            // 10⁻⁴⁵ and 10^±60 are other numbers in float32.
            if (dtype == DType.Float64 && x == 1e-45) continue;
            var (wide, exponent) = (Tensor.From(Enumerable.Repeat(x, 19).ToArray()).To(dtype),
                Tensor.From(Enumerable.Repeat(y, 19).ToArray()).To(dtype));
            foreach (var result in (Tensor[])[wide.Pow(exponent), wide.Pow(Tensor.Scalar(y, dtype)), .. y == 1.0 / 3
                ? [] : (Tensor[])[wide.Pow(y)]])
                foreach (var value in result.To(DType.Float64).ToArray<double>())
                    Assert.True(BitConverter.DoubleToInt64Bits(value) == BitConverter.DoubleToInt64Bits(expected)
                        || double.IsNaN(value) && double.IsNaN(expected),
                        $"{x}^{y} = {value}, not {expected} ({dtype})");
        }
    }

    [Theory, InlineData(0), InlineData(1), InlineData(2), InlineData(3), InlineData(4)]
    public void Every_derivative_at_0_of_a_whole_power_is_a_number(int p)
    {
        foreach (var dtype in (DType[])[DType.Float32, DType.Float64])
            foreach (var zero in (double[])[0, -0.0])
                for (var order = 1; order <= p + 2; order++)
                {
                    var expected = order == p ? Enumerable.Range(1, p).Aggregate(1.0, (a, b) => a * b) : 0;
                    Assert.Equal(expected, Derivative(x => x.Pow(p), zero, order, dtype));
                    Assert.Equal(expected, Derivative(x => x.Pow(Tensor.Scalar(p, dtype)), zero, order, dtype));
                }
    }

    [Fact]
    public void A_bell_curve_by_powers_has_its_derivatives_at_0()
    {
        double[] expected = [0, -2, 0, 12];
        for (var order = 1; order <= 4; order++)
            foreach (var dtype in (DType[])[DType.Float32, DType.Float64])
            {
                Assert.Equal(expected[order - 1], Derivative(x => (-x.Pow(2)).Exp(), 0, order, dtype));
                Assert.Equal(expected[order - 1],
                    Derivative(x => (-x.Pow(Tensor.Scalar(2, dtype))).Exp(), 0, order, dtype));
            }
    }

    [Fact]
    public void The_fused_gradient_at_0_is_that_of_the_rule()
    {
        foreach (var p in (double[])[0, 1, 2, 3, 0.5, -1, -0.5])
        {
            var expected = p switch { 1 => 1, 0 or 2 or 3 => 0, 0.5 => Infinity, _ => -Infinity };
            var x = Tensor.From(new[] { 0.0, double.NaN }).RequireGrad();
            x.Pow(p).Sum().Backward();
            Assert.Equal(expected, x.Grad!.ItemAt(0));
            Assert.Equal(p is 0 ? 0 : p is 1 ? 1 : double.NaN, x.Grad.ItemAt(1));
            x.Grad = null;
            x.Pow(Tensor.Scalar(p, DType.Float64)).Sum().Backward();
            Assert.Equal(expected, x.Grad!.ItemAt(0));
        }
    }

    [Fact]
    public void The_slope_along_the_exponent_at_base_0_is_0_from_exponent_0_on()
    {
        foreach (var createGraph in (bool[])[false, true])
        {
            var (x, y) = (Tensor.From([0.0, 0, 0, 0, 0, 2, -0.0, -0.0, -0.0]).RequireGrad(),
                Tensor.From([0.0, 0.5, 1, 3, -1, 3, 2, -1, -2]).RequireGrad());
            var slope = Differentiation.Gradients(x.Pow(y).Sum(), [y], createGraph: createGraph)[0]!.ToArray<double>();
            Assert.Equal([0, 0, 0, 0, -Infinity, 8 * Math.Log(2), 0, Infinity, -Infinity], slope);
        }
    }

    [Fact]
    public void Mixed_derivatives_follow_the_formula_where_it_has_a_value()
    {
        foreach (var (at, p) in ((double, double)[])[(2, 0), (2, 1), (0.5, 3), (3, -1.5), (0, 2), (0, 3)])
        {
            var (x, y) = (Tensor.Scalar(at, DType.Float64).RequireGrad(),
                Tensor.Scalar(p, DType.Float64).RequireGrad());
            var byX = Differentiation.Gradients(x.Pow(y), [x], createGraph: true)[0]!;
            // ∂²/∂x∂y xʸ = xʸ⁻¹ (1 + y ln x)
            Assert.Equal(at == 0 ? 0 : Math.Pow(at, p - 1) * (1 + p * Math.Log(at)),
                Differentiation.Gradients(byX, [y])[0]!.Item(), 1e-12);
        }
    }

    [Theory, InlineData(DType.Float32), InlineData(DType.Float64)]
    public void Whole_powers_that_are_representable_are_exact(DType dtype)
    {
        Assert.Equal(9, Tensor.Scalar(3, dtype).Pow(2).Item());
        Assert.Equal(1000, Tensor.Scalar(10, dtype).Pow(3).Item());
        foreach (var scalar in (bool[])[true, false])
            for (var p = -80; p <= 80; p++)
                foreach (var x in (double[])[2, 3, 5, 7, 9, 10, 11, 12, 15, 0.5, 0.75, 1.5, -3, -10, 1, -1, 1024])
                {
                    var expected = Rounded(x, p, dtype);
                    if (Rounded(x, p, null) is { } exact && exact == expected) Assert.Equal(expected,
                        Power(x, p, dtype, scalar));
                }
    }

    [Theory, InlineData(DType.Float32), InlineData(DType.Float64)]
    public void Whole_powers_are_within_one_unit_in_the_last_place(DType dtype)
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        for (var i = 0; i < 1000; i++)
        {
            var largest = i % 50 == 0 ? 2000 : i % 2 == 0 ? 8 : 70;
            var p = random.Next(-largest, largest + 1);
            // So that the result stays in range, or leaves it a little.
            var x = Math.Pow(2, (random.NextDouble() * 2 - 1) * (dtype == DType.Float32 ? 155 : 1080) / Math.Max(2,
                Math.Abs(p))) * (random.Next(2) * 2 - 1);
            if (dtype == DType.Float32) x = (float)x;
            var expected = Rounded(x, p, dtype)!.Value;
            foreach (var scalar in (bool[])[true, false])
            {
                var actual = Power(x, p, dtype, scalar);
                var units = dtype == DType.Float32 ? Math.Abs((long)Ordinal((float)actual) - Ordinal((float)expected))
                    : Math.Abs(Ordinal(actual) - Ordinal(expected));
                Assert.True(units <= 1,
                    $"{x:R}^{p} = {actual:R}, rounded {expected:R}: {units} units (seed {seed}, scalar {scalar})");
            }
        }
    }

    [Fact]
    public void Broken_powers_are_within_a_unit_of_the_system_librarys()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        for (var i = 0; i < 3000; i++)
        {
            var (x, y) = (Math.Exp(random.NextDouble() * 20 - 10), random.NextDouble() * 120 - 60);
            var (wide, narrow) = (Power(x, y, DType.Float64, false), Power((float)x, (float)y, DType.Float32, false));
            Assert.True(Math.Abs(Ordinal(wide) - Ordinal(Math.Pow(x, y))) <= 1,
                $"{x:R}^{y:R} = {wide:R}, not {Math.Pow(x, y):R} (seed {seed})");
            Assert.True(Math.Abs(Ordinal((float)narrow) - Ordinal((float)Math.Pow((float)x, (float)y))) <= 1,
                $"{(float)x:R}^{(float)y:R} = {narrow:R} (seed {seed})");
        }
    }

    private static double Power(double x, double p, DType dtype, bool scalar)
    {
        var b = Tensor.Scalar(x, dtype);
        return (scalar ? b.Pow(p) : b.Pow(Tensor.Scalar(p, dtype))).Item();
    }

    private static double Derivative(Func<Tensor, Tensor> function, double at, int order, DType dtype)
    {
        var x = Tensor.Scalar(at, dtype).RequireGrad();
        var y = function(x);
        for (var i = 0; i < order; i++) y = Differentiation.Gradients(y, [x], createGraph: true)[0]!;
        return y.Item();
    }

    private static long Ordinal(double x) => BitConverter.DoubleToInt64Bits(x) is var bits && bits < 0
        ? long.MinValue - bits : bits;

    private static int Ordinal(float x) => BitConverter.SingleToInt32Bits(x) is var bits && bits < 0
        ? int.MinValue - bits : bits;

    // xᵖ by whole numbers of any length, rounded to nearest, ties to even; without a type null where it is no double.
    private static double? Rounded(double x, int p, DType? dtype)
    {
        var bits = BitConverter.DoubleToInt64Bits(x);
        var exponent = (int)(bits >> 52 & 0x7FF);
        BigInteger mantissa = bits & 0xFFFFFFFFFFFFFL;
        if (exponent == 0) exponent = 1;
        else mantissa += 1L << 52;
        exponent -= 1075;
        while (mantissa.IsEven) (mantissa, exponent) = (mantissa >> 1, exponent + 1);
        var power = BigInteger.Pow(mantissa, Math.Abs(p));
        var two = exponent * p;
        var isNegative = x < 0 && p % 2 != 0;
        var isExact = true;
        if (p < 0)
        {
            var shift = (int)power.GetBitLength() + 80;
            var quotient = BigInteger.DivRem(BigInteger.One << shift, power, out var rest);
            isExact = rest.IsZero;
            // A last bit that says that more follows keeps the rounding right.
            (power, two) = ((quotient << 1) + (isExact ? 0 : 1), two - shift - 1);
        }
        var (digits, smallest, largest) = dtype == DType.Float32 ? (24, -149, 127) : (53, -1074, 1023);
        var cut = Math.Max((int)power.GetBitLength() - digits, smallest - two);
        if (cut > 0)
        {
            var (kept, lost) = (power >> cut, power & ((BigInteger.One << cut) - 1));
            isExact &= lost.IsZero;
            var half = BigInteger.One << (cut - 1);
            if (lost > half || lost == half && !kept.IsEven) kept += 1;
            (power, two) = (kept, two + cut);
        }
        var magnitude = power.IsZero ? 0 : power.GetBitLength() + two > largest + 1 ? double.PositiveInfinity
            : Math.ScaleB((double)power, (int)two);
        return dtype is null && !isExact ? null : isNegative ? -magnitude : magnitude;
    }
}
