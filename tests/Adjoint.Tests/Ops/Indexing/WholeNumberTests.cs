namespace Adjoint.Tests.Ops;

/// <summary>int64 (and truth values) against numbers, and int64 above 2⁵³.</summary>
public class WholeNumberTests
{
    private const long Large = (1L << 53) + 1;

    [Fact]
    public void A_number_is_not_cut_to_an_integer()
    {
        var x = Tensor.From(new long[] { -1, 0, 1, 2 });
        Assert.Equal([true, true, false, false], x.Less(0.5).ToArray<bool>());
        Assert.Equal([true, true, false, false], x.LessOrEqual(0.5).ToArray<bool>());
        Assert.Equal([false, false, true, true], x.Greater(0.5).ToArray<bool>());
        Assert.Equal([false, false, true, true], x.GreaterOrEqual(0.5).ToArray<bool>());
        Assert.Equal([false, false, false, false], x.EqualTo(0.5).ToArray<bool>());
        Assert.Equal([true, false, false, false], x.Less(-0.5).ToArray<bool>());
        Assert.Equal([false, true, false, false], x.EqualTo(-0.0).ToArray<bool>());
        Assert.Equal([true, true, false, false], x.LessOrEqual(0).ToArray<bool>());
        Assert.Equal([false, true], Tensor.From(new[] { false, true }).Greater(0.5).ToArray<bool>());
        Assert.Equal([false, false], Tensor.From(new[] { false, true }).EqualTo(0.5).ToArray<bool>());
    }

    [Theory]
    [InlineData(double.NaN, 0)]
    [InlineData(double.PositiveInfinity, -1)]
    [InlineData(double.NegativeInfinity, 1)]
    [InlineData(1e300, -1)]
    [InlineData(-1e300, 1)]
    [InlineData(9223372036854775808.0, -1)]
    public void Nothing_equals_NaN_and_everything_lies_between_the_infinities(double number, int order)
    {
        var x = Tensor.From(new[] { long.MinValue + 1, -1, 0, 1, long.MaxValue });
        foreach (var (marks, expected) in ((Tensor, bool)[])
            [(x.Less(number), order < 0), (x.LessOrEqual(number), order < 0), (x.Greater(number), order > 0),
                (x.GreaterOrEqual(number), order > 0), (x.EqualTo(number), false)])
            Assert.Equal(Enumerable.Repeat(expected, 5), marks.ToArray<bool>());
    }

    [Fact]
    public void NaN_is_neither_less_nor_equal_nor_greater_in_any_type()
    {
        foreach (var x in (Tensor[])[Tensor.From(new[] { 0f, float.NaN }), Tensor.From(new[] { 0, double.NaN }),
            Tensor.From(new long[] { 0, 1 }), Tensor.From(new[] { false, true })])
            foreach (var marks in (Tensor[])[x.Less(double.NaN), x.LessOrEqual(double.NaN), x.Greater(double.NaN),
                x.GreaterOrEqual(double.NaN), x.EqualTo(double.NaN)])
                Assert.Equal([false, false], marks.ToArray<bool>());
    }

    [Fact]
    public void Integers_above_2_to_the_53_are_compared_by_all_their_digits()
    {
        var x = Tensor.From(new[] { Large - 1, Large, Large + 1 });
        Assert.Equal([true, false, false], x.EqualTo(9007199254740992.0).ToArray<bool>());
        Assert.Equal([false, true, true], x.Greater(9007199254740992.0).ToArray<bool>());
        Assert.Equal([true, true, false], x.Less(9007199254740994.0).ToArray<bool>());
        Assert.Equal([false, true, false], x.EqualTo(Tensor.From(new[] { Large })).ToArray<bool>());
        Assert.Equal([true, false, false], x.Less(Tensor.From(new[] { Large })).ToArray<bool>());
        Assert.Equal([true, true, false], x.LessOrEqual(Tensor.From(new[] { Large })).ToArray<bool>());
        Assert.Equal([false, true], Tensor.From(new[] { long.MaxValue - 1,
            long.MaxValue }).EqualTo(Tensor.From(new[] { long.MaxValue })).ToArray<bool>());
        // Broadcast over both axes, and of a view.
        Assert.Equal([true, false, false, true],
            x.Slice(0, 0, 2).Reshape(2, 1).EqualTo(x.Slice(0, 0, 2)).ToArray<bool>());
    }

    [Fact]
    public void Arg_max_printing_and_reading_keep_all_digits()
    {
        Assert.Equal(2, Tensor.From(new[] { Large - 1, Large, Large + 1 }).ArgMax().Item());
        Assert.Equal([1L, 0], Tensor.From(new[] { Large - 1, Large, long.MaxValue, long.MaxValue - 1 }, 2,
            2).ArgMax().ToArray<long>());
        Assert.Equal([1L, 1], Tensor.From(new[] { 1, 2, long.MaxValue - 1, long.MaxValue }, 2,
            2).ArgMax(0).ToArray<long>());
        Assert.Equal("[    9007199254740993,  9223372036854775807, -9223372036854775808], int64",
            Tensor.From(new[] { Large, long.MaxValue, long.MinValue }).ToString());
        Assert.Equal(Large, Tensor.From(new[] { Large }).Item<long>());
        Assert.Equal([Large, Large + 1],
            Tensor.From(new[] { Large, Large + 1, 0 }).IndexSelect(0, 0, 1).ToArray<long>());
    }

    [Fact]
    public void Arg_max_of_every_type_takes_the_first_of_equals_and_the_first_NaN()
    {
        Assert.Equal(1, Tensor.From(new[] { 1f, 3, 3 }).ArgMax().Item());
        Assert.Equal(2, Tensor.From(new[] { 1f, 3, float.NaN, float.NaN }).ArgMax().Item());
        Assert.Equal(0, Tensor.From(new[] { double.NaN, 3 }).ArgMax().Item());
        Assert.Equal(1, Tensor.From(new[] { false, true, true }).ArgMax().Item());
        Assert.Equal(0, Tensor.From(new[] { double.NegativeInfinity, double.NegativeInfinity }).ArgMax().Item());
    }

    [Fact]
    public void Reading_in_another_type_is_refused()
    {
        var error = Assert.Throws<AdjointException>(() => Tensor.From(new[] { Large }).Item<double>());
        Assert.Equal("Item: the tensor holds int64, not float64; cast with .To(DType.Float64)", error.Message);
    }
}
