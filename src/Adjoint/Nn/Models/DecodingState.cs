namespace Adjoint.Nn;

/// <summary>
/// What a <see cref="LanguageModel"/> remembers of the tokens that it has seen, so that the next one costs one step
/// and not the whole sequence again.
/// </summary>
public abstract class DecodingState
{
    /// <summary>Starts with no token seen.</summary>
    /// <param name="batch">The number of sequences, 1 or more.</param>
    /// <exception cref="AdjointException">The number is not positive.</exception>
    protected DecodingState(int batch)
    {
        if (batch < 1)
            throw new AdjointException($"{GetType().Name}: at least one sequence is needed: found {batch}");
        Batch = batch;
    }

    /// <summary>The number of sequences.</summary>
    public int Batch { get; }

    /// <summary>The number of tokens of each sequence that were seen.</summary>
    public int Length { get; private set; }

    internal void Advance(int tokens) => Length += tokens;
}
