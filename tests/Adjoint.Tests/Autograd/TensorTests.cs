namespace Adjoint.Tests.Autograd;

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
        Assert.Equal("Index: 3 is outside axis 1 of (2, 3, 4), of size 3", Assert.Throws<AdjointException>(() => x[.., 3]).Message);
        Assert.Contains("^4 is outside axis 0", Assert.Throws<AdjointException>(() => x[0, -4]).Message, StringComparison.Ordinal);
        Assert.Contains("Index: 4 indices for the 3 axes", Assert.Throws<AdjointException>(() => x[0, 0, 0, 0]).Message, StringComparison.Ordinal);
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
        Assert.Equal([true, false], Tensor.From(new long[] { 5, 6 }).EqualTo(Tensor.From(new long[] { 5, 7 })).ToArray<bool>());
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
        Assert.Equal(Tensor.Randn([100], new Generator(3)).ToArray<float>(), Tensor.Randn([100], new Generator(3)).ToArray<float>());
        Assert.NotEqual(Tensor.Randn([100], new Generator(3)).ToArray<float>(), Tensor.Randn([100], new Generator(3).Fork(1)).ToArray<float>());
        var generator = new Generator(3);
        Assert.NotEqual(Tensor.Randn([100], generator).ToArray<float>(), Tensor.Randn([100], generator).ToArray<float>());
    }
}
