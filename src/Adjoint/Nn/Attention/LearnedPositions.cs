namespace Adjoint.Nn;

/// <summary>
/// Adds a learned vector for each position: x (n, t, width) → x + <c>weight</c>[0 … t − 1], the same for each sample.
/// Weights (length, width) begin as N(0, 0.02²), as in GPT-2.
/// </summary>
public sealed class LearnedPositions : Layer, ISavableModule<LearnedPositions>
{
    /// <summary>Creates the vectors of a number of positions.</summary>
    /// <param name="length">The number of positions: the longest sequence.</param>
    /// <param name="width">The size of the last axis, 1 or more.</param>
    /// <param name="generator">
    /// The random stream for the initial values; <see cref="Generator.Default"/> by default.
    /// </param>
    /// <exception cref="AdjointException">A number is not positive.</exception>
    public LearnedPositions(int length, int width, Generator? generator = null)
    {
        PositionTable.CheckSizes(TypeName, length, width);
        using var _ = new NoGrad();
        Weight = AddParameter("weight", (InitialValues.Normal((int[])[length, width], generator) * 0.02).Detach());
    }

    /// <summary>The vectors (length, width).</summary>
    public Tensor Weight { get; }

    /// <summary>Adds the vectors of the positions from <paramref name="start"/> on.</summary>
    /// <param name="x">The features (n, t, width).</param>
    /// <param name="start">The position of the first, from 0 on.</param>
    /// <returns>A tensor of x's shape.</returns>
    /// <exception cref="AdjointException">There are fewer positions, or x has another width or type.</exception>
    public Tensor Forward(Tensor x, int start) => Call([x], () => x + PositionTable.Rows(TypeName, Weight, x, start));

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x + PositionTable.Rows(TypeName, Weight, x, 0);

    /// <inheritdoc/>
    public override string ToString() => $"LearnedPositions({Weight.Shape[0]}, {Weight.Shape[1]})";

    static LearnedPositions ISavableModule<LearnedPositions>.Create(ModuleSettings settings) =>
        new(settings.Integer("length"), settings.Integer("width"));

    void ISavableModule.Describe(ModuleSettings settings)
    {
        settings.Set("length", Weight.Shape[0]);
        settings.Set("width", Weight.Shape[1]);
    }
}

/// <summary>What layers that add a vector for each position check alike.</summary>
internal static class PositionTable
{
    internal static void CheckSizes(string layer, int length, int width)
    {
        if (length < 1 || width < 1)
            throw new AdjointException(
                $"{layer}: positions and width must be positive: found {length} and {width}");
    }

    /// <summary>The rows of the table (length, width) for the positions of x (…, t, width) from a first on.</summary>
    internal static Tensor Rows(string layer, Tensor table, Tensor x, int start)
    {
        if (x.Rank < 2 || x.Shape[-1] != table.Shape[1])
            throw new AdjointException(
                $"{layer}: features (…, t, {table.Shape[1]}) are needed: found {x.Shape}");
        var (t, length) = (x.Shape[-2], table.Shape[0]);
        if (start < 0 || t > (long)length - start)
            throw new AdjointException(
                $"{layer}: {t} positions from {start} on are not among its {length}, 0 to {length - 1}; use shorter "
                + "sequences, or create it with more positions");
        return table.Slice(0, start, t);
    }
}
