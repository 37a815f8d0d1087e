namespace Adjoint.Nn;

/// <summary>
/// Adds a fixed vector for each position (Vaswani et al. 2017, §3.5): x (n, t, width) → x + p[0 … t − 1], with p[k, 2i]
/// = sin(k·10000^(−2i/width)) and p[k, 2i + 1] = cos(k·10000^(−2i/width)), the same for each sample. Nothing is
/// learned.
/// </summary>
public sealed class SinusoidalPositions : Layer, ISavableModule<SinusoidalPositions>
{
    // No buffer, which would take on the type of the model: in float64, so that one of any type has all its digits.
    private readonly Tensor table;

    /// <summary>Computes the vectors of a number of positions.</summary>
    /// <param name="length">The number of positions: the longest sequence.</param>
    /// <param name="width">The size of the last axis, 1 or more.</param>
    /// <exception cref="AdjointException">A number is not positive.</exception>
    public SinusoidalPositions(int length, int width)
    {
        PositionTable.CheckSizes(TypeName, length, width);
        table = Tensor.Zeros((int[])[length, width], DType.Float64).Keep();
        double[] frequencies = [.. Enumerable.Range(0, (width + 1) / 2).Select(i => Math.Pow(10000, -2.0 * i / width))];
        var angles = Tensor.Arange(0, length, 1, DType.Float64).Unsqueeze(1) * Tensor.From(frequencies);
        table.Slice(1, 0, frequencies.Length, 2).CopyFrom(angles.Sin());
        if (width > 1) table.Slice(1, 1, width / 2, 2).CopyFrom(angles.Slice(1, 0, width / 2).Cos());
    }

    /// <summary>Adds the vectors of the positions from <paramref name="start"/> on.</summary>
    /// <param name="x">The features (n, t, width).</param>
    /// <param name="start">The position of the first, from 0 on.</param>
    /// <returns>A tensor of x's shape and type.</returns>
    /// <exception cref="AdjointException">There are fewer positions, or x has another width.</exception>
    public Tensor Forward(Tensor x, int start) => Call([x], () => Add(x, start));

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => Add(x, 0);

    private Tensor Add(Tensor x, int start) =>
        x + PositionTable.Rows(TypeName, table, x, start).To(x.DType).To(x.Device);

    /// <inheritdoc/>
    public override string ToString() => $"SinusoidalPositions({table.Shape[0]}, {table.Shape[1]})";

    static SinusoidalPositions ISavableModule<SinusoidalPositions>.Create(ModuleSettings settings) =>
        new(settings.Integer("length"), settings.Integer("width"));

    void ISavableModule.Describe(ModuleSettings settings)
    {
        settings.Set("length", table.Shape[0]);
        settings.Set("width", table.Shape[1]);
    }
}
