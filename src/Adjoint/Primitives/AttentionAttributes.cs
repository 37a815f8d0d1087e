namespace Adjoint.Primitives;

/// <summary>What attention computes with besides tensors.</summary>
/// <param name="IsCausal">Whether query i sees no key beyond i + s − t, of t queries and s keys.</param>
/// <param name="Scale">The factor of the products of queries and keys.</param>
/// <param name="Dropout">The probability that a weight is dropped, in [0, 1).</param>
public readonly record struct AttentionAttributes(bool IsCausal, double Scale, double Dropout);
