using System.Numerics;
using static Adjoint.Tests.Ops.Naive;

namespace Adjoint.Tests.Ops;

internal static class ArithmeticCases
{
    private const string Standard = "the C standard; PyTorch takes the root";

    internal static OpCase[] Rows { get; } =
    [
        OpCase.Binary("Add", (a, b) => a + b) with
        {
            Exact = (x, y) => x + y, Goldens = [new("Add")],
            Empty = [new([[0, 3], [3]], [0, 3]), new([[0, 1], [2, 1, 3]], [2, 0, 3])],
        },
        OpCase.Binary("Subtract", (a, b) => a - b) with
        {
            Types = OpCase.Numbers, Exact = (x, y) => x - y, Goldens = [new("Subtract")],
        },
        OpCase.Binary("Multiply", (a, b) => a * b) with { Exact = (x, y) => x * y, Goldens = [new("Multiply")] },
        OpCase.Binary("Divide", (a, b) => a / b, AwayFromKinks) with { Goldens = [new("Divide")] },
        OpCase.Binary("FloorDivide", (a, b) => double.IsInfinity(a)
            ? double.NaN
            : Math.Floor(a / b), AwayFromKinks) with
        {
            Types = OpCase.Numbers, SpecialPoints = "IntegerDivisionTests",
        },
        OpCase.Binary("Remainder", (a, b) => a - b * Math.Floor(a / b), AwayFromKinks) with
        {
            Types = OpCase.Numbers, SpecialPoints = "IntegerDivisionTests",
        },
        OpCase.Binary("PowerOfTensors", Math.Pow, Positive) with
        {
            Types = OpCase.Numbers, HalfUnits = 3, Goldens = [new("PowerOfTensors")],
            Empty = [new([[0, 3], [1]], [0, 3])],
            Conventions =
            [
                new("", x => x[0] == 0, "0 where the product would be 0 · ∞"),
                new("∂y", x => x[0] < 0, "only whole exponents have a power"),
                new("∂x∂y", x => x[0] < 0, "only whole exponents have a power"),
            ],
        },
        OpCase.Binary("Minimum", Math.Min) with { Exact = BigInteger.Min, Goldens = [new("Minimum")] },
        OpCase.Binary("Maximum", Math.Max) with
        {
            Exact = BigInteger.Max, Goldens = [new("Maximum")], Empty = [new([[0, 3], [1, 3]], [0, 3])],
        },
        OpCase.Unary("Negate", a => -a) with { Types = OpCase.Numbers, Exact = (x, _) => -x,
            Goldens = [new("Negate")] },
        OpCase.Unary("Affine", a => a * 3 + 1) with
        {
            RoundsOnce = false, Goldens = [new("Scaled", x => x[0] * 2), new("Shifted", x => x[0] + 1)],
            Exact = (x, _) => 3 * x + 1, Variants = [new AffineOp(0, 1)],
        },
        OpCase.Unary("Affine, from a number", a => 2 - a * 3, call: x => 2 - x * 3) with
        {
            RoundsOnce = false, Exact = (x, _) => 2 - x * 3, Goldens = [new("Affine")],
        },
        OpCase.Unary("Affine, as a method", a => 2 * a + 5, call: x => x.Affine(2, 5)) with
        {
            Exact = (x, _) => 2 * x + 5, SpecialPoints = SpecialPoints.Moved,
        },
        OpCase.Unary("Add, a number", a => a + 3, call: x => x + 3) with
        {
            Exact = (x, _) => x + 3, SpecialPoints = SpecialPoints.Moved,
        },
        OpCase.Unary("Add, to a number", a => 300 + a, call: x => 300 + x) with
        {
            Exact = (x, _) => 300 + x, SpecialPoints = SpecialPoints.Moved,
        },
        OpCase.Unary("Subtract, a number", a => a - 7, call: x => x - 7) with
        {
            Exact = (x, _) => x - 7, SpecialPoints = SpecialPoints.Moved,
        },
        OpCase.Unary("Subtract, from a number", a => 3 - a, call: x => 3 - x) with
        {
            Exact = (x, _) => 3 - x, SpecialPoints = SpecialPoints.Moved,
        },
        OpCase.Unary("Multiply, by a number", a => a * 300, call: x => x * 300) with
        {
            Exact = (x, _) => x * 300, SpecialPoints = SpecialPoints.Moved,
        },
        OpCase.Unary("DivideByNumber", a => a / 3) with
        {
            Goldens = [new("DivideByNumber")], Empty = [new([[0, 3]], [0, 3])], Variants = [new DivideByNumberOp(0.3)],
        },
        OpCase.Unary("DivideNumber", a => 3 / a, AwayFromKinks) with { Goldens = [new("Reciprocal", x => 1 / x[0])] },
        OpCase.Unary("DivideNumber, of 1", a => 1 / a, AwayFromKinks, x => 1 / x) with
        {
            SpecialPoints = SpecialPoints.Composed,
        },
        OpCase.Unary("Power", a => a * a * a) with
        {
            Goldens =
            [
                .. ((double[])[0, 1, 2, 3, 4, 7, -1, -2, -3, 100]).Select(p => Power(p)),
                Power(0.5, new("value", HasMinusInfinity, Standard, double.PositiveInfinity),
                    new("gradient", HasMinusInfinity, "½ · (−∞)^−½ by the C standard; PyTorch takes the root", 0)),
                Power(-0.5, new Difference("value", HasMinusInfinity, Standard, 0)),
                Power(1.5, new Difference("gradient", HasMinusInfinity, "1.5 · (−∞)^½ by the C standard",
                    double.PositiveInfinity)),
            ],
            Variants = [.. ((double[])[0, 1, 2, -1, 0.5, -0.5, -3, 2.5, 15, 70]).Select(p => new PowerOp(p))],
        },
        OpCase.Unary("Power, of 5", a => a * a * a * a * a, call: x => x.Pow(5)) with
        {
            Exact = (x, _) => BigInteger.Pow(x, 5), SpecialPoints = "PowerTests",
        },
        OpCase.Unary("Power, of 0", _ => 1, call: x => x.Pow(0)) with
        {
            Exact = (_, _) => 1, SpecialPoints = "PowerTests",
        },
        OpCase.Unary("Abs", Math.Abs, AwayFromKinks) with
        {
            Types = OpCase.Numbers, Exact = (x, _) =>
                BigInteger.Abs(x), Conventions = [new("second", x => x[0] == 0, "a kink")],
            Goldens =
            [
                new("Abs", null, new Difference("gradient", HasNaN,
                    "g · sign(NaN) is NaN and leaves a trace; PyTorch gives 0", double.NaN)),
            ],
        },
        OpCase.Unary("Sign", a => double.IsNaN(a) ? a : Math.Sign(a), AwayFromKinks) with
        {
            Types = OpCase.Numbers, Exact = (x, _) => x.Sign,
            Goldens =
            [
                new("Sign", null,
                    new Difference("value", HasNaN, "NaN stays NaN and leaves a trace; PyTorch gives 0", double.NaN)),
            ],
        },
        OpCase.Unary("Clamp", a => Math.Clamp(a, -1, 1), AwayFromKinks) with
        {
            Goldens = [new("Clamp")], Variants = [new ClampOp(double.NegativeInfinity, 2)],
            Conventions =
            [
                new("", x => Math.Abs(x[0]) is 0.5 or 1 or 2 or 300,
                    "the gradient passes at the bounds, where max shares"),
            ],
            Empty = [new([[0, 3]], [0, 3], x => x[0].Clamp(0, 1))],
        },
        OpCase.Unary("Clamp, wide", a => Math.Clamp(a, -5, 300), call: x => x.Clamp(-5, 300)) with
        {
            Exact = (x, _) => BigInteger.Min(BigInteger.Max(x, -5), 300), SpecialPoints = SpecialPoints.Moved,
        },
        OpCase.Unary("Exp", Math.Exp) with { HalfUnits = 3, Goldens = [new("Exp")] },
        OpCase.Unary("Log", Math.Log, Positive) with { Goldens = [new("Log")] },
        OpCase.Unary("Log1p", a => Math.Log(1 + a), Positive) with
        {
            Goldens = [new("Log1p")],
            Conventions =
            [
                new("second", x => Math.Abs(x[0]) < 1e-16, "the operator is x itself there, without a curve"),
            ],
        },
        OpCase.Unary("Sqrt", Math.Sqrt, Positive) with { Goldens = [new("Sqrt")] },
        OpCase.Unary("Square", a => a * a) with { Types = OpCase.Numbers, Exact = (x, _) => x * x,
            Goldens = [new("Square")] },
        OpCase.Unary("Sin", Math.Sin) with { Goldens = [new("Sin")] },
        OpCase.Unary("Cos", Math.Cos) with { Goldens = [new("Cos")] },
        OpCase.Unary("Erf", a => 2 * Phi(a * Math.Sqrt(2)) - 1) with { Goldens = [new("Erf")] },
        OpCase.Binary("Add, as a method", (a, b) => a + b, call: (x, y) => x.Add(y)) with
        {
            SpecialPoints = SpecialPoints.Moved,
        },
        OpCase.Binary("Subtract, as a method", (a, b) => a - b, call: (x, y) => x.Subtract(y)) with
        {
            Types = OpCase.Numbers, SpecialPoints = SpecialPoints.Moved,
        },
        OpCase.Binary("Multiply, as a method", (a, b) => a * b, call: (x, y) => x.Multiply(y)) with
        {
            SpecialPoints = SpecialPoints.Moved,
        },
        OpCase.Binary("Divide, as a method", (a, b) => a / b, AwayFromKinks, (x, y) => x.Divide(y)) with
        {
            SpecialPoints = SpecialPoints.Moved,
        },
        OpCase.Unary("Negate, as a method", a => -a, call: x => x.Negate()) with {
            Types = OpCase.Numbers, SpecialPoints = SpecialPoints.Moved },
        new("Accumulate", x => Op.Apply(Accumulate.Instance, x[0], x[1]), [[3], [3]],
            x => [.. x[0].Zip(x[1], (a, b) => a + b)])
        {
            SpecialPoints = SpecialPoints.Moved,
            Large = new([[200, 201]], Call: x => (x[0].Exp() + x[0].Sin()) * x[0]),
        },
    ];

    private static Golden Power(double exponent, params Difference[] differences) =>
        new(FormattableString.Invariant($"Power {exponent}"), x => x[0].Pow(exponent), differences);

    private static bool HasNaN(double[] x) => x.Any(double.IsNaN);

    private static bool HasMinusInfinity(double[] x) => x.Any(double.IsNegativeInfinity);
}
