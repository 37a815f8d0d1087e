using Adjoint.Kernels;

namespace Adjoint.Tests.Tensors;

public class TensorTests
{
    [Fact]
    public void Views_share_memory_and_copies_do_not()
    {
        var x = Tensor.From(new float[] { 0, 1, 2, 3, 4, 5 }, 2, 3);
        var view = x.Transpose();
        using (new NoGrad()) x.CopyFrom<float>([10, 11, 12, 13, 14, 15]);
        Assert.Equal([10f, 13, 11, 14, 12, 15], view.ToArray<float>());
        Assert.Equal([12f, 15], x[.., ^1..].ToArray<float>());
        Assert.Equal([13f, 14, 15], x[-1].ToArray<float>());
        Assert.Equal(14, x.ItemAt(1, -2));
        Assert.Equal((int[])[3, 1, 2], x.Transpose().Unsqueeze(1).Shape);
        view.CopyFrom<float>([0, 1, 2, 3, 4, 5]);
        Assert.Equal([0f, 2, 4, 1, 3, 5], x.ToArray<float>());
    }

    [Fact]
    public void Indices_drop_their_axis_and_ranges_keep_it()
    {
        var x = Tensor.Arange(0, 24).Reshape(2, 3, 4);
        Assert.Equal((Shape)(int[])[3, 4], x[0].Shape);
        Assert.Equal([23f], x[^1, -1, 3].ToArray<float>());
        Assert.Equal([4f, 5, 8, 9], x[0, 1.., ..2].ToArray<float>());
        Assert.Equal([2f, 14], x[.., 0, 2].ToArray<float>());
        Assert.Equal("Index: 3 is outside axis 1 of (2, 3, 4), of size 3",
            Assert.Throws<AdjointException>(() => x[.., 3]).Message);
        Assert.Contains("^4 is outside axis 0", Assert.Throws<AdjointException>(() => x[0, -4]).Message,
            StringComparison.Ordinal);
        Assert.Contains("Index: 4 indices for the 3 axes", Assert.Throws<AdjointException>(() => x[0, 0, 0, 0]).Message,
            StringComparison.Ordinal);
        var leaf = Tensor.Zeros(2, 3).RequireGrad();
        leaf[1, 1..].Sum().Backward();
        Assert.Equal([0f, 0, 0, 0, 1, 1], leaf.Grad!.ToArray<float>());
    }

    [Fact]
    public void Printing_is_readable()
    {
        Assert.Equal("[[1, 2],\n [3, 4]]", Tensor.From(new[,] { { 1f, 2 }, { 3, 4 } }).ToString());
        Assert.Equal("[ true, false], bool", Tensor.From(new[] { true, false }).ToString());
        Assert.Equal("0.5000, requires grad", Tensor.Scalar(0.5).RequireGrad().ToString());
        Assert.Contains("…", Tensor.Zeros(50, 50).ToString(), StringComparison.Ordinal);
        Assert.Equal("[], shape (0,)", Tensor.Zeros(0).ToString());
        Assert.Equal(
            "[[],\n [],\n [],\n …,\n [],\n [],\n []], shape (1073741824, 0)", Tensor.Zeros(1 << 30, 0).ToString());
    }

    [Fact]
    public void Creation_comparison_casts_and_choice()
    {
        Assert.Equal([0f, 0.5f, 1], Tensor.Arange(0, 1.25, 0.5).ToArray<float>());
        Assert.Equal([1f, 0, 0, 1], Tensor.Eye(2).ToArray<float>());
        Assert.Equal([2L, 0], Tensor.From(new float[] { 1, 2, 3, 9, 7, 8 }, 2, 3).ArgMax().ToArray<long>());
        Assert.Equal([1L, 1, 1], Tensor.From(new float[] { 1, 2, 3, 9, 7, 8 }, 2, 3).ArgMax(0).ToArray<long>());
        Assert.Equal([true, false], Tensor.From(new long[] { 5, 6 }).EqualTo(Tensor.From(new long[] { 5, 7 }))
            .ToArray<bool>());
        Assert.Equal([false, false, true], Tensor.From(new[] { float.NaN, 1, 3 }).Greater(2).ToArray<bool>());
        Assert.Equal([1L, -2], Tensor.From(new[] { 1.9f, -2.9f }).To(DType.Int64).ToArray<long>());
        Assert.Equal([0f, 0, 0], Tensor.Zeros(0, 3).Sum(0).ToArray<float>());
        Assert.Throws<AdjointException>(() => Tensor.From(new[] { 1f, 2 }, 3));
        Assert.Throws<AdjointException>(() => Tensor.Zeros(-1));
        Assert.Throws<AdjointException>(() => Tensor.Zeros(50_000, 50_000));
    }

    [Fact]
    public void Streams_repeat_and_forks_differ()
    {
        Assert.Equal(Tensor.Randn([100], new Generator(3)).ToArray<float>(), Tensor.Randn([100], new Generator(3))
            .ToArray<float>());
        Assert.NotEqual(Tensor.Randn([100], new Generator(3)).ToArray<float>(),
            Tensor.Randn([100], new Generator(3).Fork(1)).ToArray<float>());
        var generator = new Generator(3);
        Assert.NotEqual(Tensor.Randn([100], generator).ToArray<float>(), Tensor.Randn([100], generator)
            .ToArray<float>());
    }

    [Theory]
    [InlineData(0, 0UL, 0UL)]
    [InlineData(11, 3UL, 7UL)]
    [InlineData(1000, 0x1_0000_0005UL, 0x2_0000_0009UL)]
    public void A_draw_is_the_blocks_of_the_stream_and_begins_at_a_multiple_of_8(int count, ulong seed, ulong stream)
    {
        var generator = new Generator(seed, stream);
        var found = Enumerable.Range(0, 3).SelectMany(_ => Tensor.Rand([count], generator).ToArray<float>()).ToArray();
        var whole = (count + 7) / 8 * 8;
        var expected = Enumerable.Range(0, 3).SelectMany(draw => Enumerable.Range(draw * whole, count)).Select(i =>
        {
            var block = Philox.Block(
                (uint)i / 4, 0, (uint)stream, (uint)(stream >> 32), (uint)seed, (uint)(seed >> 32));
            return ((uint[])[block.X0, block.X1, block.X2, block.X3])[i % 4] >> 8;
        });
        Assert.Equal(expected.Select(bits => bits / (float)(1 << 24)), found);
        Assert.Equal((seed, stream, 3 * (ulong)whole), (generator.Seed, generator.Stream, generator.Position));
    }

    [Fact]
    public void Bernoulli_gives_ones_with_the_probability()
    {
        foreach (var p in (double[])[0, 0.25, 1])
        {
            var uniform = Tensor.Rand([10_001], new Generator(5)).ToArray<float>();
            var found = Tensor.Bernoulli([10_001], p, new Generator(5)).ToArray<float>();
            Assert.Equal(uniform.Select(u => u < p ? 1f : 0), found);
        }
        foreach (var p in (double[])[-0.1, 1.1, double.NaN])
            Assert.Contains("must be in [0, 1]: found", Assert.Throws<AdjointException>(
                () => Tensor.Bernoulli([2], p, new Generator(5))).Message, StringComparison.Ordinal);
        Assert.Contains("Bernoulli: random numbers need a floating type: found int64", Assert.Throws<AdjointException>(
            () => Tensor.Bernoulli([2], 0.5, new Generator(5), DType.Int64)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DType.Float32)]
    [InlineData(DType.Float64)]
    [InlineData(DType.Int64)]
    [InlineData(DType.Bool)]
    public void Views_are_filled_and_copied_into_where_they_lie(DType type)
    {
        double[] Values(Tensor tensor) => tensor.To(DType.Float64).ToArray<double>();
        var x = Tensor.Zeros([3, 4], type);
        x.Transpose().Slice(0, 1, 2, 2).Slice(1, 0, 2).Fill(1);
        Assert.Equal([0, 1, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0], Values(x));
        x.Transpose()[2..].Fill(1);
        Assert.Equal([0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 1, 1], Values(x));
        x.Slice(1, 0, 1).CopyFrom(Tensor.Ones(3, 1).To(type));
        Assert.Equal([1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1], Values(x));
        Tensor.Zeros([1], type).Expand(5).Fill(1);
        var empty = Tensor.Zeros([4, 0], type);
        empty.Transpose().Fill(1);
        empty.CopyFrom(empty);
        Assert.Equal([1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1], Values(x));
    }

    [Fact]
    public void A_tensor_is_overwritten_with_a_view_of_itself()
    {
        float[] numbers = [.. Enumerable.Range(0, 9)];
        var x = Tensor.From(numbers, 3, 3);
        x.CopyFrom(x.Transpose());
        Assert.Equal([0, 3, 6, 1, 4, 7, 2, 5, 8], x.ToArray<float>());
        x.Transpose().CopyFrom(x);
        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 7, 8], x.ToArray<float>());
        x[1..].CopyFrom(x[..2]);
        Assert.Equal([0, 1, 2, 0, 1, 2, 3, 4, 5], x.ToArray<float>());
        var y = (x.RequireGrad() * 2).Slice(1, 0, 2);
        Assert.Contains("takes part in a graph",
            Assert.Throws<AdjointException>(() => y.Fill(1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Ranges_and_identities_take_every_type()
    {
        Assert.Equal([3L, 1, -1], Tensor.Arange(3.9, -3, -2.5, DType.Int64).ToArray<long>());
        Assert.Equal([false, true, true], Tensor.Arange(0, 3, 1, DType.Bool).ToArray<bool>());
        Assert.Equal([0L, 1, 2, 3], Tensor.Arange(4).ToArray<long>());
        Assert.Equal([1.5, 1.75], Tensor.Arange(1.5, 2, 0.25, DType.Float64).ToArray<double>());
        Assert.Equal([1L, 0, 0, 0, 1, 0], Tensor.Eye(2, 3, DType.Int64).ToArray<long>());
        Assert.Equal([true, false, false, true, false, false], Tensor.Eye(3, 2, DType.Bool).ToArray<bool>());
        Assert.Equal((0, 3), (Tensor.Eye(0, 3).Length, Tensor.Eye(3, 1).Length));
    }

    [Fact]
    public void Elements_that_share_memory_take_no_values_of_their_own()
    {
        var column = Tensor.Ones(3, 1);
        var wide = column.Expand(3, 4);
        foreach (var write in (Action[])[() => wide.CopyFrom(Tensor.Zeros(3, 4)), () => wide.CopyFrom(new float[12])])
        {
            var error = Assert.Throws<AdjointException>(write);
            Assert.StartsWith("CopyFrom: elements of (3, 4) share memory along axis 1", error.Message,
                StringComparison.Ordinal);
        }
        Assert.Equal([1, 1, 1], column.ToArray<float>());
        wide.Fill(2);
        column.Expand(3, 1).CopyFrom(column + 1);
        Assert.Equal([3, 3, 3], column.ToArray<float>());
    }
}
