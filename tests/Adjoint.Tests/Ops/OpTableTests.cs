using System.Reflection;

namespace Adjoint.Tests.Ops;

/// <summary>That <see cref="OpCases"/> has every op and method of tensors, and that its rows are whole.</summary>
public class OpTableTests
{
    private const BindingFlags Members = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance;

    // Ops that only rules and other ops use: no user calls them, and the catalogue does not show them; nor those of
    // which there is more to say on several devices or ranks.
    private static readonly Type[] Internal =
    [
        typeof(Accumulate), typeof(PlaceOp), typeof(ScatterAddOp), typeof(CastOp), typeof(MaskOp<>),
        typeof(Conv2dWeightGradientOp), typeof(MaxUnpool2dOp), typeof(MaxSelect2dOp), typeof(IndexAddOp),
        typeof(TransferOp), typeof(Adjoint.Distributed.SumOverRanksOp),
    ];

    [Fact]
    public void Every_op_has_a_row() => AssertNone(
        OpCases.OpTypes().Except(OpCases.OpsOfAllRows().Select(OpCases.TypeOf)).Select(type => type.Name));

    [Fact]
    public void Every_op_of_the_catalogue_has_the_row_of_its_call() => AssertNone(OpCatalogue.All
        .Where(entry => OpCases.All.Count(row => row.Entry == entry) != 1).Select(entry => entry.Op.Name));

    [Fact]
    public void The_catalogue_has_every_op_that_a_user_can_call()
    {
        var listed = OpCatalogue.All.Select(entry => OpCases.TypeOf(entry.Op));
        var missing = OpCases.OpTypes().Except(listed).Except(Internal).Select(type => type.Name);
        Assert.True(!missing.Any(), $"{string.Join(", ", missing)}: add a line to src/Adjoint/Ops/OpCatalogue.cs");
        Assert.Empty(Internal.Intersect(listed));
    }

    [Fact]
    public void Every_method_of_tensors_is_called_by_a_row()
    {
        var called = OpCases.All.SelectMany(row => CalledMethods.Of(row.Call)).Select(method => method.Name)
            .ToHashSet();
        AssertNone(Methods().Select(method => method.Name).Distinct().Where(name => !called.Contains(name)));
    }

    [Fact]
    public void Rows_have_names_of_their_own() => Assert.Distinct(OpCases.All.Select(row => row.Name));

    [Fact]
    public void Every_op_tells_all_that_it_was_made_with()
    {
        Type[] readable = [typeof(int), typeof(double), typeof(bool), typeof(string), typeof(int[]), typeof(Size2),
            typeof(Shape), typeof(DType), typeof(Tensor)];
        foreach (var op in OpCases.OpsOfAllRows())
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
        Assert.Equal("stride 2×1, padding 1, dilation 1, groups 2",
            Of(x.Conv2d(Tensor.Ones(2, 1, 3, 3), stride: (2, 1), padding: 1, groups: 2)));
        Assert.Equal("exponent 2.5", Of(x.Pow(2.5)));
        Assert.Equal("low -1, high Infinity", Of(x.Clamp(-1, double.PositiveInfinity)));
        Assert.Equal("axis 2, start 1, count 2, step 2", Of(x.Slice(-2, 1, 2, 2)));
        Assert.Equal("axes [0, 1, 2, 3], keepDims false", Of(x.Sum()));
        Assert.Equal("dtype float64", Of(x.To(DType.Float64)));
        Assert.Equal("shape (50,)", Of(x.Reshape(-1)));
        Assert.Empty(x.Exp().Source!.Op.Attributes);
        Assert.Equal(2.5, x.Pow(2.5).Source!.Op.Attributes.Single(attribute => attribute.Name == "exponent").Value);
    }

    // Of a tensor, or several, another; without those that random numbers are filled in with.
    private static IEnumerable<MethodInfo> Methods() =>
        from type in typeof(Tensor).Assembly.GetExportedTypes()
        where type.IsAbstract && type.IsSealed && type.Namespace == "Adjoint"
            && type != typeof(Differentiation) && type != typeof(GradientCheckpoint)
        from method in type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly)
        where IsTensors(method.ReturnType) && method.GetParameters().Any(one => IsTensors(one.ParameterType))
        select method;

    private static bool IsTensors(Type type) => type == typeof(Tensor) || type == typeof(Tensor[])
        || type == typeof(IReadOnlyList<Tensor>) || type == typeof((Tensor, Tensor));

    private static void AssertNone(IEnumerable<string> missing) =>
        Assert.True(!missing.Any(), $"{string.Join(", ", missing)}: {OpCases.Where}");
}
