namespace Adjoint.Primitives;

/// <summary>The distribution of random numbers.</summary>
public enum Distribution
{
    /// <summary>Uniform in the interval [0, 1).</summary>
    Uniform,

    /// <summary>Normal with mean 0 and variance 1.</summary>
    Normal,

    /// <summary>1 with a probability, else 0.</summary>
    Bernoulli,
}
