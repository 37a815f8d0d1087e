using System.Reflection;

namespace Adjoint.Tests.Ops;

/// <summary>What follows from a row of <see cref="OpCases"/>.</summary>
public class OpCasesTests
{
    public static TheoryData<string> Names() => [.. OpCases.All.Select(row => row.Name)];

    // A cast rounds, which has no finite difference; its rule is the identity, tested in TensorTests.
    public static TheoryData<string> Differentiable() => [.. OpCases.All.Where(row =>
        row.Differentiable && row.Name != "Cast").Select(row => row.Name)];

    public static TheoryData<string> Smooth() => [.. OpCases.All.Where(row =>
        row.Differentiable && row.Smooth && row.Name != "Cast").Select(row => row.Name)];

    public static TheoryData<string> Elementwise() => [.. OpCases.All.Where(row => row.Elementwise).Select(row => row.Name)];

    [Theory, MemberData(nameof(Names))]
    public void Value_agrees_with_the_naive_formula(string name)
    {
        var (row, inputs) = Row(name);
        var expected = row.Reference(inputs);
        var wide = row.Call(row.Tensors(inputs, DType.Float64)).ToArray<double>();
        var narrow = row.Call(row.Tensors(inputs, DType.Float32)).To(DType.Float32).ToArray<float>();
        Assert.Equal(expected.Length, wide.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i], wide[i], 1e-12 * Math.Max(1, Math.Abs(expected[i])));
            Assert.Equal(expected[i], narrow[i], 5e-6 * Math.Max(1, Math.Abs(expected[i])));
        }
    }

    [Theory, MemberData(nameof(Differentiable))]
    public void First_derivative_agrees_with_finite_differences(string name)
    {
        var (row, inputs) = Row(name);
        var result = GradCheck.Run(row.Call, row.Tensors(inputs, DType.Float64));
        Assert.True(result.Passed && result.Comparisons > 0, $"{name}: {result}");
    }

    [Theory, MemberData(nameof(Smooth))]
    public void Second_derivative_agrees_with_finite_differences(string name)
    {
        var (row, inputs) = Row(name);
        var result = GradCheck.RunSecondOrder(row.Call, row.Tensors(inputs, DType.Float64));
        Assert.True(result.Passed, $"{name}: {result}");
    }

    [Fact]
    public void Derivatives_at_0_agree_with_finite_differences()
    {
        Assert.All(OpCatalogue.All, entry =>
        {
            Assert.True(entry.Check() is { Passed: true, Comparisons: > 0 } || !entry.IsDifferentiable,
                $"{entry.Op.Name}: {entry.Check()}");
            Assert.True(entry.Check(second: true) is not { Passed: false },
                $"{entry.Op.Name}: {entry.Check(second: true)}");
        });
        // Kinks and poles, whose slopes at 0 are in SpecialPointTests.
        string[] without = ["Abs", "DivideNumber", "Elu", "FloorDivide", "LeakyRelu", "Log", "Maximum", "Minimum",
            "Relu", "Remainder", "Sign", "Sqrt"];
        Assert.Equal(without, OpCatalogue.All.Where(entry =>
            entry.AtZero is null && entry.IsDifferentiable).Select(entry =>
            entry.Op.Name).Order());
    }

    [Theory, MemberData(nameof(Names))]
    public void Fused_and_composed_rules_agree(string name)
    {
        var (row, inputs) = Row(name);
        if (!row.Differentiable)
        {
            var x = row.Tensors(inputs, DType.Float64).Select(one => one.RequireGrad()).ToArray();
            Assert.False(row.Call(x).RequiresGrad);
            return;
        }
        Tensor?[] Gradients(bool createGraph)
        {
            var leaves = row.Tensors(inputs, DType.Float64);
            foreach (var leaf in leaves) leaf.RequireGrad();
            var output = row.Call(leaves);
            return Differentiation.Gradients(output, leaves, Tensor.Randn(output.Shape, new Generator(3), DType.Float64), createGraph: createGraph);
        }

        foreach (var (fused, composed) in Gradients(false).Zip(Gradients(true)))
        {
            Assert.Equal(fused is null, composed is null);
            if (fused is null) continue;
            foreach (var (a, b) in fused.ToArray<double>().Zip(composed!.ToArray<double>())) Assert.Equal(a, b, 1e-12 * Math.Max(1, Math.Abs(a)));
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void Transposed_views_give_the_same_as_copies(string name)
    {
        var (row, inputs) = Row(name);
        var plain = row.Tensors(inputs, DType.Float64);
        var views = plain.Select(x => x.Rank < 2 ? x : x.Transpose().Clone().Transpose()).ToArray();
        Assert.Equal(row.Call(plain).ToArray<double>(), row.Call(views).ToArray<double>());
    }

    [Theory, MemberData(nameof(Elementwise))]
    public void Every_length_and_layout_gives_the_naive_value(string name)
    {
        var (row, _) = Row(name);
        var random = new Random(5);
        foreach (var length in (int[])[0, 1, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65, 1037])
        {
            var inputs = row.Shapes.Select(_ => Enumerable.Range(0, length).Select(_ => random.NextDouble() * 4 - 2).Select(x => row.Domain?.Invoke(x) ?? x).ToArray()).ToArray();
            var expected = row.Reference(inputs);
            foreach (var dtype in (DType[])[DType.Float32, DType.Float64])
            {
                // Plain, and as every second element of something larger.
                var plain = inputs.Select(values => Tensor.From(values, length).To(dtype).Detach()).ToArray();
                var strided = inputs.Select(values => Tensor.From([.. values.SelectMany(x => (double[])[x, double.NaN])], 2 * length).To(dtype).Detach().Slice(0, 0, length, step: 2)).ToArray();
                foreach (var x in (Tensor[][])[plain, strided])
                {
                    var actual = row.Call(x).To(DType.Float64).ToArray<double>();
                    Assert.Equal(expected.Length, actual.Length);
                    for (var i = 0; i < length; i++) Assert.Equal(expected[i], actual[i], (dtype == DType.Float32 ? 5e-6 : 1e-12) * Math.Max(1, Math.Abs(expected[i])));
                }
            }
        }
    }

    [Theory, MemberData(nameof(Elementwise))]
    public void NaN_in_is_NaN_out_and_infinities_follow_the_formula(string name)
    {
        var (row, _) = Row(name);
        double[] special = [double.NaN, double.PositiveInfinity, double.NegativeInfinity, 0.0, 1];
        foreach (var dtype in (DType[])[DType.Float32, DType.Float64])
        {
            var inputs = row.Shapes.Select((_, i) => i == 0 ? special : [1, 2, 2, 2, double.NaN]).ToArray();
            var expected = row.Reference(inputs);
            var actual = row.Call([.. inputs.Select(x => Tensor.From(x, 5).To(dtype).Detach())]).To(DType.Float64).ToArray<double>();
            Assert.True(double.IsNaN(actual[0]), $"{name}(NaN) = {actual[0]}");
            if (inputs.Length == 2) Assert.True(double.IsNaN(actual[4]) || name == "PowerOfTensors", $"{name}(1, NaN) = {actual[4]}");
            // Where the naive formula is itself finite or infinite, so are we.
            for (var i = 1; i < 4; i++)
                if (!double.IsNaN(expected[i])) Assert.Equal(expected[i], actual[i], 1e-6);
        }
    }

    [Fact]
    public void Every_op_has_a_row() => Assert.Empty(OpTypes().Except(OpsOfAllRows().Select(TypeOf)));

    [Fact]
    public void Every_op_tells_all_that_it_was_made_with()
    {
        Type[] readable = [typeof(int), typeof(double), typeof(bool), typeof(string), typeof(int[]), typeof(Size2),
            typeof(Shape), typeof(DType), typeof(Tensor)];
        foreach (var op in OpsOfAllRows())
        {
            var made = op.GetType().GetConstructors(Members).Max(constructor => constructor.GetParameters().Length);
            Assert.True(op.Attributes.Count >= made,
                $"{op.GetType().Name}: {made} arguments, {op.Attributes.Count} attributes");
            Assert.All(op.Attributes, attribute => Assert.Contains(attribute.Value.GetType(), readable));
            Assert.Distinct(op.Attributes.Select(attribute => attribute.Name));
        }
    }

    [Fact]
    public void Attributes_read_as_they_were_given()
    {
        static string Of(Tensor y) => string.Join(", ", y.Source!.Op.Attributes);
        var x = Tensor.Ones(1, 2, 5, 5).RequireGrad();
        Assert.Equal("stride 2×1, padding 1, dilation 1, groups 2", Of(x.Conv2d(Tensor.Ones(2, 1, 3, 3), stride: (2,
            1), padding: 1, groups: 2)));
        Assert.Equal("exponent 2.5", Of(x.Pow(2.5)));
        Assert.Equal("low -1, high Infinity", Of(x.Clamp(-1, double.PositiveInfinity)));
        Assert.Equal("axis 2, start 1, count 2, step 2", Of(x.Slice(-2, 1, 2, 2)));
        Assert.Equal("axes [0, 1, 2, 3], keepDims false", Of(x.Sum()));
        Assert.Equal("dtype float64", Of(x.To(DType.Float64)));
        Assert.Equal("shape (50,)", Of(x.Reshape(-1)));
        Assert.Empty(x.Exp().Source!.Op.Attributes);
        Assert.Equal(2.5, x.Pow(2.5).Source!.Op.Attributes.Single(attribute => attribute.Name == "exponent").Value);
    }

    [Fact]
    public void The_catalogue_has_every_op_a_user_can_call()
    {
        var listed = OpCatalogue.All.Select(entry => entry.Op.GetType()).ToHashSet();
        Type[] innards = [typeof(Accumulate), typeof(PlaceOp), typeof(ScatterAddOp), typeof(CastOp),
            typeof(MaskOp<>), typeof(Conv2dWeightGradientOp), typeof(MaxUnpool2dOp), typeof(MaxSelect2dOp), typeof(IndexAddOp),
            typeof(TransferOp)];
        var missing = typeof(Op).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(Op)) && !type.IsAbstract && !listed.Contains(type) && !innards.Contains(type)).Select(type => type.Name);
        Assert.Empty(missing);
    }

    private const BindingFlags Members = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance;

    internal static Op[] OpsOfAllRows() => [.. OpCases.All.SelectMany(row =>
    {
        using var recording = new RecordGraph();
        var leaves = row.Tensors(row.Inputs(), DType.Float64);
        foreach (var leaf in leaves) leaf.RequireGrad();
        return OpsUnder(row.Call(leaves));
    })];

    internal static IEnumerable<Op> OpsUnder(Tensor tensor) =>
        tensor.Source is { } node ? node.Inputs.SelectMany(OpsUnder).Append(node.Op) : [];

    internal static IEnumerable<Type> OpTypes() =>
        typeof(Op).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(Op)) && !type.IsAbstract);

    internal static Type TypeOf(Op op) =>
        op.GetType() is { IsGenericType: true } type ? type.GetGenericTypeDefinition() : op.GetType();

    private static (OpCase Row, double[][] Inputs) Row(string name)
    {
        var row = OpCases.All.Single(row => row.Name == name);
        return (row, row.Inputs());
    }
}
