namespace Adjoint.Nn;

/// <summary>Layer normalization over the last axes (Ba, Kiros and Hinton 2016); γ begins as 1, β as 0.</summary>
public sealed class LayerNorm : Layer, ISavableModule<LayerNorm>
{
    private readonly Tensor gamma, beta;
    private readonly double epsilon;

    /// <summary>Creates a layer that normalizes over last axes of the given sizes.</summary>
    /// <param name="shape">The sizes of the last axes, 1 or more each.</param>
    /// <param name="epsilon">The number ε added to the variance, above 0.</param>
    /// <exception cref="AdjointException">There are no axes, one is empty, or ε is not positive.</exception>
    public LayerNorm(Shape shape, double epsilon = 1e-5)
    {
        NormAxes.Check("LayerNorm", shape, epsilon);
        (gamma, beta, this.epsilon) = (AddParameter("weight", Tensor.Full(shape, 1)),
            AddParameter("bias", Tensor.Zeros(shape, DType.Float32)), epsilon);
    }

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.LayerNorm(gamma, beta, epsilon);

    static LayerNorm ISavableModule<LayerNorm>.Create(ModuleSettings settings) =>
        new(settings.Integers("shape"), settings.Number("epsilon"));

    void ISavableModule.Describe(ModuleSettings settings)
    {
        settings.Set("shape", gamma.Shape);
        settings.Set("epsilon", epsilon);
    }
}

/// <summary>
/// RMS normalization: divides by the root mean square over the last axes (Zhang and Sennrich 2019); γ begins as 1.
/// </summary>
public sealed class RmsNorm : Layer, ISavableModule<RmsNorm>
{
    private readonly Tensor gamma;
    private readonly double epsilon;

    /// <summary>Creates a layer that normalizes over last axes of the given sizes.</summary>
    /// <param name="shape">The sizes of the last axes, 1 or more each.</param>
    /// <param name="epsilon">The number ε added to the mean square, above 0.</param>
    /// <exception cref="AdjointException">There are no axes, one is empty, or ε is not positive.</exception>
    public RmsNorm(Shape shape, double epsilon = 1e-6)
    {
        NormAxes.Check("RmsNorm", shape, epsilon);
        (gamma, this.epsilon) = (AddParameter("weight", Tensor.Full(shape, 1)), epsilon);
    }

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.RmsNorm(gamma, epsilon);

    static RmsNorm ISavableModule<RmsNorm>.Create(ModuleSettings settings) =>
        new(settings.Integers("shape"), settings.Number("epsilon"));

    void ISavableModule.Describe(ModuleSettings settings)
    {
        settings.Set("shape", gamma.Shape);
        settings.Set("epsilon", epsilon);
    }
}

/// <summary>
/// Group normalization, over groups of channels of each sample (Wu and He 2018); γ begins as 1, β as 0.
/// </summary>
public sealed class GroupNorm : Layer, ISavableModule<GroupNorm>
{
    private readonly Tensor gamma, beta;
    private readonly int groups;
    private readonly double epsilon;

    /// <summary>Creates a layer for inputs (n, channels, …).</summary>
    /// <param name="groups">The number of groups; it divides the channels.</param>
    /// <param name="channels">The number of channels, 1 or more.</param>
    /// <param name="epsilon">The number ε added to the variance, above 0.</param>
    /// <exception cref="AdjointException">The groups do not divide the channels, or ε is not positive.</exception>
    public GroupNorm(int groups, int channels, double epsilon = 1e-5)
    {
        if (groups < 1 || channels < 1 || channels % groups != 0)
            throw new AdjointException(
                $"GroupNorm: the groups must divide the channels: found {groups} groups of {channels} channels");
        if (!(epsilon > 0)) throw new AdjointException($"GroupNorm: ε must be positive: found {epsilon}");
        (this.groups, this.epsilon) = (groups, epsilon);
        (gamma, beta) = (AddParameter("weight", Tensor.Ones(channels)), AddParameter("bias", Tensor.Zeros(channels)));
    }

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.GroupNorm(groups, gamma, beta, epsilon);

    static GroupNorm ISavableModule<GroupNorm>.Create(ModuleSettings settings) =>
        new(settings.Integer("groups"), settings.Integer("channels"), settings.Number("epsilon"));

    void ISavableModule.Describe(ModuleSettings settings)
    {
        settings.Set("groups", groups);
        settings.Set("channels", gamma.Length);
        settings.Set("epsilon", epsilon);
    }
}

internal static class NormAxes
{
    internal static void Check(string layer, Shape shape, double epsilon)
    {
        if (shape.Rank == 0 || shape.Elements == 0 || !(epsilon > 0))
            throw new AdjointException(
                $"{layer}: at least one axis, none empty, and a positive ε are needed: found {shape} and {epsilon}");
    }
}
