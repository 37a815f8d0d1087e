namespace Adjoint.Tests.Ops;

/// <summary>Where the largest and the smallest lie.</summary>
public class ArgReduceTests
{
    // The literal values are those of PyTorch 1.13.
    [Fact]
    public void Ties_zeros_and_NaN_as_in_PyTorch()
    {
        const float n = float.NaN, inf = float.PositiveInfinity;
        var x = Tensor.From(new[,]
        {
            { 3, 1, 1, 3 }, { 0, -0f, 0, -0f }, { 1, n, 2, n }, { inf, inf, -inf, -inf }, { n, 1, n, 0 },
        });
        foreach (var each in (Tensor[])[x, x.To(DType.Float64), x.Transpose().Clone().Transpose()])
        {
            Assert.Equal([0L, 0, 1, 0, 0], each.ArgMax().ToArray<long>());
            Assert.Equal([1L, 0, 1, 2, 0], each.ArgMin().ToArray<long>());
            Assert.Equal([4L, 2, 4, 2], each.ArgMax(0).ToArray<long>());
            Assert.Equal([4L, 2, 4, 2], each.ArgMin(0).ToArray<long>());
        }
        var whole = Tensor.From(new[,] { { 2, 2 }, { long.MinValue, long.MaxValue }, { (1L << 53) + 1, 1L << 53 } });
        Assert.Equal([0L, 1, 0], whole.ArgMax().ToArray<long>());
        Assert.Equal([0L, 0, 1], whole.ArgMin().ToArray<long>());
        Assert.Equal([1L, 0], whole.ArgMin(0).ToArray<long>());
        var truth = Tensor.From(new[,] { { true, false, false }, { true, true, true }, { false, false, true } });
        Assert.Equal([0L, 0, 2], truth.ArgMax().ToArray<long>());
        Assert.Equal([1L, 0, 0], truth.ArgMin().ToArray<long>());
    }

    [Theory, InlineData(1), InlineData(7), InlineData(8), InlineData(9), InlineData(17), InlineData(64),
        InlineData(1037)]
    public void Every_length_along_every_axis(int n)
    {
        var random = new Random(n);
        foreach (var few in (int[])[2, 1000])
            foreach (var odds in (int[])[0, 3])
            {
                float[] values = [.. Enumerable.Range(0, 3 * n * 2).Select(_ =>
                    odds > 0 && random.Next(n * odds) == 0 ? float.NaN : random.Next(few) - few / 2)];
                var x = Tensor.From(values, 3, n, 2);
                foreach (var view in (Tensor[])[x, x.Transpose(1, 2).Clone().Transpose(1, 2)])
                {
                    Assert.Equal(Naive(values, n, 1), view.ArgMax(1).ToArray<long>());
                    Assert.Equal(Naive(values, n, -1), view.ArgMin(1).ToArray<long>());
                    Assert.Equal(Naive(values, n, 1), view.To(DType.Float64).ArgMax(-2).ToArray<long>());
                }
                if (odds > 0) continue;
                Assert.Equal(Naive(values, n, 1), x.To(DType.Int64).ArgMax(1).ToArray<long>());
                Assert.Equal(Naive([.. values.Select(value => value == 0 ? 0f : 1)], n, -1),
                    x.To(DType.Bool).ArgMin(1).ToArray<long>());
            }
    }

    [Fact]
    public void Nothing_and_no_axis_to_choose_from_are_refused()
    {
        Assert.Equal("ArgMin: axis 0 of (0, 3) is empty",
            Assert.Throws<AdjointException>(() => Tensor.Zeros(0, 3).ArgMin(0)).Message);
        Assert.Equal("ArgMin: axis 2 is outside (0, 3); use -2..1",
            Assert.Throws<AdjointException>(() => Tensor.Zeros(0, 3).ArgMin(2)).Message);
        Assert.Equal(0, Tensor.Zeros(0, 3).ArgMin(1).Length);
    }

    [Fact]
    public void Any_number_of_threads_gives_the_same()
    {
        var x = Tensor.Randn([300, 700], new Generator(1));
        var results = Threads.Of(1, 2, 3).Select(_ =>
            (long[])[.. x.ArgMax().ToArray<long>(), .. x.ArgMin(0).ToArray<long>()]).ToArray();
        Assert.Equal(results[0], results[1]);
        Assert.Equal(results[0], results[2]);
    }

    // Of each run of x (3, n, 2) along the middle: the first NaN, else the first of the extreme.
    private static long[] Naive(float[] x, int n, int sign) =>
        [.. from o in Enumerable.Range(0, 3) from i in Enumerable.Range(0, 2)
            let run = Enumerable.Range(0, n).Select(j => x[(o * n + j) * 2 + i]).ToArray()
            let nan = Array.FindIndex(run, float.IsNaN)
            let best = Array.FindIndex(run, value => run.All(other => sign * value >= sign * other))
            select (long)(nan >= 0 ? nan : best)];
}
