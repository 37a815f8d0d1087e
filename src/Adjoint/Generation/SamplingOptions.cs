namespace Adjoint.Generation;

/// <summary>How a <see cref="TokenSampler"/> chooses among the next tokens; what is left out has its default.</summary>
public record SamplingOptions
{
    /// <summary>
    /// What logits are divided by: below 1 the likely tokens become likelier, above 1 the unlikely ones; 0: always the
    /// most likely token, of equal ones the first. 1 by default: the model's own distribution.
    /// </summary>
    public double Temperature { get; init; } = 1;

    /// <summary>
    /// Only this many of the most likely tokens can be drawn, 1 or more; of equal ones the first. Null: all.
    /// </summary>
    public int? TopK { get; init; }

    /// <summary>
    /// Only the nucleus can be drawn: the fewest of the most likely tokens whose probabilities sum to this number or
    /// more, from 0 to 1; at least one token (Holtzman et al. 2020). 1 by default: all.
    /// </summary>
    public double TopP { get; init; } = 1;

    /// <summary>The seed; equal seeds draw the same tokens from the same logits. 0 by default.</summary>
    public ulong Seed { get; init; }
}
