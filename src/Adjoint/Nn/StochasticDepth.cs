namespace Adjoint.Nn;

/// <summary>
/// Stochastic depth (Huang et al. 2016), at the end of a residual branch: in training, the branch is dropped for each
/// sample of x (n, …) with probability p, and scaled by 1/(1 − p) for the rest; in evaluation, returns x.
/// </summary>
/// <param name="probability">The probability p of dropping a sample's branch, in [0, 1).</param>
/// <param name="generator">The random stream of the masks; <see cref="Generator.Default"/> by default.</param>
public sealed class StochasticDepth(double probability, Generator? generator = null)
    : DropoutModule(probability, generator), ISavableModule<StochasticDepth>
{
    private protected override Shape MaskShape(Shape x) => x.Rank >= 1
        ? (int[])[x[0], .. Enumerable.Repeat(1, x.Rank - 1)]
        : throw new AdjointException($"StochasticDepth: the input must be (n, …): found {x}");

    static StochasticDepth ISavableModule<StochasticDepth>.Create(ModuleSettings settings) =>
        new(settings.Number("probability"));

    void ISavableModule.Describe(ModuleSettings settings) => settings.Set("probability", Probability);
}
