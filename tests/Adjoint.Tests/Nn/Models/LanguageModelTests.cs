using Adjoint.Nn;

namespace Adjoint.Tests.Nn;

/// <summary>What all language models share, on the smallest one: each token is scored by its own row.</summary>
public class LanguageModelTests
{
    [Fact]
    public void Logits_come_from_hidden_states_and_the_output_layer()
    {
        var model = new Bigrams(bias: true);
        var tokens = Tensor.From(new long[] { 0, 2, 1, 1 }, 2, 2);
        var logits = model.Forward(tokens);
        Assert.Equal((Shape)(int[])[2, 2, 3], logits.Shape);
        // Hidden states are rows (token, 1), weights (class, −class), the bias 10·class.
        Assert.Equal([0, 9, 18, 0, 11, 22, 0, 10, 20, 0, 10, 20], logits.ToArray<float>());
        Assert.Equal([0, 1, 2, 1, 1, 1, 1, 1], model.Hidden(tokens).ToArray<float>());
        Assert.Equal([0, -1, -2, 0, 1, 2], new Bigrams(bias: false).Forward(tokens)[0].ToArray<float>());
    }

    [Fact]
    public void A_state_moves_with_the_tokens()
    {
        var model = new Bigrams(bias: true);
        var state = model.CreateState(1, 4);
        Assert.Equal([0, 11, 22], model.Next(Tensor.From(new long[] { 0, 2 }, 1, 2), state).ToArray<float>());
        Assert.Equal(2, state.Length);
        Assert.Equal([0, 10, 20], model.Next(Tensor.From(new long[] { 1 }, 1, 1), state).ToArray<float>());
        Assert.Equal(3, state.Length);
        Refuses("Bigrams: 5 tokens, 3 of them seen, are more than its 4 positions; use shorter sequences, or a model "
            + "with a longer context", () => model.Next(Tensor.Zeros([1, 2], DType.Int64), state));
        Assert.Equal(3, state.Length);
    }

    [Fact]
    public void What_are_no_sequences_of_tokens_is_refused()
    {
        var model = new Bigrams(bias: true);
        const string Needed = "Bigrams: tokens (n, t) int64 with t from 1 are needed: found ";
        const string Remedy = "; one sequence alone takes .Unsqueeze(0), other types .To(DType.Int64)";
        Refuses($"{Needed}(2,) int64{Remedy}", () => model.Forward(Tensor.Zeros([2], DType.Int64)));
        Refuses($"{Needed}(1, 2) float32{Remedy}", () => model.Forward(Tensor.Zeros(1, 2)));
        Refuses($"{Needed}(1, 0) int64{Remedy}", () => model.Hidden(Tensor.Zeros([1, 0], DType.Int64)));
        Refuses(
            "Bigrams: 5 tokens are more than its 4 positions; use shorter sequences, or a model with a longer context",
            () => model.Forward(Tensor.Zeros([1, 5], DType.Int64)));
        Refuses("Bigrams: the state is one of 2 sequences: found tokens (1, 1); make one with CreateState(1, …)",
            () => model.Next(Tensor.Zeros([1, 1], DType.Int64), model.CreateState(2, 4)));
        Refuses("Seen: at least one sequence is needed: found 0", () => model.CreateState(0, 4));
    }

    private static void Refuses(string message, Func<object> call) =>
        Assert.Equal(message, Assert.Throws<AdjointException>(call).Message);

    private sealed class Bigrams : LanguageModel
    {
        private readonly Tensor? bias;

        internal Bigrams(bool bias)
        {
            OutputWeight = AddParameter("weight", Tensor.From([0f, 0f, 1f, -1f, 2f, -2f], 3, 2));
            if (bias) this.bias = AddParameter("bias", Tensor.From([0f, 10f, 20f]));
        }

        public override int VocabularySize => 3;

        public override int? MaxLength => 4;

        public override Tensor OutputWeight { get; }

        public override Tensor? OutputBias => bias;

        public override DecodingState CreateState(int batch, int capacity) => new Seen(batch);

        protected override Tensor HiddenCore(Tensor tokens, DecodingState? state)
        {
            var values = tokens.To(DType.Float32).Unsqueeze(2);
            return Tensor.Concat([values, Tensor.Full(values.Shape, 1)], axis: 2);
        }
    }

    private sealed class Seen(int batch) : DecodingState(batch);
}
