namespace Adjoint.Nn;

/// <summary>
/// Instance normalization: each channel of each sample by its own mean and variance over all positions (Ulyanov,
/// Vedaldi and Lempitsky 2016), in training and in evaluation alike. Where they are learned, γ begins as 1, β as 0.
/// </summary>
public sealed class InstanceNorm : Layer, ISavableModule<InstanceNorm>
{
    private readonly Tensor? gamma, beta;
    private readonly double epsilon;

    /// <summary>Creates a layer for inputs (n, channels, positions…).</summary>
    /// <param name="channels">The number of channels, 1 or more.</param>
    /// <param name="affine">Whether a scale γ and a shift β are learned for each channel.</param>
    /// <param name="epsilon">The number ε added to the variance, above 0.</param>
    /// <exception cref="AdjointException">There are no channels, or ε is not positive.</exception>
    public InstanceNorm(int channels, bool affine = false, double epsilon = 1e-5)
    {
        if (channels < 1 || !(epsilon > 0))
            throw new AdjointException(
                $"InstanceNorm: channels and ε must be positive: found {channels} and {epsilon}");
        (Channels, this.epsilon) = (channels, epsilon);
        if (!affine) return;
        (gamma, beta) = (AddParameter("weight", Tensor.Ones(channels)), AddParameter("bias", Tensor.Zeros(channels)));
    }

    /// <summary>The number of channels.</summary>
    public int Channels { get; }

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x)
    {
        if (x.Rank < 3 || x.Shape[1] != Channels)
            throw new AdjointException(
                $"InstanceNorm: an input (n, {Channels}, positions…) is needed: found {x.Shape}; the second axis must "
                + "be the number of channels");
        return x.InstanceNorm(gamma, beta, epsilon);
    }

    /// <inheritdoc/>
    public override string ToString() => $"InstanceNorm({Channels})";

    static InstanceNorm ISavableModule<InstanceNorm>.Create(ModuleSettings settings) =>
        new(settings.Integer("channels"), settings.Flag("affine"), settings.Number("epsilon"));

    void ISavableModule.Describe(ModuleSettings settings)
    {
        settings.Set("channels", Channels);
        settings.Set("affine", gamma is not null);
        settings.Set("epsilon", epsilon);
    }
}
