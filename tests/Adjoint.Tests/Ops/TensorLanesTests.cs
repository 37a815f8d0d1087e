using Adjoint.Kernels;
using Adjoint.Primitives;
using Adjoint.Tests.Kernels;

namespace Adjoint.Tests.Ops;

/// <summary>Operators read as formulas of tensors: the same values, and derivatives.</summary>
public class TensorLanesTests
{
    // On both sides of every comparison below, and away from equality.
    private static readonly double[] Points = [-2.75, -1.6, -0.8, -0.3, 0.2, 0.45, 0.9, 1.35, 2.2, 3.7];

    public static TheoryData<string> Names() => [.. OneMember.Names];

    [Theory, MemberData(nameof(Names))]
    public void A_member_means_the_same_of_tensors_and_of_lanes(string name)
    {
        var op = new OneMember(name);
        Assert.All((DType[])[DType.Float64, DType.Float32], dtype =>
        {
            var exact = dtype == DType.Float64 ? 1e-14 : 2e-6;
            var x = Tensor.From(Points).To(dtype).Detach().RequireGrad();
            var y = op.Invoke(new TensorLanes(x)).ToTensor(x);
            Agree(Run(op), y, exact);
            var slopes = Run(new Derivative<OneMember>(op));
            if (y.RequiresGrad) Agree(slopes, Differentiation.Gradients(y.Sum(), [x])[0]!, 10 * exact);
            else Assert.All(slopes, slope => Assert.Equal(0, slope));
        });
    }

    [Fact]
    public void Every_member_has_its_turn()
    {
        var members = typeof(ILanes<>).GetInterfaces().Append(typeof(ILanes<>)).SelectMany(type => type.GetMethods())
            .Select(method => method.Name).Where(name => !name.StartsWith("op_Checked", StringComparison.Ordinal));
        // The last are of whole numbers, or have a slope that is written by hand.
        string[] refused = ["Floor", "ScaleByPowerOfTwo", "FloorDivide", "Remainder", "And", "Or", "Xor", "Not"];
        Assert.Empty(members.Except(OneMember.Names.Select(name => name.Split(' ')[0])).Except(refused));
    }

    [Fact]
    public void What_is_no_op_is_refused_where_the_slope_is_read_as_ops_only()
    {
        var x = Tensor.From(Points).RequireGrad();
        Tensor Slopes(bool createGraph) =>
            Differentiation.Gradients(Op.Apply(new Stairs(), x).Sum(), [x], createGraph: createGraph)[0]!;
        Assert.Equal(Points.Select(Math.Floor), Slopes(createGraph: false).ToArray<double>());
        Assert.Equal(
            "UnaryOp: the VJP uses Floor, which has no differentiable op; write Backward by hand, in ops",
            Assert.Throws<AdjointException>(() => Slopes(createGraph: true)).Message);
        Assert.Throws<AdjointException>(() => TensorLanes.ScaleByPowerOfTwo(new(x), new(x)));
        var number = TensorLanes.ScaleByPowerOfTwo(TensorLanes.Floor(TensorLanes.Splat(3.5)), TensorLanes.Splat(2));
        Assert.Equal(12, number.ToTensor(Tensor.Scalar(0)).Item());
    }

    [Fact]
    public void A_slope_that_is_a_number_fills_the_gradient()
    {
        var x = Tensor.From(Points).To(DType.Float32).Detach().RequireGrad();
        var slope = Differentiation.Gradients(Op.Apply(new Flat(), x).Sum(), [x], createGraph: true)[0]!;
        Assert.Equal((x.Shape, x.DType), (slope.Shape, slope.DType));
        Assert.All(slope.ToArray<float>(), value => Assert.Equal(0, value));
    }

    private static void Agree(double[] expected, Tensor found, double exact)
    {
        var values = found.To(DType.Float64).ToArray<double>();
        for (var i = 0; i < expected.Length; i++)
            Assert.True(
                Math.Abs(expected[i] - values[i]) <= exact * Math.Max(1, Math.Abs(expected[i])),
                $"at {Points[i]}: {values[i]:R}, as lanes {expected[i]:R}");
    }

    private static double[] Run<TOperator>(TOperator op) where TOperator : struct, IUnaryOperator
    {
        var y = Tensor.Zeros((int[])[Points.Length], DType.Float64);
        Backend.Run(new Map<TOperator>(op), Tensor.From(Points), y);
        return y.ToArray<double>();
    }

    // By the member that it is about, tensors and numbers on either side.
    private readonly struct OneMember(string name) : IUnaryOperator
    {
        internal static readonly string[] Names =
        [
            "Splat", "op_Addition", "op_Addition itself", "op_Addition number", "op_Subtraction",
            "op_Subtraction number", "op_Multiply", "op_Multiply itself", "op_Multiply number", "op_Division",
            "op_Division number", "op_UnaryNegation", "Fma", "Fma numbers", "Min", "Min number", "Max", "Max number",
            "Abs", "Sqrt", "Exp", "Clamp", "Clamp numbers", "Log", "Pow", "Pow numbers", "Sin", "Cos", "Less",
            "Less number", "LessEqual", "LessEqual number", "Equal", "Equal number",
            "Select numbers",
        ];

        public V Invoke<V>(V x) where V : struct, ILanes<V>
        {
            V Number(double value) => V.Splat(value);
            var (one, two, other) = (Number(1), Number(2), x * x - Number(0.7));
            V Pick(V mask) => V.Select(mask, x, other);
            return name switch
            {
                "Splat" => Number(1.5),
                "op_Addition" => x + other,
                "op_Addition itself" => other + other,
                "op_Addition number" => x + Number(2) + (Number(3) + x) + (one + one),
                "op_Subtraction" => x - other,
                "op_Subtraction number" => x * (x - Number(2)) * (Number(3) - x) * (Number(3) - one),
                "op_Multiply" => x * other,
                "op_Multiply itself" => other * other,
                "op_Multiply number" => x * Number(2) + Number(3) * x + Number(2) * Number(3),
                "op_Division" => other / x,
                "op_Division number" => x / Number(3) + Number(2) / x + Number(3) / Number(4),
                "op_UnaryNegation" => -x + -one,
                "Fma" => V.Fma(x, other, x) + V.Fma(x, one, other) + V.Fma(Number(3), Number(2), x),
                "Fma numbers" => V.Fma(x, Number(3), Number(2)) + V.Fma(Number(4), x, Number(2)) + V.Fma(one, one, one),
                "Min" => V.Min(x, other),
                "Min number" => V.Min(x, one) + V.Min(Number(0.1), x) + V.Min(one, Number(2)),
                "Max" => V.Max(x, other),
                "Max number" => V.Max(x, one) + V.Max(Number(0.1), x) + V.Max(one, Number(2)),
                "Abs" => V.Abs(x) + V.Abs(Number(-3)),
                "Sqrt" => V.Sqrt(x * x + one) + V.Sqrt(Number(2)),
                "Exp" => V.Exp(x) + V.Exp(one),
                "Clamp" => V.Clamp(x, other - Number(2), other),
                "Clamp numbers" => V.Clamp(x, Number(-1), one) + V.Clamp(Number(3), one, Number(2)),
                "Log" => V.Log(x * x) + V.Log(Number(3)),
                "Pow" => V.Pow(V.Abs(x), other),
                "Pow numbers" => V.Pow(V.Abs(x), Number(1.5)) + V.Pow(Number(1.5), x) + V.Pow(Number(2), Number(3)),
                "Sin" => V.Sin(x) + V.Sin(one),
                "Cos" => V.Cos(x) + V.Cos(one),
                "Less" => Pick(V.Less(x, other)),
                "Less number" => Pick(V.Less(x, one)) + Pick(V.Less(one, x)) + Pick(V.Less(one, two)),
                "LessEqual" => Pick(V.LessEqual(x, other)),
                "LessEqual number" =>
                    Pick(V.LessEqual(x, one)) + Pick(V.LessEqual(one, x)) + Pick(V.LessEqual(two, one)),
                "Equal" => Pick(V.Equal(x, V.Abs(x))),
                "Equal number" =>
                    Pick(V.Equal(x, Number(0.2))) + Pick(V.Equal(Number(0.2), x)) + Pick(V.Equal(two, two)),
                "Select numbers" => V.Select(V.Less(x, one), two, x) + V.Select(V.Less(x, one), two, one),
                _ => throw new ArgumentOutOfRangeException(nameof(x), name),
            };
        }
    }

    private sealed class Stairs() : UnaryOp<Stairs.Operator, Stairs.Vjp>
    {
        public override string Name => "Stairs";
        public override string Formula => "y = x²/2, roughly";
        public override string Derivation => "∂L/∂x = g · ⌊x⌋";
        public override Saves Saves => Saves.Inputs;

        internal readonly struct Operator : IUnaryOperator
        {
            public V Invoke<V>(V x) where V : struct, ILanes<V> => V.Floor(x) * (x - V.Splat(0.5) * V.Floor(x));
        }

        internal readonly struct Vjp : IBinaryOperator
        {
            public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => x * V.Floor(y);
        }
    }

    private sealed class Flat() : UnaryOp<Stairs.Operator, Flat.Vjp>
    {
        public override string Name => "Flat";
        public override string Formula => "y = ⌊x⌋";
        public override string Derivation => "∂L/∂x = 0";
        public override Saves Saves => Saves.Nothing;

        internal readonly struct Vjp : IBinaryOperator
        {
            public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => V.Splat(0);
        }
    }
}
