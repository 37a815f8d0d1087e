namespace Adjoint.Nn;

/// <summary>
/// Which keys the queries of an attention see; conditions add up. Where no key is left, the result of the attention is
/// 0, and so are its gradients; what is in keys that nobody sees does not matter, NaN neither.
/// </summary>
public sealed record AttentionMask
{
    /// <summary>No key that is later than the query.</summary>
    public static AttentionMask Causal { get; } = new() { IsCausal = true };

    /// <summary>
    /// Whether a query sees no later keys. The last query stands beside the last key: of t queries and s keys, query i
    /// sees the keys j ≤ i + s − t.
    /// </summary>
    public bool IsCausal { get; init; }

    /// <summary>
    /// Broadcasts to (n, h, t, s), such as (t, s), or (n, 1, t, s) for each sample its own. Bool: true where a query
    /// sees a key, as in PyTorch's <c>scaled_dot_product_attention</c> and opposite to its
    /// <c>nn.MultiheadAttention</c>, where true is masked out. Of the queries' floating type: added to the scores, −∞
    /// where a query does not see a key.
    /// </summary>
    public Tensor? Mask { get; init; }

    /// <summary>
    /// Numbers of keys (n) int64: those from there on are padding, which no query sees. In place of PyTorch's
    /// <c>key_padding_mask</c>.
    /// </summary>
    public Tensor? Lengths { get; init; }
}
