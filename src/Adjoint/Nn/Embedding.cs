namespace Adjoint.Nn;

/// <summary>
/// One learned row per index: x (…) int64 → y (…, d), y[…] = weight[x[…]]. Weights (count, d) begin as N(0, 1), as in
/// PyTorch's documentation of <c>nn.Embedding</c>.
/// </summary>
public sealed class Embedding : Layer, ISavableModule<Embedding>
{
    /// <summary>Creates a table of rows.</summary>
    /// <param name="count">The number of rows; indices go from 0 to count − 1.</param>
    /// <param name="features">The size d of a row, 1 or more.</param>
    /// <param name="generator">
    /// The random stream for the initial values; <see cref="Generator.Default"/> by default.
    /// </param>
    /// <exception cref="AdjointException">A number is not positive.</exception>
    public Embedding(int count, int features, Generator? generator = null)
    {
        if (count < 1 || features < 1)
            throw new AdjointException(
                $"Embedding: rows and features must be positive: found {count} and {features}");
        Weight = AddParameter("weight", InitialValues.Normal((int[])[count, features], generator));
    }

    /// <summary>The table of rows (count, d).</summary>
    public Tensor Weight { get; }

    /// <inheritdoc/>
    /// <exception cref="AdjointException">The input is not int64, or an index is outside 0 … count − 1.</exception>
    protected override Tensor ForwardCore(Tensor x) => Weight.Embedding(x);

    /// <inheritdoc/>
    public override string ToString() => $"Embedding({Weight.Shape[0]}, {Weight.Shape[1]})";

    static Embedding ISavableModule<Embedding>.Create(ModuleSettings settings) =>
        new(settings.Integer("count"), settings.Integer("features"));

    void ISavableModule.Describe(ModuleSettings settings)
    {
        settings.Set("count", Weight.Shape[0]);
        settings.Set("features", Weight.Shape[1]);
    }
}
