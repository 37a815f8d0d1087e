namespace Adjoint.Tests.Ops;

/// <summary>A choice between tensors of every type.</summary>
public class WhereTests
{
    [Theory, InlineData(0), InlineData(1), InlineData(15), InlineData(16), InlineData(17), InlineData(33),
        InlineData(2100)]
    public void Every_type_length_and_layout(int length)
    {
        var random = new Random(length);
        bool[] condition = [.. Enumerable.Range(0, length).Select(_ => random.Next(2) == 0)];
        Check(condition, i => i % 3 == 0 ? float.NaN : -i, i => i % 2 == 0 ? -0f : i);
        Check(condition, i => i % 3 == 0 ? double.NaN : -i, i => i % 2 == 0 ? -0.0 : i);
        Check(condition, i => long.MaxValue - i, i => long.MinValue + i);
        Check(condition, i => i % 3 == 0, i => i % 5 == 0);
    }

    // The literal values are those of PyTorch 1.13.
    [Fact]
    public void All_three_broadcast()
    {
        var condition = Tensor.From(new[] { true, false }, 2, 1);
        var y = Tensor.Where(condition, Tensor.From(new[] { 1, float.NaN, -0f }), Tensor.From(new[] { 7f, 8 }, 2, 1));
        Assert.Equal([1, float.NaN, -0f, 8, 8, 8], y.ToArray<float>());
        Assert.True(float.IsNegative(y.ToArray<float>()[2]));
        Assert.Equal([4611686018427387905, long.MinValue], Tensor.Where(condition.Squeeze(1),
            Tensor.From([(1L << 62) + 1, 5]), Tensor.From([0, long.MinValue])).ToArray<long>());
        var (x, mask) = (Tensor.Randn(3, 4, 5), Tensor.Randn(4, 3).Greater(0).Transpose().Unsqueeze(2));
        var expected = x.ToArray<float>().Select((value, i) => mask.ItemAt(i / 20, i / 5 % 4, 0) != 0 ? value : 2);
        Assert.Equal(expected, Tensor.Where(mask, x, Tensor.Scalar(2)).ToArray<float>());
    }

    [Fact]
    public void Any_number_of_threads_gives_the_same()
    {
        var (x, y) = (Tensor.Randn([400, 300], new Generator(1)), Tensor.Randn([300], new Generator(2)));
        var mask = x.Greater(y);
        var results = Threads.Of(1, 2, 3).Select(_ => Tensor.Where(mask, x, y).ToArray<float>()).ToArray();
        Assert.Equal(x.ToArray<float>().Select((value, i) => Math.Max(value, y.ToArray<float>()[i % 300])), results[0]);
        Assert.Equal(results[0], results[1]);
        Assert.Equal(results[0], results[2]);
    }

    [Fact]
    public void What_is_no_condition_is_refused()
    {
        var x = Tensor.Ones(2);
        Assert.Equal("Where: the condition must be bool: found float32; compare first, as in x.Greater(0)",
            Assert.Throws<AdjointException>(() => Tensor.Where(x, x, x)).Message);
    }

    [Fact]
    public void Choices_of_two_types_meet_in_that_of_their_sum()
    {
        var condition = Tensor.From(new[] { true, false });
        var (x, y) = (Tensor.From(new long[] { 7, 8 }), Tensor.From(new[] { 0.5f, 1.5f }).RequireGrad());
        var z = Tensor.Where(condition, x, y);
        Assert.Equal([7, 1.5f], z.ToArray<float>());
        z.Sum().Backward();
        Assert.Equal([0f, 1], y.Grad!.ToArray<float>());
        Assert.Equal([7L, 3], Tensor.Where(condition, x, 3).ToArray<long>());
        Assert.Equal([2.5f, 8], Tensor.Where(condition, 2.5, x).ToArray<float>());
        Assert.Equal([7L, 1], Tensor.Where(condition, x, Tensor.From(new[] { true, true })).ToArray<long>());
        Assert.Equal(DType.BFloat16, Tensor.Where(condition, y.To(DType.BFloat16), 0).DType);
        Assert.Equal("Where: uint8 has no 300, only 0 to 255; cast the tensor with .To(DType.Int64)",
            Assert.Throws<AdjointException>(
                () => Tensor.Where(condition, Tensor.From(new byte[] { 1, 2 }), 300)).Message);
    }

    private static void Check<T>(bool[] condition, Func<int, T> first, Func<int, T> second) where T : unmanaged
    {
        T[] a = [.. condition.Select((_, i) => first(i))], b = [.. condition.Select((_, i) => second(i))];
        T[] expected = [.. condition.Select((which, i) => which ? a[i] : b[i])];
        var n = condition.Length;
        var (c, x, y) = (Tensor.From(condition, n), Tensor.From(a, n), Tensor.From(b, n));
        foreach (var found in (Tensor[])
            [Tensor.Where(c, x, y), Tensor.Where(Layouts.Spread(c), x, Layouts.Spread(y)), Tensor.Where(c,
                Layouts.Spread(x), y)])
            Assert.Equal(expected, found.ToArray<T>());
    }
}
