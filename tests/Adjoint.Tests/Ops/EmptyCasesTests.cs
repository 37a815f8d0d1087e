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

    [Fact]
    public void Means_of_nothing_are_NaN_and_folds_their_identity()
    {
        var x = Tensor.Zeros(0, 3);
        Assert.True(double.IsNaN(x.Mean().Item()));
        Assert.True(double.IsNaN(Loss.CrossEntropy(x, Tensor.Zeros([0], DType.Int64)).Item()));
        Assert.True(double.IsNaN(Loss.Mse(x, x).Item()));
        Assert.Equal(0, x.Sum().Item());
        Assert.Equal([float.NegativeInfinity, float.NegativeInfinity, float.NegativeInfinity],
            x.LogSumExp(0).ToArray<float>());
        Assert.Equal(0, x.ArgMax(1).Length);
        Assert.Throws<AdjointException>(() => x.Max(0));
        Assert.Throws<AdjointException>(() => x.ArgMax(0));
    }

    [Fact]
    public void Empty_views_are_copied_wherever_they_begin()
    {
        foreach (var type in (DType[])[DType.Float32, DType.Float64, DType.Int64, DType.Bool])
        {
            var (none, some) = (Tensor.Zeros([0, 3], type), Tensor.Zeros([30, 50], type));
            foreach (var view in (Tensor[])[none[.., 2..], none.Slice(1, 2, 1), none.Transpose(), some[30..],
                some[25..25, 3..8], some[.., 50..], some[30.., 49..].Transpose(), none[.., 1].Unsqueeze(0)])
            {
                Assert.Equal(0, view.Length);
                Assert.Equal(view.Shape, view.Clone().Shape);
                Assert.Equal(view.Shape, view.Contiguous().Shape);
                Assert.Equal(view.Shape, Tensor.Concat([view.IndexSelect(0), view]).Shape);
                Assert.Contains("shape", view.ToString(), StringComparison.Ordinal);
                view.Fill(1);
            }
        }
        Assert.Empty(Tensor.Zeros(0, 3)[.., 2..].ToArray<float>());
    }

    [Fact]
    public void Images_without_rows_or_columns_are_refused_by_name()
    {
        foreach (var x in (Tensor[])[Tensor.Zeros(1, 2, 0, 4), Tensor.Zeros(1, 2, 4, 0)])
        {
            foreach (var call in (Func<object>[])[() => x.MaxPool2d(2, padding: 1), () => x.AvgPool2d(2, padding: 1),
                () => x.AdaptiveAvgPool2d(2), () => x.InterpolateNearest(2), () => x.InterpolateBilinear(2)])
                Assert.Contains($"found {x.Shape}", Assert.Throws<AdjointException>(call).Message,
                    StringComparison.Ordinal);
            Assert.Contains("larger than the input", Assert.Throws<AdjointException>(() => x.Conv2d(Tensor.Zeros(1, 2,
                3, 3))).Message, StringComparison.Ordinal);
        }
    }
}
