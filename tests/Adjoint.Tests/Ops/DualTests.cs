using System.Reflection;
using Adjoint.Kernels;
using Adjoint.Primitives;
using Adjoint.Tests.Kernels;

namespace Adjoint.Tests.Ops;

/// <summary>
/// First and second derivatives of every element-wise op against its own forward operator run on dual numbers. These
/// are exact, so that points may be tiny, large or beside a branch, where finite differences tell nothing.
/// </summary>
public class DualTests
{
    private const int Seed = 20261126;

    private const BindingFlags Hidden = BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static;

    // Among them the seams of Tanh, Erf and Expm1. Nothing overflows, squared neither: what is huge has its place in
    // SpecialPointTests.
    private static readonly double[] Edges =
    [
        0, -0.0, 1e-60, -1e-60, 1e-9, -1e-9, 1e-4, -1e-4, 0.4999, -0.4999, 0.5, -0.5, 0.6249, -0.6249, 0.6251, -0.6251,
        0.9999, -0.9999, 1, -1, 1.0001, -1.0001, 2, -2, 8.5, -8.5, 20, -20, 300, -300,
    ];

    // The table's, and attributes that take another way through the operator.
    private static readonly Dictionary<string, Op> Ops = OpCases.OpsOfAllRows()
        .Concat(OpCases.All.SelectMany(row => row.Variants))
        .Where(op => Base(op.GetType()) is not null).DistinctBy(NameOf).ToDictionary(NameOf);

    // By name of the op.
    private static readonly Dictionary<string, Convention[]> Conventions = OpCases.All
        .Where(row => row.Conventions is not []).ToDictionary(row => row.Entry!.Op.Name, row => row.Conventions);

    public static TheoryData<string> Unary() => [.. Ops.Keys.Where(name => IsUnary(Ops[name]))];

    public static TheoryData<string> Binary() => [.. Ops.Keys.Where(name => !IsUnary(Ops[name]))];

    [Fact]
    public void Every_element_wise_op_is_here() => Assert.Empty(typeof(Op).Assembly.GetTypes()
        .Where(type => !type.IsAbstract && Base(type) is not null).Except(Ops.Values.Select(op => op.GetType())));

    [Theory, MemberData(nameof(Unary))]
    public void Derivatives_of_one_variable_are_those_of_dual_numbers(string name) =>
        Call(nameof(CheckUnary), Ops[name], name);

    [Theory, MemberData(nameof(Binary))]
    public void Derivatives_of_two_variables_are_those_of_dual_numbers(string name) =>
        Call(nameof(CheckBinary), Ops[name], name);

    // Where eˣ overflows in a branch that is not taken, or in a quotient, 0 · ∞ and ∞/∞ lurk.
    [Theory, InlineData("Elu"), InlineData("Silu"), InlineData("Gelu"), InlineData("Softplus"), InlineData("Sigmoid"),
        InlineData("Tanh"), InlineData("NormalCdf"), InlineData("Erf")]
    public void Second_derivatives_of_activations_vanish_far_out(string name)
    {
        var op = Ops.Values.First(op => op.Name == name);
        foreach (var type in (DType[])[DType.Float32, DType.Float64])
        {
            var x = Tensor.From([-1e30, -1e4, -800, 800, 1e4, 1e30]).To(type).Detach().RequireGrad();
            var slopes = Differentiation.Gradients(Op.Apply(op, x).Sum(), [x], createGraph: true)[0]!;
            Assert.All(Again(slopes, x), curve => Assert.Equal(0, curve));
        }
    }

    private static void CheckUnary<TOperator>(Op op, TOperator lane, string name)
        where TOperator : struct, IUnaryOperator
    {
        var random = new Random(Seed);
        double[] points = [.. Edges, .. Enumerable.Range(0, 400).Select(_ => Draw(random))];
        var x = Tensor.From(points).RequireGrad();
        double[] Run<T>(T of) where T : struct, IUnaryOperator
        {
            var y = Tensor.Zeros((int[])[points.Length], DType.Float64);
            Backend.Run(new Map<T>(of), x, y);
            return y.ToArray<double>();
        }

        var ones = Tensor.Full((int[])[points.Length], 1, DType.Float64);
        var fused = Differentiation.Gradients(Op.Apply(op, x), [x], ones)[0]!;
        var rule = Differentiation.Gradients(Op.Apply(op, x), [x], ones, createGraph: true)[0]!;
        var second = Again(rule, x);

        var wrong = new Findings(name);
        var values = Run(lane);
        var (first, twice) =
            (Run(new Derivative<TOperator>(lane)), Run(new Derivative<Derivative<TOperator>>(new(lane))));
        for (var i = 0; i < points.Length; i++)
        {
            // Outside of its domain, or a pole.
            if (!double.IsFinite(values[i])) continue;
            wrong.Compare("slope", first[i], fused.ToArray<double>()[i], points[i]);
            wrong.Compare("rule", first[i], rule.ToArray<double>()[i], points[i]);
            wrong.Compare("second", twice[i], second[i], points[i]);
        }
        wrong.AssertNone(200);
    }

    private static void CheckBinary<TOperator>(Op op, TOperator lane, string name)
        where TOperator : struct, IBinaryOperator
    {
        var random = new Random(Seed);
        (double X, double Y)[] points =
        [
            .. Edges.SelectMany(a => Edges.Select(b => (a, b))),
            .. Enumerable.Range(0, 400).Select(_ => (Draw(random), Draw(random))),
        ];
        var x = Tensor.From([.. points.Select(p => p.X)]).RequireGrad();
        var y = Tensor.From([.. points.Select(p => p.Y)]).RequireGrad();
        double[] Run<T>(T of) where T : struct, IBinaryOperator
        {
            var z = Tensor.Zeros((int[])[points.Length], DType.Float64);
            Backend.Run(new Zip<T>(of), x, y, z);
            return z.ToArray<double>();
        }

        var ones = Tensor.Full((int[])[points.Length], 1, DType.Float64);
        var fused = Differentiation.Gradients(Op.Apply(op, x, y), [x, y], ones);
        var rule = Differentiation.Gradients(Op.Apply(op, x, y), [x, y], ones, createGraph: true);
        (string, double[], double[])[] pairs =
        [
            ("∂x", Run(new LeftDerivative<TOperator>(lane)), fused[0]!.ToArray<double>()),
            ("∂x by the rule", Run(new LeftDerivative<TOperator>(lane)), rule[0]!.ToArray<double>()),
            ("∂y", Run(new RightDerivative<TOperator>(lane)), fused[1]!.ToArray<double>()),
            ("∂y by the rule", Run(new RightDerivative<TOperator>(lane)), rule[1]!.ToArray<double>()),
            ("∂x∂x", Run(new LeftDerivative<LeftDerivative<TOperator>>(new(lane))), Again(rule[0]!, x)),
            ("∂x∂y", Run(new RightDerivative<LeftDerivative<TOperator>>(new(lane))), Again(rule[0]!, y)),
            ("∂y∂x", Run(new LeftDerivative<RightDerivative<TOperator>>(new(lane))), Again(rule[1]!, x)),
            ("∂y∂y", Run(new RightDerivative<RightDerivative<TOperator>>(new(lane))), Again(rule[1]!, y)),
        ];
        var wrong = new Findings(name);
        var values = Run(lane);
        foreach (var (what, dual, found) in pairs)
            for (var i = 0; i < points.Length; i++)
                if (double.IsFinite(values[i])) wrong.Compare(what, dual[i], found[i], points[i].X, points[i].Y);
        wrong.AssertNone(2000);
    }

    // The derivative of a sum of gradients; 0 where none depends on x.
    private static double[] Again(Tensor gradient, Tensor x) =>
        (gradient.RequiresGrad ? Differentiation.Gradients(gradient.Sum(), [x], retainGraph: true)[0] : null)
            ?.To(DType.Float64).ToArray<double>() ?? new double[x.Length];

    // Of every magnitude from 10⁻³ to 300, and about 1 most.
    private static double Draw(Random random) => random.Next(2) == 0
        ? random.NextDouble() * 8 - 4
        : Math.Pow(10, random.NextDouble() * 5.477 - 3) * (random.Next(2) == 0 ? 1 : -1);

    private static void Call(string check, Op op, string name)
    {
        var parent = Base(op.GetType())!;
        var type = parent.GetGenericArguments()[0];
        var lane = parent.GetFields(Hidden).SingleOrDefault(field => field.FieldType == type)?.GetValue(op)
            ?? Activator.CreateInstance(type);
        typeof(DualTests).GetMethod(check, Hidden)!.MakeGenericMethod(type)
            .Invoke(null, BindingFlags.DoNotWrapExceptions, null, [op, lane, name], null);
    }

    internal static bool IsUnary(Op op) => Base(op.GetType())!.GetGenericTypeDefinition() == typeof(UnaryOp<,>);

    internal static Type? Base(Type? type)
    {
        for (; type is not null; type = type.BaseType)
            if (type.IsGenericType && type.GetGenericTypeDefinition() is var open
                && (open == typeof(UnaryOp<,>) || open == typeof(BinaryOp<>))) return type;
        return null;
    }

    private static string NameOf(Op op) =>
        op.Attributes.Count == 0 ? op.Name : $"{op.Name} {string.Join(", ", op.Attributes)}";

    private sealed class Findings(string name)
    {
        private readonly List<string> wrong = [];
        private int compared;

        // Rounding of values near 1, as in 1 − y², is absolute.
        internal void Compare(string what, double dual, double found, params double[] at)
        {
            if (Conventions.GetValueOrDefault(name.Split(' ')[0], []).Any(known =>
                what.StartsWith(known.What, StringComparison.Ordinal) && known.At(at))) return;
            compared++;
            if (dual.Equals(found) || dual == found || Math.Abs(dual - found) <= 1e-12 * Math.Abs(dual) + 1e-14) return;
            wrong.Add($"{name}: {what} at ({string.Join(", ", at)}): {found:R}, by dual numbers {dual:R}");
        }

        internal void AssertNone(int least)
        {
            Assert.True(wrong.Count == 0, $"seed {Seed}\n{string.Join('\n', wrong)}");
            Assert.True(compared >= least, $"{name}: only {compared} comparisons");
        }
    }
}
