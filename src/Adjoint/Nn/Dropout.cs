namespace Adjoint.Nn;

/// <summary>
/// Dropout (Srivastava et al. 2014): in training, sets each element to 0 with probability p and scales the rest by 1/(1
/// − p); in evaluation, returns x.
/// </summary>
/// <param name="probability">The probability p of dropping an element, in [0, 1).</param>
/// <param name="generator">The random stream of the masks; <see cref="Generator.Default"/> by default.</param>
public sealed class Dropout(double probability = 0.5, Generator? generator = null)
    : DropoutModule(probability, generator), ISavableModule<Dropout>
{
    private protected override Shape MaskShape(Shape x) => x;

    static Dropout ISavableModule<Dropout>.Create(ModuleSettings settings) => new(settings.Number("probability"));

    void ISavableModule.Describe(ModuleSettings settings) => settings.Set("probability", Probability);
}

/// <summary>
/// Dropout of whole channels of x (n, c, …), whose neighboring pixels are alike and would stand in for one another
/// (Tompson et al. 2015).
/// </summary>
/// <param name="probability">The probability of dropping a channel, in [0, 1).</param>
/// <param name="generator">The random stream of the masks; <see cref="Generator.Default"/> by default.</param>
public sealed class Dropout2d(double probability = 0.5, Generator? generator = null)
    : DropoutModule(probability, generator), ISavableModule<Dropout2d>
{
    private protected override Shape MaskShape(Shape x) => x.Rank >= 2
        ? (int[])[x[0], x[1], .. Enumerable.Repeat(1, x.Rank - 2)]
        : throw new AdjointException($"Dropout2d: the input must be (n, channels, …): found {x}");

    static Dropout2d ISavableModule<Dropout2d>.Create(ModuleSettings settings) => new(settings.Number("probability"));

    void ISavableModule.Describe(ModuleSettings settings) => settings.Set("probability", Probability);
}

/// <summary>The base of the kinds of dropout.</summary>
public abstract class DropoutModule : Layer
{
    private readonly Generator generator;

    /// <summary>Drops with the given probability, drawing from the given stream.</summary>
    /// <exception cref="AdjointException">The probability is not in [0, 1).</exception>
    private protected DropoutModule(double probability, Generator? generator)
    {
        if (probability is not (>= 0 and < 1))
            throw new AdjointException($"{GetType().Name}: the probability must be in [0, 1): found {probability}");
        (Probability, this.generator) = (probability, AddGenerator("mask", generator ?? Generator.Default));
    }

    /// <summary>The probability that an element, or a channel, is dropped.</summary>
    public double Probability { get; }

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x)
    {
        if (!IsTraining || Probability == 0) return x;
        if (!x.DType.IsFloating())
            throw new AdjointException(
                $"{GetType().Name}: needs a floating type: found {x.DType.Label()}; cast with .To(DType.Float32)");
        var mask = Tensor.Bernoulli(MaskShape(x.Shape), 1 - Probability, generator, x.DType);
        return x * mask * (1 / (1 - Probability));
    }

    /// <summary>The shape of what is dropped together.</summary>
    private protected abstract Shape MaskShape(Shape x);
}
