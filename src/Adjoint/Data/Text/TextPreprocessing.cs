namespace Adjoint.Data;

/// <summary>
/// How texts become tokens, whole numbers from 0 on, and back. It is kept with a language model, so that later texts
/// become the tokens that it learned.
/// </summary>
public abstract class TextPreprocessing : Preprocessing
{
    /// <summary>The number of different tokens: a model has an output for each.</summary>
    public abstract int Size { get; }

    /// <summary>
    /// The token that stands for whatever was not learned, which is never generated; null where there is none, as by
    /// default.
    /// </summary>
    public virtual int? UnknownToken => null;

    /// <summary>The tokens of a text.</summary>
    /// <param name="text">The text to encode, which may be empty.</param>
    /// <returns>The tokens, each below <see cref="Size"/>.</returns>
    public abstract int[] Encode(string text);

    /// <summary>The text of tokens, such as those that a model generated.</summary>
    /// <param name="tokens">The tokens, each below <see cref="Size"/>.</param>
    /// <returns>The text that they stand for.</returns>
    /// <exception cref="AdjointException">There is no such token.</exception>
    public abstract string Decode(ReadOnlySpan<int> tokens);

    /// <summary>
    /// How many of some tokens, from the first on, have a text that no token after them can change. The last ones may
    /// be the first bytes of a character, which has no text yet: by default that is so where the text of at most four
    /// tokens, the most that a character can take, ends in U+FFFD (�).
    /// </summary>
    /// <param name="tokens">The tokens; what was before them is complete.</param>
    /// <returns>A number from 0 to that of the tokens.</returns>
    public virtual int CompleteCount(ReadOnlySpan<int> tokens) =>
        tokens.Length is > 0 and <= 4 && Decode(tokens).EndsWith('\uFFFD') ? 0 : tokens.Length;

    /// <summary>Refuses what is no token.</summary>
    /// <param name="tokens">What is to be tokens.</param>
    /// <exception cref="AdjointException">One is negative, or too large.</exception>
    protected void RequireTokens(ReadOnlySpan<int> tokens)
    {
        foreach (var token in tokens)
            if ((uint)token >= (uint)Size)
                throw new AdjointException($"{Kind}: there is no token {token}; use 0..{Size - 1}");
    }
}
