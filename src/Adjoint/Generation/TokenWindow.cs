using Adjoint.Nn;

namespace Adjoint.Generation;

/// <summary>
/// The tokens that a model sees. Where they are more than it takes, the window moves: the later half stays, at
/// positions from 0 on, and what was remembered of all is computed again. So that is done once in half a window.
/// </summary>
internal sealed class TokenWindow
{
    // Room for so many tokens is made at first where a model has no limit; then twice as many, and so on.
    private const int FirstCapacity = 4096;

    private readonly LanguageModel model;
    private readonly bool usesCache;
    private readonly List<int> tokens;
    private DecodingState? state;

    // How many tokens the state has room for, and how many are still to come.
    private int capacity, expected;

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
        if (state is null || tokens.Count > capacity)
        {
            var needed = Math.Min(model.MaxLength ?? int.MaxValue, tokens.Count + (long)Math.Max(0, expected - 1));
            capacity = (int)Math.Min(needed, Math.Max(FirstCapacity, 2L * tokens.Count));
            state = model.CreateState(1, capacity);
        }
        return model.Next(Batch(state.Length), state).Select(0, 0);
    }

    private Tensor Batch(int from) =>
        Tensor.From([.. tokens.Skip(from).Select(token => (long)token)], 1, tokens.Count - from);
}
