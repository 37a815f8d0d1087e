namespace Adjoint.Kernels;

/// <summary>How a recurrent cell turns its sums into the next state.</summary>
public enum RecurrentCell
{
    /// <summary>h′ = tanh(s) (Elman 1990).</summary>
    Tanh,

    /// <summary>h′ = max(0, s).</summary>
    Relu,

    /// <summary>A gated recurrent unit (Cho et al. 2014), the reset gate after the product, as in cuDNN.</summary>
    Gru,

    /// <summary>
    /// A long short-term memory (Hochreiter and Schmidhuber 1997) with a forget gate (Gers et al. 2000).
    /// </summary>
    Lstm,
}
