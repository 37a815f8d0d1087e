namespace Adjoint;

/// <summary>
/// Which keys a query of <see cref="TensorMethods.ScaledDotProductAttention"/> sees, and how its scores become weights.
/// For queries (n, h, t, d) and keys (n, g, s, d).
/// </summary>
public sealed record AttentionOptions
{
    /// <summary>
    /// Whether a query sees no later keys: the last query stands beside the last key, so query i stands at position i +
    /// s − t and sees the keys j ≤ i + s − t (FlashAttention 2.1; where t = s, the usual triangle).
    /// </summary>
    public bool IsCausal { get; init; }

    /// <summary>
    /// Broadcasts to (n, h, t, s). Bool: true where a query sees a key. Of the queries' floating type: added to the
    /// scores, −∞ where a query does not see a key; gets a gradient where it requires one.
    /// </summary>
    public Tensor? Mask { get; init; }

    /// <summary>The factor of the products of queries and keys; 1/√d by default.</summary>
    public double? Scale { get; init; }

    /// <summary>The probability that a weight becomes 0, in [0, 1); the others are divided by 1 − p.</summary>
    public double Dropout { get; init; }

    /// <summary>The random stream of dropout; <see cref="Generator.Default"/> by default.</summary>
    public Generator? Generator { get; init; }

    /// <summary>
    /// Slopes m (h), one for each head: m·|p − j| is subtracted from the score of the query at position p = i + s − t
    /// and key j (ALiBi: Press, Smith and Lewis 2022). They are constants: they get no gradient.
    /// </summary>
    public Tensor? AlibiSlopes { get; init; }

    /// <summary>
    /// Numbers of keys (n), int64, from 0 to s: keys from there on are padding, and no query of the sample sees them.
    /// </summary>
    public Tensor? KeyLengths { get; init; }
}
