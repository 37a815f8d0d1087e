namespace Adjoint.Tests.Ops;

/// <summary>Every op takes nothing, forward and backward, as in PyTorch: an empty result, gradients of 0.</summary>
public class EmptyCasesTests
{
    // The row's own, and for element-wise ones a shape without elements.
    private static readonly (OpCase Row, Sample Sample)[] All =
    [
        .. from row in OpCases.All from sample in row.Empty select (row, sample),
        .. from row in OpCases.All where row.IsElementwise
           select (row, new Sample([.. row.Shapes.Select(_ => (int[])[2, 0])], [2, 0])),
    ];

    public static TheoryData<int, string> Rows() => [.. All.Select((one, i) => (i, one.Row.Name))];

    [Theory, MemberData(nameof(Rows))]
    public void Every_op_takes_nothing(int number, string name)
    {
        var (row, sample) = All[number];
        foreach (var type in row.Types)
        {
            var x = Array.ConvertAll(sample.Shapes, shape => Tensor.Zeros(shape, type));
            if (type.IsFloating()) foreach (var leaf in x) leaf.RequireGrad();
            var y = (sample.Call ?? row.Call)(x);
            Assert.Equal((Shape)sample.Result!, y.Shape);
            Assert.True(y.Length == 0 || y.To(DType.Float64).ToArray<double>().All(value => value == 0), name);
            if (!y.RequiresGrad) continue;
            (y * 2).Sum().Backward();
            foreach (var input in x)
            {
                Assert.Equal(input.Shape, input.Grad!.Shape);
                if (y.Length == 0) Assert.All(input.Grad.To(DType.Float64).ToArray<double>(), g => Assert.Equal(0, g));
            }
        }
    }

    [Fact]
    public void Every_op_of_the_catalogue_is_called_with_nothing()
    {
        using var recording = new RecordGraph();
        var seen = All.Select(one => (one.Sample.Call ?? one.Row.Call)(
                Array.ConvertAll(one.Sample.Shapes, shape => Tensor.Zeros(shape, one.Row.Types[0]))))
            .SelectMany(OpCases.OpsUnder).Select(OpCases.TypeOf);
        Assert.Empty(OpCatalogue.All.Select(entry => OpCases.TypeOf(entry.Op)).Except(seen));
    }
}
