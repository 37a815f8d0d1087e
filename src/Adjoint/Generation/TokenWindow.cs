using Adjoint.Nn;

namespace Adjoint.Generation;

/// <summary>
/// The tokens that a model sees. Where they are more than it takes, the window moves: the later half stays, at
/// positions from 0 on, and what was remembered of all is computed again. So that is done once in half a window.
/// </summary>
internal sealed class TokenWindow
{
    private readonly LanguageModel model;
    private readonly bool usesCache;
    private readonly List<int> tokens;
    private DecodingState? state;

    // Tokens that are still to come.
    private int expected;

    internal TokenWindow(LanguageModel model, int[] prompt, int expected, bool usesCache)
    {
        (this.model, this.expected, this.usesCache) = (model, expected, usesCache);
        tokens = [.. prompt.AsSpan(prompt.Length - Math.Min(prompt.Length, model.MaxLength ?? int.MaxValue))];
    }

    internal void Add(int token)
    {
        expected--;
        tokens.Add(token);
        if (!(tokens.Count > model.MaxLength)) return;
        tokens.RemoveRange(0, tokens.Count - Math.Max(1, model.MaxLength.Value / 2));
        state = null;
    }

    /// <summary>The logits (vocabulary) of the token after the last.</summary>
    internal Tensor Next()
    {
        using var gradients = new NoGrad();
        using var mode = model.EvalScope();
        if (!usesCache)
            return model.Forward(Batch(0)).Select(0, 0).Select(0, tokens.Count - 1);
        state ??= model.CreateState(
            1, (int)Math.Min(model.MaxLength ?? int.MaxValue, tokens.Count + (long)Math.Max(0, expected - 1)));
        return model.Next(Batch(state.Length), state).Select(0, 0);
    }

    private Tensor Batch(int from) =>
        Tensor.From([.. tokens.Skip(from).Select(token => (long)token)], 1, tokens.Count - from);
}
