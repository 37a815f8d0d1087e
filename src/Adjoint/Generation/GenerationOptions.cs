namespace Adjoint.Generation;

/// <summary>
/// How a <see cref="TextGenerator"/> chooses tokens, and when it stops; what is left out has its default.
/// </summary>
public sealed record GenerationOptions : SamplingOptions
{
    /// <summary>The most tokens to generate, 0 or more; 200 by default.</summary>
    public int MaxTokens { get; init; } = 200;

    /// <summary>
    /// Texts at which it stops, such as <c>"\n"</c>: at the first that is generated. It is not given out, nor is what
    /// the same token has after it. None by default.
    /// </summary>
    public IReadOnlyList<string> Stop { get; init; } = [];

    /// <summary>
    /// Tokens at which it stops, such as one that ends a text; its text is not given out. None by default.
    /// </summary>
    public IReadOnlyList<int> StopTokens { get; init; } = [];

    /// <summary>
    /// Whether the model remembers what it has computed of earlier tokens (<see cref="Nn.DecodingState"/>), as it does
    /// by default; otherwise it computes the whole window for each token, which is slower and gives the same logits up
    /// to rounding.
    /// </summary>
    public bool UsesCache { get; init; } = true;
}
