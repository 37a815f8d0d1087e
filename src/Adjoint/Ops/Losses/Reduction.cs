namespace Adjoint;

/// <summary>How the losses of the samples become one number (PyTorch's <c>reduction</c>).</summary>
public enum Reduction
{
    /// <summary>The mean of the samples' losses; NaN for no sample.</summary>
    Mean,

    /// <summary>The sum of the samples' losses; 0 for no sample.</summary>
    Sum,

    /// <summary>They do not: the result has a loss for each.</summary>
    None,
}
