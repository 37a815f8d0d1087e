namespace Adjoint.Primitives;

/// <summary>How random numbers are distributed.</summary>
public enum Distribution
{
    /// <summary>Uniform in [0, 1).</summary>
    Uniform,

    /// <summary>Normal with mean 0 and variance 1.</summary>
    Normal,

    /// <summary>1 with a probability, else 0.</summary>
    Bernoulli,
}
