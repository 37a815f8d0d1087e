namespace Adjoint;

/// <summary>
/// The parameters of one layer and direction of a recurrent network, laid out as PyTorch's: with g gates (1 of an RNN;
/// 3 of a GRU, in the order r, z, n; 4 of an LSTM, i, f, g, o), w units and k inputs.
/// </summary>
/// <param name="Input">The input weights (g·w, k), gate after gate.</param>
/// <param name="Hidden">The hidden weights (g·w, p), p = w, or the width of the projection.</param>
public sealed record RecurrentWeights(Tensor Input, Tensor Hidden)
{
    /// <summary>The biases (g·w) of the input's products; null for none.</summary>
    public Tensor? InputBias { get; init; }

    /// <summary>
    /// The biases (g·w) of the hidden state's products, which are there where those of the input are; null for none.
    /// </summary>
    public Tensor? HiddenBias { get; init; }

    /// <summary>The projection (p, w) of an LSTM's hidden state; null for none.</summary>
    public Tensor? Projection { get; init; }
}

/// <summary>What a plain recurrent network applies to its sums.</summary>
public enum RecurrentActivation
{
    /// <summary>The hyperbolic tangent.</summary>
    Tanh,

    /// <summary>The rectifier, max(0, s).</summary>
    Relu,
}
