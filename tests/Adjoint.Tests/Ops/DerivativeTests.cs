namespace Adjoint.Tests.Ops;

/// <summary>
/// Derivatives of every row of <see cref="OpCases"/> by finite differences, by both rules, and in halves.
/// </summary>
public class DerivativeTests
{
    public static TheoryData<string> Differentiable() =>
        OpCases.Names(row => row.IsDifferentiable && row.NoDifferences is null);

    public static TheoryData<string> Smooth() =>
        OpCases.Names(row => row.IsDifferentiable && row.IsSmooth && row.NoDifferences is null);

    public static TheoryData<string> WithDerivative() => OpCases.Names(row => row.IsDifferentiable);

    public static TheoryData<string> WithoutDerivative() => OpCases.Names(row => !row.IsDifferentiable);

    public static TheoryData<string> Listed() =>
        OpCases.Names(row => row.Entry is not null && row.IsDifferentiable);

    public static TheoryData<string, DType> Halves() => OpCases.Typed((row, type) =>
        row.IsDifferentiable && type is DType.BFloat16 or DType.Float16);

    [Theory, MemberData(nameof(Differentiable))]
    public void First_derivative_agrees_with_finite_differences(string name)
    {
        var row = OpCases.Named(name);
        var result = GradCheck.Run(row.Call, row.Tensors(DType.Float64));
        Assert.True(result.Passed && result.Comparisons > 0, $"{name}: {result}");
    }

    [Theory, MemberData(nameof(Smooth))]
    public void Second_derivative_agrees_with_finite_differences(string name)
    {
        var row = OpCases.Named(name);
        var result = GradCheck.RunSecondOrder(row.Call, row.Tensors(DType.Float64));
        Assert.True(result.Passed, $"{name}: {result}");
    }

    // The catalogue's own inputs, and those with a 0 in each.
    [Theory, MemberData(nameof(Listed))]
    public void Derivatives_at_0_agree_with_finite_differences(string name)
    {
        var entry = OpCases.Named(name).Entry!;
        Assert.True(entry.Check() is { Passed: true, Comparisons: > 0 }, $"{name}: {entry.Check()}");
        Assert.True(entry.Check(second: true) is not { Passed: false }, $"{name}: {entry.Check(second: true)}");
    }

    // Their slopes at 0 are in SpecialPointTests.
    [Fact]
    public void Only_kinks_and_poles_have_no_derivative_at_0()
    {
        string[] without = ["Abs", "DivideNumber", "Elu", "FloorDivide", "LeakyRelu", "Log", "Maximum", "Minimum",
            "Relu", "Relu6", "Remainder", "Sign", "Sqrt"];
        Assert.Equal(without, OpCases.All.Select(row => row.Entry).OfType<OpEntry>()
            .Where(entry => entry.AtZero is null && entry.IsDifferentiable).Select(entry => entry.Op.Name).Order());
    }

    [Theory, MemberData(nameof(WithDerivative))]
    public void Fused_and_composed_rules_agree(string name)
    {
        var row = OpCases.Named(name);
        Tensor?[] Gradients(bool createGraph)
        {
            var leaves = Leaves(row, DType.Float64);
            var y = row.Call(leaves);
            var weights = Tensor.Randn(y.Shape, new Generator(3), DType.Float64);
            return Differentiation.Gradients(y, leaves, weights, createGraph: createGraph);
        }

        foreach (var (fused, composed) in Gradients(false).Zip(Gradients(true)))
        {
            Assert.Equal(fused is null, composed is null);
            if (fused is null) continue;
            foreach (var (a, b) in fused.ToArray<double>().Zip(composed!.ToArray<double>()))
                Assert.Equal(a, b, 1e-12 * Math.Max(1, Math.Abs(a)));
        }
    }

    [Theory, MemberData(nameof(WithoutDerivative))]
    public void What_has_no_derivative_requires_no_gradient(string name)
    {
        var row = OpCases.Named(name);
        foreach (var type in row.Types.Where(type => type.IsFloating()))
            Assert.False(row.Call(Leaves(row, type)).RequiresGrad);
    }

    [Theory, MemberData(nameof(Halves))]
    public void Gradients_in_half_precision_are_those_of_float64_rounded(string name, DType type)
    {
        var row = OpCases.Named(name);
        // Of Σ w·y, at the same inputs.
        double[][] Gradients(DType computed)
        {
            var leaves = Array.ConvertAll(row.Tensors(type), x => x.To(computed).Detach().RequireGrad());
            var y = row.Call(leaves);
            var weights = Tensor.Randn(y.Shape, new Generator(3)).To(type).To(y.DType).Detach();
            return Array.ConvertAll(Differentiation.Gradients(y, leaves, weights),
                gradient => gradient?.To(DType.Float64).ToArray<double>() ?? []);
        }

        foreach (var (wanted, found) in Gradients(DType.Float64).Zip(Gradients(type)))
            Assert.InRange(Closeness.Units(wanted, found, type), 0, row.HalfUnits);
    }

    private static Tensor[] Leaves(OpCase row, DType type) =>
        Array.ConvertAll(row.Tensors(type), x => x.RequireGrad());
}
