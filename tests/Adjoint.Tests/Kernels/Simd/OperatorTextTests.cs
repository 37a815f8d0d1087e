using Adjoint.Kernels;

namespace Adjoint.Tests.Kernels;

/// <summary>
/// Every operator of the library is an expression: it can be written down, and what is written computes the same.
/// So code for other devices can be made from it. Conditions on a struct's fields are decided when it is written.
/// </summary>
public unsafe class OperatorTextTests
{
    private static readonly double[] Points = [0, -0.0, double.NaN, double.PositiveInfinity, -1.7, 0.3, 2.5];

    public static TheoryData<string> Names() =>
        [.. OperatorFunctions.OfStructs.Keys, .. OperatorFunctions.OfMaths.Keys];

    [Theory, MemberData(nameof(Names))]
    public void The_expression_has_the_same_bits(string name)
    {
        var function = Of(name);
        var expression = Trace(function);
        var count = function.Inputs.Count;
        // All points of one or two inputs; every third combination of more.
        var combinations = (int)Math.Pow(Points.Length, count);
        for (var i = 0; i < combinations; i += count > 2 ? 3 : 1)
        {
            var x = Enumerable.Range(0, count).Select(k => Points[i / (int)Math.Pow(Points.Length, k) % Points.Length])
                .ToArray();
            var lanes = Array.ConvertAll(x, Scalar<double>.Splat);
            var inputs = function.Inputs.Zip(lanes).ToDictionary(pair => pair.First, pair => pair.Second);
            Assert.Equal(Bits(function.Invoke(lanes)), Bits(Node.Evaluate(expression, inputs)));
        }
    }

    public static TheoryData<string> IntegerNames() => [.. OperatorFunctions.OfIntegers.Keys];

    [Theory, MemberData(nameof(IntegerNames))]
    public void Of_whole_numbers_the_expression_has_the_same_value(string name)
    {
        long[] points = [0, 1, -1, 7, -12, 30, long.MaxValue, long.MinValue];
        var function = OperatorFunctions.OfIntegers[name];
        var expression = Trace(function);
        foreach (var x in points)
            foreach (var y in points.Where(y =>
                y != 0 && (y is > 0 and < 31 || !name.Contains("Power", StringComparison.Ordinal))))
            {
                var lanes = function.Inputs.Select((_, i) => Integer<long>.Splat(i == 0 ? x : y)).ToArray();
                var inputs = function.Inputs.Zip(lanes).ToDictionary(pair => pair.First, pair => pair.Second);
                var expected = function.Invoke(lanes).Select(Value).ToArray();
                Assert.Equal(expected, Node.Evaluate(expression, inputs).Select(Value));
            }

        static long Value(Integer<long> op)
        {
            long value;
            Integer<long>.Store(op, &value);
            return value;
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void Masks_only_choose(string name)
    {
        var expression = Trace(Of(name));
        Assert.DoesNotContain(expression, result => result.IsMask);
        Assert.All(Node.Under(expression), node => Assert.All(node.Operands, (operand, i) =>
            Assert.Equal(node.Operation == "?" && i == 0, operand.IsMask)));
    }

    // 79 structs when this was written; some have two functions.
    [Fact]
    public void All_lane_structs_are_found()
    {
        Assert.InRange(OperatorFunctions.OfStructs.Count, 80, 1000);
        Assert.Superset(
            new HashSet<string>(["LaneMath.ExpSingle", "LanePower.ForDouble", "LanePower.Pow 2.5"]),
            OperatorFunctions.OfMaths.Keys.ToHashSet());
    }

    [Fact]
    public void Shared_subtrees_have_names()
    {
        static string Text(string name) => Node.Text(Trace(Of(name)));
        Assert.Equal("return (y <= 0) ? 0 : x;", Text("ReluOp.Vjp, binary"));
        Assert.Equal(
            "t0 = 1 / (1 + exp(-y));\nreturn x * (t0 + ((y * t0) * (1 - t0)));", Text("SiluOp.Vjp, binary"));
        Assert.Equal(
            "t0 = fma(0.47, w, g);\nt1 = fma(0.64, s, t0);\nreturn w - (0.3 * fma(0.64, t1, t0)), t1, t;",
            Text("Sgd.Momentum, update 1"));
        // As a tree it has more than twice as many.
        Assert.InRange(Text("GeluOp.Vjp, binary").Length, 500, 1500);
    }

    private static ILaneFunction Of(string name) =>
        OperatorFunctions.OfStructs.GetValueOrDefault(name) ?? OperatorFunctions.OfMaths[name];

    private static Node[] Trace(ILaneFunction function) => Array.ConvertAll(
        function.Invoke([.. function.Inputs.Select(Expr.Input)]), result => result.Node);

    private static long[] Bits(Scalar<double>[] results) => Array.ConvertAll(results, result =>
    {
        double value;
        Scalar<double>.Store(result, &value);
        return BitConverter.DoubleToInt64Bits(double.IsNaN(value) ? double.NaN : value);
    });
}
