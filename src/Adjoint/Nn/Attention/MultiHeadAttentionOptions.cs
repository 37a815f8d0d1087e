namespace Adjoint.Nn;

/// <summary>The optional settings of a <see cref="MultiHeadAttention"/>; those left out are the usual ones.</summary>
public sealed record MultiHeadAttentionOptions
{
    /// <summary>
    /// The number of heads of keys and values, which divides the heads: each is shared by as many queries' heads
    /// (grouped-query attention, Ainslie et al. 2023; 1: multi-query attention, Shazeer 2019). Null: one for each head.
    /// </summary>
    public int? KeyValueHeads { get; init; }

    /// <summary>Whether the projections add a bias, as by default.</summary>
    public bool HasBias { get; init; } = true;

    /// <summary>The probability that an attention weight is dropped in training, in [0, 1); 0 by default.</summary>
    public double Dropout { get; init; }

    /// <summary>
    /// The base θ of rotary positions (Su et al. 2021), such as 10000; null: queries and keys are not rotated.
    /// Positions count from 0, or go on from those in the cache.
    /// </summary>
    public double? RotaryTheta { get; init; }

    /// <summary>
    /// Whether scores fall with the distance of query and key, with a slope for each head (ALiBi: Press, Smith and
    /// Lewis 2022); see <see cref="MultiHeadAttention.AlibiSlopes"/>.
    /// </summary>
    public bool HasAlibi { get; init; }

    /// <summary>
    /// The random stream for initial values and dropout; null: <see cref="Generator.Default"/>.
    /// </summary>
    public Generator? Generator { get; init; }
}
