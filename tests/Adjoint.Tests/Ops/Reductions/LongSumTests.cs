using Adjoint.Kernels;
using Adjoint.Nn;

namespace Adjoint.Tests.Ops;

/// <summary>
/// Sums of so many terms that float32, one term after another, would stop or drift: 0.1f added 300,000 times is off
/// by 10⁻³.
/// </summary>
public class LongSumTests
{
    private const int Many = 300_000;

    // More ones than float32 counts.
    private const int Beyond = (1 << 24) + (1 << 20);

    [Fact]
    public void The_mean_over_many_rows_of_ones_is_one()
    {
        Assert.Equal([1, 1], Tensor.Ones(20_000_000, 2).Mean(0).ToArray<float>());
        Assert.Equal([Beyond], Tensor.Ones(1, Beyond, 1).Sum([0, 1]).ToArray<float>());
    }

    public static TheoryData<string, string, double> Folds() => new()
    {
        { "columns", "300000,3 over 0", Many }, { "rows", "3,300000 over 1", Many }, { "middle", "2,300000,3 over 1",
            Many },
        { "outer and inner", "600,3,500 over 0,2", Many }, { "all", "300000,3 over 0,1", 3 * Many }, { "one column",
            "300000,1 over 0", Many },
        { "short rows", "300000,4 over 1", 4 }, { "leading two", "1000,300,2 over 0,1", Many },
    };

    [Theory, MemberData(nameof(Folds))]
    public void Every_fold_keeps_its_digits(string name, string what, double terms)
    {
        var (sizes, axes) = (what.Split(" over ")[0].Split(',').Select(int.Parse).ToArray(),
            what.Split(" over ")[1].Split(',').Select(int.Parse).ToArray());
        var x = Tensor.Full(sizes, 0.1);
        foreach (var value in x.Sum(axes).ToArray<float>()) Near(0.1f * terms, value, name);
        foreach (var value in x.Mean(axes).ToArray<float>()) Near(0.1f, value, name);
        foreach (var value in x.Max(axes).ToArray<float>()) Assert.Equal(0.1f, value);
    }

    [Fact]
    public void Cumulative_sums_keep_their_digits()
    {
        var x = Tensor.Full([Many, 2], 0.1);
        var (down, up) = (x.CumSum(0), x.Transpose().CumSum(1, reverse: true).Transpose());
        for (var k = 0; k < Many; k += 9999)
        {
            Near(0.1f * (k + 1.0), (float)down.ItemAt(k, 1), "down");
            Near(0.1f * (double)(Many - k), (float)up.ItemAt(k, 0), "up");
        }
        Assert.Equal(Beyond, Tensor.Ones(Beyond).CumSum(0)[Beyond - 1].Item());
    }

    [Fact]
    public void Sums_of_random_rows_agree_with_float64()
    {
        for (var n = 1; n < 2000; n = n * 3 / 2 + 1)
            foreach (var columns in (int[])[1, 2, 7, 70])
            {
                var x = Tensor.Rand([n, columns], new Generator((ulong)n));
                var (expected, found) = (x.To(DType.Float64).Sum(0).ToArray<double>(), x.Sum(0).ToArray<float>());
                for (var i = 0; i < columns; i++) Near(expected[i], found[i], $"{n} × {columns}, column {i}");
            }
    }

    [Fact]
    public void Gradients_of_what_is_broadcast_keep_their_digits()
    {
        var bias = Tensor.Zeros(2).RequireGrad();
        var (x, weight) = (Tensor.Zeros(Many, 1), Tensor.Zeros(2, 1).RequireGrad());
        (x.Linear(weight, bias) * 0.1).Sum().Backward();
        foreach (var value in bias.Grad!.ToArray<float>()) Near(0.1f * (double)Many, value, "bias");
        var (row, one) = (Tensor.Zeros(1, 3).RequireGrad(), Tensor.Zeros().RequireGrad());
        ((Tensor.Zeros(Many, 3) + row + one) * 0.1).Sum().Backward();
        foreach (var value in row.Grad!.ToArray<float>()) Near(0.1f * (double)Many, value, "row");
        Near(0.1f * 3.0 * Many, one.Grad!.ToArray<float>()[0], "scalar");
        var shift = Tensor.Zeros(2).RequireGrad();
        (Tensor.Zeros(30, 1, 100, 100).Conv2d(Tensor.Zeros(2, 1, 1, 1), shift) * 0.1).Sum().Backward();
        foreach (var value in shift.Grad!.ToArray<float>()) Near(0.1f * (double)Many, value, "bias of a convolution");
    }

    [Fact]
    public void Gradients_of_rows_that_are_picked_often_keep_their_digits()
    {
        int[] index = [.. Enumerable.Range(0, Many).Select(i => i % 10 == 0 ? 1 + i / 10 % 3 : 0)];
        var table = Tensor.Zeros(5, 2).RequireGrad();
        (table.IndexSelect(0, index) * 0.1).Sum().Backward();
        Check(table.Grad!, "IndexSelect");
        var embedding = new Embedding(5, 2);
        (embedding.Forward(Tensor.From(Array.ConvertAll(index, i => (long)i))) * 0.1).Sum().Backward();
        Check(embedding.Weight.Grad!, "Embedding");
        var columns = Tensor.Zeros(1, 5).RequireGrad();
        (columns.Gather(1, Tensor.From(Array.ConvertAll(index, i => (long)i), 1, Many)) * 0.1).Sum().Backward();
        Check(columns.Grad!.Transpose(), "Gather");

        void Check(Tensor gradient, string name)
        {
            for (var row = 0; row < 5; row++)
                for (var column = 0; column < gradient.Shape[1]; column++)
                    Near(0.1f * (double)index.Count(i => i == row), gradient.ItemAt(row, column), $"{name} of {row}");
        }
    }

    [Fact]
    public void Picked_rows_are_added_where_they_came_from_however_often()
    {
        var random = new Random(7);
        foreach (var (count, size) in ((int, int)[])[(10, 3), (256, 1), (257, 1), (1000, 3), (3000, 2000), (5000, 7)])
        {
            int[] index = [.. Enumerable.Range(0, count).Select(_ => random.Next(size))];
            var x = Tensor.Randn([2, size, 3], new Generator((ulong)count), DType.Float64).RequireGrad();
            var weight = Tensor.Randn([2, count, 3], new Generator((ulong)count + 1), DType.Float64);
            (x.IndexSelect(1, index) * weight).Sum().Backward();
            var expected = new double[2 * size * 3];
            var w = weight.ToArray<double>();
            for (var o = 0; o < 2; o++)
                for (var j = 0; j < count; j++)
                    for (var i = 0; i < 3; i++) expected[(o * size + index[j]) * 3 + i] += w[(o * count + j) * 3 + i];
            Assert.All(x.Grad!.ToArray<double>().Zip(expected), pair => Assert.Equal(pair.Second, pair.First, 1e-10));
        }
    }

    [Theory, InlineData(65_536), InlineData(65_537), InlineData(131_072), InlineData(200_001)]
    public void Matrix_products_over_a_long_axis_are_those_of_their_parts(int length)
    {
        foreach (var (m, n) in ((int, int)[])[(1, 1), (3, 2), (2, 40)])
        {
            var a = Tensor.Randn([m, length], new Generator(1), DType.Float64);
            var b = Tensor.Randn([length, n], new Generator(2), DType.Float64);
            var (bias, columns) = (Tensor.Randn([n], new Generator(3), DType.Float64), b.Transpose().Contiguous());
            Tensor[] products =
            [
                a.MatMul(b), a.Transpose().Contiguous().Transpose().MatMul(b), a.MatMul(columns.Transpose()),
                a.Linear(columns, bias) - bias,
            ];
            for (var i = 0; i < m; i++)
                for (var j = 0; j < n; j++)
                    foreach (var product in products)
                        Assert.Equal((a[i] * columns[j]).Sum().Item(), product.ItemAt(i, j), 1e-8);
        }
    }

    [Fact]
    public void Matrix_products_over_a_long_axis_keep_their_digits()
    {
        const int length = 5_000_000;
        var sum = Tensor.Full([1, length], 0.1).MatMul(Tensor.Ones(length, 1)).Item();
        Assert.Equal(0.1f * (double)length, sum, 1e-5 * 0.1f * length);
    }

    [Fact]
    public void Weight_gradients_of_long_images_and_of_many_of_them_do_not_stop()
    {
        foreach (var sizes in (int[][])[[1, 1, 1, Beyond], [Beyond, 1, 1, 1]])
        {
            var w = Tensor.Zeros(1, 1, 1, 1).RequireGrad();
            Tensor.Ones(sizes).Conv2d(w).Sum().Backward();
            Assert.Equal((double)sizes.Aggregate(1L, (a, b) => a * b), w.Grad!.Item());
        }
    }

    public static TheoryData<string> LongConvolutions() => ["1,2,700,800 s1 p1 d1 g1", "1,2,1,400000 s2 p1 d3 g2",
        "1,1,900,900 s2 p0 d1 g1", "40,2,90,90 s1 p2 d2 g1", "2,1,2,270000 s1 p1 d1 g1"];

    [Theory, MemberData(nameof(LongConvolutions))]
    public void Weight_gradients_in_parts_are_those_of_the_whole(string what)
    {
        var parts = what.Split(' ');
        var (sizes, stride, padding, dilation, groups) = (parts[0].Split(',').Select(int.Parse).ToArray(),
            parts[1][1] - '0', parts[2][1] - '0', parts[3][1] - '0', parts[4][1] - '0');
        var x = Tensor.Randn(sizes, new Generator(1), DType.Float64);
        var kernel = Math.Min(3, sizes[2]);
        var w = Tensor.Randn([2, sizes[1] / groups, kernel, 3], new Generator(2), DType.Float64).RequireGrad();
        var y = x.Conv2d(w, null, stride, (kernel == 1 ? 0 : padding, padding), dilation, groups);
        var g = Tensor.Randn(y.Shape, new Generator(3), DType.Float64);
        (y * g).Sum().Backward();
        // The tap (ky, kx) is a product of x, moved, with g.
        using var _ = new NoGrad();
        var padded = x.PadZero((kernel == 1 ? 0 : padding, padding));
        for (var f = 0; f < 2; f++)
            for (var c = 0; c < w.Shape[1]; c++)
                for (var ky = 0; ky < kernel; ky++)
                    for (var kx = 0; kx < 3; kx++)
                    {
                        var channel = groups == 1 ? c : f / (2 / groups) * w.Shape[1] + c;
                        var moved = padded.Select(1, channel).Slice(1, ky * dilation, y.Shape[2], stride).Slice(2,
                            kx * dilation, y.Shape[3], stride);
                        Assert.Equal((moved * g.Select(1, f)).Sum().Item(), w.Grad!.ItemAt(f, c, ky, kx), 1e-7);
                    }
    }

    [Fact]
    public void Means_of_large_windows_and_planes_keep_their_digits()
    {
        var x = Tensor.Full([1, 1, 4200, 4200], 0.1);
        Near(0.1f, x.AvgPool2d(4200).Item(), "AvgPool2d");
        Near(0.1f, x.GlobalAvgPool2d().Item(), "GlobalAvgPool2d");
        var norm = new Adjoint.Nn.BatchNorm(1, momentum: 1);
        norm.Forward(x);
        Near(0.1f, norm.StateDict()["running_mean"].Item(), "BatchNorm");
        Assert.InRange(norm.StateDict()["running_var"].Item(), 0, 1e-9);
    }

    [Fact]
    public void Large_windows_side_by_side_are_right()
    {
        var x = Tensor.Randn([2, 3, 150, 220], new Generator(4), DType.Float64).RequireGrad();
        var y = x.AvgPool2d((70, 100));
        Assert.Equal((Shape)(int[])[2, 3, 2, 2], y.Shape);
        Assert.Equal(x[1, 2, 70..140, ..100].Mean().Item(), y.ItemAt(1, 2, 1, 0), 1e-12);
        y.Sum().Backward();
        Assert.Equal(1.0 / 7000, x.Grad!.ItemAt(1, 2, 139, 199), 1e-15);
        Assert.Equal(0, x.Grad.ItemAt(1, 2, 140, 0));
    }

    [Fact]
    public void Long_sums_have_the_same_bits_on_any_number_of_threads()
    {
        var before = Workers.ThreadCount;
        try
        {
            var results = new List<float[]>();
            foreach (var threads in (int[])[1, 2, 3, 8])
            {
                Workers.ThreadCount = threads;
                var x = Tensor.Rand([70_001, 5], new Generator(5));
                var w = Tensor.Zeros(2, 1, 3, 3).RequireGrad();
                (Tensor.Rand([1, 1, 600, 601], new Generator(6)).Conv2d(w) * 0.3).Sum().Backward();
                var table = Tensor.Zeros(3, 4).RequireGrad();
                (table.IndexSelect(0, [.. Enumerable.Range(0, 7000).Select(i => i * i % 3)]) * 0.3).Sum().Backward();
                results.Add([.. x.Sum(0).ToArray<float>(), x.Sum().ToArray<float>()[0], .. x.Sum(1).Sum(0,
                    keepDims: true).ToArray<float>(), .. w.Grad!.ToArray<float>(), .. table.Grad!.ToArray<float>()]);
            }
            Assert.All(results, result => Assert.Equal(results[0], result));
        }
        finally
        {
            Workers.ThreadCount = before;
        }
    }

    private static void Near(double expected, double found, string what) =>
        Assert.True(Math.Abs(found - expected) <= 3e-6 * Math.Abs(expected),
            $"{what}: expected {expected:g9}, found {found:g9}");
}
