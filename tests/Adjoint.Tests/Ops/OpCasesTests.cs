namespace Adjoint.Tests.Ops;

/// <summary>What follows from a row of <see cref="OpCases"/>.</summary>
public class OpCasesTests
{
    public static TheoryData<string> Names() => [.. OpCases.All.Select(row => row.Name)];

    [Theory, MemberData(nameof(Names))]
    public void Value_agrees_with_the_naive_formula(string name)
    {
        var (row, inputs) = Row(name);
        var expected = row.Reference(inputs);
        var wide = row.Call(Tensors(row, inputs, DType.Float64)).ToArray<double>();
        var narrow = row.Call(Tensors(row, inputs, DType.Float32)).To(DType.Float32).ToArray<float>();
        Assert.Equal(expected.Length, wide.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i], wide[i], 1e-12 * Math.Max(1, Math.Abs(expected[i])));
            Assert.Equal(expected[i], narrow[i], 5e-6 * Math.Max(1, Math.Abs(expected[i])));
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void First_derivative_agrees_with_finite_differences(string name)
    {
        var (row, inputs) = Row(name);
        if (name == "Cast") Assert.Skip("a rounding has no finite difference; its rule is the identity, tested in CastTests");
        var result = GradCheck.Run(row.Call, Tensors(row, inputs, DType.Float64));
        Assert.True(result.Passed && result.Comparisons > 0, $"{name}: {result}");
    }

    [Theory, MemberData(nameof(Names))]
    public void Second_derivative_agrees_with_finite_differences(string name)
    {
        var (row, inputs) = Row(name);
        if (!row.Smooth || name == "Cast") Assert.Skip("not smooth");
        var result = GradCheck.RunSecondOrder(row.Call, Tensors(row, inputs, DType.Float64));
        Assert.True(result.Passed, $"{name}: {result}");
    }

    [Theory, MemberData(nameof(Names))]
    public void Fused_and_composed_rules_agree(string name)
    {
        var (row, inputs) = Row(name);
        Tensor?[] Gradients(bool createGraph)
        {
            var leaves = Tensors(row, inputs, DType.Float64);
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
        var plain = Tensors(row, inputs, DType.Float64);
        var views = plain.Select(x => x.Rank < 2 ? x : x.Transpose().Clone().Transpose()).ToArray();
        Assert.Equal(row.Call(plain).ToArray<double>(), row.Call(views).ToArray<double>());
    }

    [Fact]
    public void Every_op_has_a_row()
    {
        var rows = OpCases.All.SelectMany(row =>
        {
            var leaves = Tensors(row, row.Inputs(), DType.Float64);
            foreach (var leaf in leaves) leaf.RequireGrad();
            return OpsUnder(row.Call(leaves));
        }).ToHashSet();
        var missing = typeof(Op).Assembly.GetTypes()
            .Where(type => type.IsSubclassOf(typeof(Op)) && !type.IsAbstract && !rows.Contains(type.IsGenericType ? type.GetGenericTypeDefinition() : type))
            .Select(type => type.Name);
        Assert.Empty(missing);
    }

    [Fact]
    public void The_catalogue_has_every_op_a_user_can_call()
    {
        var listed = OpCatalogue.All.Select(entry => entry.Op.GetType()).ToHashSet();
        Type[] innards = [typeof(Accumulate), typeof(PlaceOp), typeof(ScatterAddOp), typeof(CastOp), typeof(MaskOp<>)];
        var missing = typeof(Op).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(Op)) && !type.IsAbstract && !listed.Contains(type) && !innards.Contains(type)).Select(type => type.Name);
        Assert.Empty(missing);
    }

    private static IEnumerable<Type> OpsUnder(Tensor tensor)
    {
        if (tensor.Source is not { } node) return [];
        var type = node.Op.GetType();
        return node.Inputs.SelectMany(OpsUnder).Append(type.IsGenericType ? type.GetGenericTypeDefinition() : type);
    }

    private static (OpCase Row, double[][] Inputs) Row(string name)
    {
        var row = OpCases.All.Single(row => row.Name == name);
        return (row, row.Inputs());
    }

    private static Tensor[] Tensors(OpCase row, double[][] inputs, DType dtype) =>
        [.. inputs.Select((values, i) => Tensor.From(values.AsSpan(), row.Shapes[i]).To(dtype).Detach())];
}
