namespace Adjoint.Nn;

/// <summary>What a recurrent network is made with besides the numbers of inputs and units.</summary>
public sealed record RecurrentOptions
{
    /// <summary>The number of layers, each of which reads the outputs of the one before; 1 or more.</summary>
    public int Layers { get; init; } = 1;

    /// <summary>Whether each layer also reads the sequences backward; its outputs are both, side by side.</summary>
    public bool IsBidirectional { get; init; }

    /// <summary>
    /// The probability, in [0, 1), that an output of a layer other than the last is dropped, in training.
    /// </summary>
    public double Dropout { get; init; }

    /// <summary>
    /// Of an LSTM, the width to which hidden states are projected, from 1 to one less than the number of units (Sak et
    /// al. 2014); 0: none.
    /// </summary>
    public int Projection { get; init; }

    /// <summary>Whether there are biases.</summary>
    public bool HasBias { get; init; } = true;
}
