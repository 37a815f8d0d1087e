namespace Adjoint.Nn;

/// <summary>
/// A model of sequences of tokens: tokens (n, t) int64 → logits (n, t, vocabulary), at each place those of the token
/// that comes next, which depend on the tokens up to that place alone. It can go on from where it stopped: see
/// <see cref="CreateState"/>.
/// </summary>
public abstract class LanguageModel : Layer
{
    /// <summary>The number of different tokens; they go from 0 to one less.</summary>
    public abstract int VocabularySize { get; }

    /// <summary>The longest sequence that the model takes, in tokens; null: any length.</summary>
    public abstract int? MaxLength { get; }

    /// <summary>The weights W (vocabulary, width) of the output layer, which makes logits of hidden states.</summary>
    public abstract Tensor OutputWeight { get; }

    /// <summary>The bias b (vocabulary) of the output layer; null without one.</summary>
    public virtual Tensor? OutputBias => null;

    /// <summary>
    /// What the output layer is applied to. With <c>Loss.LinearCrossEntropy</c>, a loss follows from it without
    /// logits of all tokens in memory.
    /// </summary>
    /// <param name="tokens">The tokens (n, t) int64, t from 1; with a state, those after the ones that it has
    /// seen.</param>
    /// <param name="state">Where to go on from, which moves on by t tokens; null: the tokens are a beginning.</param>
    /// <returns>Hidden states (n, t, width).</returns>
    /// <exception cref="AdjointException">
    /// The tokens have another shape or type, one is not in the vocabulary, they are too many for
    /// <see cref="MaxLength"/>, or the state is one of another model or another number of sequences.
    /// </exception>
    public Tensor Hidden(Tensor tokens, DecodingState? state = null)
    {
        Check(tokens, state);
        var hidden = Call([tokens], () => HiddenCore(tokens, state));
        state?.Advance(tokens.Shape[1]);
        return hidden;
    }

    /// <summary>The logits of what comes after the last of the tokens, which the state has seen then.</summary>
    /// <param name="tokens">The tokens (n, t) int64, t from 1, after those that the state has seen.</param>
    /// <param name="state">What the model remembers of the tokens before; it moves on by t tokens.</param>
    /// <returns>Logits (n, vocabulary), the same as those of the whole sequence at once, up to rounding.</returns>
    /// <exception cref="AdjointException">As for <see cref="Hidden"/>.</exception>
    public Tensor Next(Tensor tokens, DecodingState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        return Output(Hidden(tokens, state).Select(1, tokens.Shape[1] - 1));
    }

    /// <summary>
    /// Makes the memory of sequences of which nothing was seen yet: keys and values of an attention, or states of
    /// recurrent layers. Use it with gradients off, by one thread at a time.
    /// </summary>
    /// <param name="batch">The number n of sequences, 1 or more.</param>
    /// <param name="capacity">
    /// The number of tokens to have room for, 1 or more; a recurrent model needs none. At most <see cref="MaxLength"/>.
    /// </param>
    /// <returns>The state, for this model alone.</returns>
    /// <exception cref="AdjointException">A number is out of range.</exception>
    public abstract DecodingState CreateState(int batch, int capacity);

    /// <summary>The computation of <see cref="Hidden"/>, of tokens that were checked.</summary>
    /// <param name="tokens">The tokens (n, t) int64.</param>
    /// <param name="state">Where to go on from, at <see cref="DecodingState.Length"/>; null: at 0.</param>
    /// <returns>Hidden states (n, t, width).</returns>
    protected abstract Tensor HiddenCore(Tensor tokens, DecodingState? state);

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x)
    {
        Check(x, null);
        return Output(HiddenCore(x, null));
    }

    private Tensor Output(Tensor hidden) => OutputBias is { } bias
        ? hidden.Linear(OutputWeight, bias)
        : hidden.MatMul(OutputWeight.Transpose());

    private void Check(Tensor tokens, DecodingState? state)
    {
        if (tokens.Rank != 2 || tokens.DType != DType.Int64 || tokens.Shape[1] == 0)
            throw new AdjointException(
                $"{TypeName}: tokens (n, t) int64 with t from 1 are needed: found {tokens.Shape} "
                + $"{tokens.DType.Label()}; one sequence alone takes .Unsqueeze(0), other types .To(DType.Int64)");
        if (state is not null && state.Batch != tokens.Shape[0])
            throw new AdjointException(
                $"{TypeName}: the state is one of {state.Batch} sequences: found tokens {tokens.Shape}; make one with "
                + $"CreateState({tokens.Shape[0]}, …)");
        var before = state?.Length ?? 0;
        if (MaxLength is { } most && before + (long)tokens.Shape[1] > most)
            throw new AdjointException(
                $"{TypeName}: {before + (long)tokens.Shape[1]} " +
                    $"tokens{(before > 0 ? $", {before} of them seen," : "")} are "
                + $"more than its {most} positions; use shorter sequences, or a model with a longer context");
    }
}
