namespace Adjoint.Nn;

/// <summary>In training, sets each element to 0 with probability p and scales the rest by 1/(1 − p); in use, passes x on (Srivastava et al. 2014).</summary>
public sealed class Dropout : Module
{
    private readonly Generator generator;

    /// <summary>Drops with the given probability, drawing from the given stream.</summary>
    /// <exception cref="AdjointException">The probability is not in [0, 1).</exception>
    public Dropout(double probability = 0.5, Generator? generator = null)
    {
        if (probability is not (>= 0 and < 1))
            throw new AdjointException($"Dropout: the probability must be in [0, 1): found {probability}");
        (Probability, this.generator) = (probability, generator ?? Generator.Default);
    }

    /// <summary>The share that is dropped.</summary>
    public double Probability { get; }

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x)
    {
        if (!IsTraining || Probability == 0) return x;
        var mask = Tensor.Empty(x.Shape, x.DType);
        generator.FillBernoulli(mask, 1 - Probability);
        return x * mask * (1 / (1 - Probability));
    }
}
