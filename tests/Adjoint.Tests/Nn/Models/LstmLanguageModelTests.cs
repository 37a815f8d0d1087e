using Adjoint.Nn;

namespace Adjoint.Tests.Nn;

public class LstmLanguageModelTests
{
    [Fact]
    public void Token_by_token_it_gives_what_the_whole_sequence_gives()
    {
        var model = new LstmLanguageModel(7, 12, layers: 2, dropout: 0.4, generator: new Generator(1)).Eval();
        var tokens = Tensor.From(new long[] { 3, 1, 4, 1, 5, 6, 2, 0, 2, 6 }, 2, 5);
        using var _ = new NoGrad();
        var whole = model.Forward(tokens);
        var state = model.CreateState(2, 1);
        // A prompt of two, then one at a time.
        foreach (var (start, count) in ((int, int)[])[(0, 2), (2, 1), (3, 1), (4, 1)])
        {
            var next = model.Next(tokens.Slice(1, start, count), state);
            Assert.Equal(start + count, state.Length);
            Assert.Equal(whole.Select(1, start + count - 1).ToArray<float>(), next.ToArray<float>());
        }
    }

    [Fact]
    public void What_comes_later_changes_nothing_before()
    {
        var model = new LstmLanguageModel(7, 12, generator: new Generator(1)).Eval();
        var (one, other) = (model.Forward(Tensor.From(new long[] { 3, 1, 4, 1 }, 1, 4)),
            model.Forward(Tensor.From(new long[] { 3, 1, 2, 6 }, 1, 4)));
        Assert.Equal(one.Slice(1, 0, 2).ToArray<float>(), other.Slice(1, 0, 2).ToArray<float>());
        Assert.NotEqual(one.Slice(1, 2, 2).ToArray<float>(), other.Slice(1, 2, 2).ToArray<float>());
    }

    [Fact]
    public void What_does_not_fit_is_named()
    {
        var (model, other) = (new LstmLanguageModel(7, 4), new LstmLanguageModel(7, 4));
        var tokens = Tensor.Zeros([2, 3], DType.Int64);
        Assert.Contains("the state is that of another model; make one with CreateState",
            Assert.Throws<AdjointException>(() => model.Hidden(tokens, other.CreateState(2, 1))).Message,
            StringComparison.Ordinal);
        Assert.Contains("the state is one of 3 sequences",
            Assert.Throws<AdjointException>(() => model.Hidden(tokens, model.CreateState(3, 1))).Message,
            StringComparison.Ordinal);
        Assert.Contains("7", Assert.Throws<AdjointException>(() => model.Forward(tokens + 7)).Message,
            StringComparison.Ordinal);
        Assert.Equal("LstmLanguageModel: vocabulary and width must be positive: found 0 and 4",
            Assert.Throws<AdjointException>(() => new LstmLanguageModel(0, 4)).Message);
    }
}
