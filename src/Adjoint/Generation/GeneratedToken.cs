namespace Adjoint.Generation;

/// <summary>A token that was generated, and the text that can be given out with it.</summary>
/// <param name="Token">The token, from 0 to the size of the vocabulary − 1.</param>
/// <param name="Text">
/// What follows the texts before: empty while a character is unfinished, or while a text to stop at may have begun.
/// </param>
public readonly record struct GeneratedToken(int Token, string Text);
