using Adjoint.Kernels;

namespace Adjoint.Tests.Ops;

/// <summary>Against values of PyTorch 1.13, and against sorting by LINQ, which is stable.</summary>
public class TopKTests
{
    private const double NaN = double.NaN;
    private const double Infinity = double.PositiveInfinity;

    private static Tensor X => Tensor.From(new[,] { { 3, NaN, 1, 3, -0.0, 0, Infinity }, { 2, 2, 2, 1, 1, 5, -7 } });

    [Theory, InlineData(DType.Float32), InlineData(DType.Float64)]
    public void Values_and_places_are_those_of_PyTorch(DType type)
    {
        var x = X.To(type);
        Is(x.TopK(3), [NaN, Infinity, 3, 5, 2, 2], [1, 6, 0, 5, 0, 1]);
        Is(x.TopK(3, largest: false), [-0.0, 0, 1, -7, 1, 1], [4, 5, 2, 6, 3, 4]);
        Is(x.TopK(1, axis: 0), [3, NaN, 2, 3, 1, 5, Infinity], [0, 0, 1, 0, 1, 1, 0]);
        Is(x.Sort(),
            [-0.0, 0, 1, 3, 3, Infinity, NaN, -7, 1, 1, 2, 2, 2, 5], [4, 5, 2, 0, 3, 6, 1, 6, 3, 4, 0, 1, 2, 5]);
        Is(x.Sort(descending: true),
            [NaN, Infinity, 3, 3, 1, -0.0, 0, 5, 2, 2, 2, 1, 1, -7], [1, 6, 0, 3, 2, 4, 5, 5, 0, 1, 2, 3, 4, 6]);
        Is(x.TopK(3, sorted: false), [3, NaN, Infinity, 2, 2, 5], [0, 1, 6, 0, 1, 5]);
    }

    [Fact]
    public void Gradients_are_those_of_PyTorch()
    {
        var x = Tensor.From(new[,] { { 1.0, 5, 2, 4 }, { 9, -3, 0, 7 } }).RequireGrad();
        (x.TopK(2).Values * Tensor.From(new[,] { { 1.0, 2 }, { 3, 4 } })).Sum().Backward();
        Assert.Equal([0, 1, 0, 2, 3, 0, 0, 4], x.Grad!.ToArray<double>());
        x.ZeroGrad();
        (x.Sort(0, descending: true).Values * Tensor.Arange(0, 8, dtype: DType.Float64).Reshape(2, 4)).Sum().Backward();
        Assert.Equal([4, 1, 2, 7, 0, 5, 6, 3], x.Grad!.ToArray<double>());
    }

    [Fact]
    public void Second_derivatives_go_through_what_was_chosen()
    {
        var x = Tensor.Randn([3, 5], new Generator(4), DType.Float64);
        static Tensor Function(Tensor[] inputs) => inputs[0].TopK(2,
            axis: 0).Values.Exp() + inputs[0].Sort(0).Values[1].Sin();
        Assert.True(GradCheck.Run(Function, [x]).Passed);
        Assert.True(GradCheck.RunSecondOrder(Function, [x]) is { Passed: true, Comparisons: > 0 });
    }

    [Theory]
    [InlineData(1, 1, 1, 1), InlineData(3, 1000, 1, 5), InlineData(1, 1000, 1, 999), InlineData(2, 33, 7, 4)]
    [InlineData(4, 70000, 1, 10), InlineData(5, 17, 3, 17), InlineData(300, 64, 1, 8)]
    public void Runs_of_all_kinds_are_as_sorted_by_hand(int outer, int size, int inner, int k)
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        // Few different numbers: many are equal.
        var numbers = Enumerable.Range(0, outer * size * inner).Select(_ => (double)random.Next(-size / 2,
            size / 2 + 1));
        var x = Tensor.From([.. numbers], outer, size, inner);
        foreach (var type in (DType[])[DType.Float32, DType.Float64, DType.Int64])
            foreach (var largest in (bool[])[true, false])
            {
                var typed = x.To(type);
                var (values, indices) = typed.TopK(k, 1, largest);
                var (expected, places) = ByHand(x, k, largest);
                Assert.True(places.SequenceEqual(indices.ToArray<long>()), $"seed {seed}, {type}, largest {largest}");
                Assert.Equal(expected, values.To(DType.Float64).ToArray<double>());
                // Another layout, and as many threads, give the same.
                var turned = typed.Transpose(0, 1).Contiguous().Transpose(0, 1);
                var threads = Workers.ThreadCount;
                try
                {
                    Workers.ThreadCount = 3;
                    Assert.Equal(places, turned.TopK(k, 1, largest).Indices.ToArray<long>());
                }
                finally
                {
                    Workers.ThreadCount = threads;
                }
            }
    }

    [Fact]
    public void Integers_that_doubles_cannot_tell_apart_are_told_apart()
    {
        var x = Tensor.From([(1L << 53) + 1, 1L << 53, long.MinValue, long.MaxValue, -1]);
        Assert.Equal([3, 0, 1, 4, 2L], x.Sort(descending: true).Indices.ToArray<long>());
        Assert.Equal([long.MinValue, -1], x.TopK(2, largest: false).Values.ToArray<long>());
    }

    [Fact]
    public void Nothing_can_be_chosen_from_nothing()
    {
        var (values, indices) = Tensor.Zeros(2, 0).Sort();
        Assert.Equal("(2, 0) (2, 0)", $"{values.Shape} {indices.Shape}");
        Assert.Equal([2, 0], X.TopK(0).Values.Shape.ToArray());
        Assert.Equal([0, 3], Tensor.Zeros(0, 7).TopK(3).Indices.Shape.ToArray());
    }

    [Fact]
    public void Errors_say_what_to_do()
    {
        Assert.StartsWith("TopK: k must be from 0 to 7, the size of axis -1 of (2, 7): found 8",
            Assert.Throws<AdjointException>(() => X.TopK(8)).Message, StringComparison.Ordinal);
        Assert.Contains("cast with .To(DType.Int64)",
            Assert.Throws<AdjointException>(() => Tensor.From(new[] { true }).Sort()).Message,
                StringComparison.Ordinal);
    }

    [Fact]
    public void Splits_and_chunks_have_the_sizes_of_PyTorch_and_share_memory()
    {
        static string Sizes(Tensor[] parts) => string.Join(' ', parts.Select(part => part.Shape[0]));
        Assert.Equal("3 3 1", Sizes(Tensor.Zeros(7).Split(3)));
        Assert.Equal("0", Sizes(Tensor.Zeros(0, 2).Split(3)));
        Assert.Equal("1 0 6", Sizes(Tensor.Zeros(7).Split([1, 0, 6])));
        Assert.Equal("3 3 1", Sizes(Tensor.Zeros(7).Chunk(3)));
        Assert.Equal("2 2 2", Sizes(Tensor.Zeros(6).Chunk(4)));
        // PyTorch gives three of nothing.
        Assert.Equal("0", Sizes(Tensor.Zeros(0, 2).Chunk(3)));
        Assert.Equal("2147483647", string.Join(' ',
            Tensor.Zeros(1).Expand(int.MaxValue).Split(int.MaxValue).Select(part => part.Length)));
        var x = Tensor.Zeros(4);
        x.Split(2)[1].Fill(1);
        Assert.Equal([0, 0, 1, 1f], x.ToArray<float>());
        foreach (var sizes in (int[][])[[3, 3], [8, -1], []])
            Assert.Contains("add up to 7", Assert.Throws<AdjointException>(() => Tensor.Zeros(7).Split(sizes)).Message,
                StringComparison.Ordinal);
        Assert.Contains("1 or more", Assert.Throws<AdjointException>(() => Tensor.Zeros(7).Split(0)).Message,
            StringComparison.Ordinal);
        Assert.Contains("1 or more", Assert.Throws<AdjointException>(() => Tensor.Zeros(7).Chunk(0)).Message,
            StringComparison.Ordinal);
    }

    private static void Is((Tensor Values, Tensor Indices) found, double[] values, long[] indices)
    {
        // Bits: 0 is not −0.
        Assert.Equal(values.Select(BitConverter.DoubleToInt64Bits),
            found.Values.To(DType.Float64).ToArray<double>().Select(BitConverter.DoubleToInt64Bits));
        Assert.Equal(indices, found.Indices.ToArray<long>());
    }

    private static (double[], long[]) ByHand(Tensor x, int k, bool largest)
    {
        var (outer, size, inner) = (x.Shape[0], x.Shape[1], x.Shape[2]);
        var (from, values, places) = (x.ToArray<double>(), new double[outer * k * inner], new long[outer * k * inner]);
        for (var o = 0; o < outer; o++)
            for (var i = 0; i < inner; i++)
            {
                var run = Enumerable.Range(0, size).Select(j => (Value: from[(o * size + j) * inner + i], Place: j));
                var best = largest ? run.OrderByDescending(one => one.Value) : run.OrderBy(one => one.Value);
                var at = 0;
                foreach (var (value, place) in best.Take(k))
                    (values[(o * k + at) * inner + i], places[(o * k + at++) * inner + i]) = (value, place);
            }
        return (values, places);
    }
}
