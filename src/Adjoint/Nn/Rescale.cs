namespace Adjoint.Nn;

/// <summary>
/// Brings standardized values back to units of their own: y = x·σ + μ for each column of x (n, c), or each channel of x
/// (n, c, …). As the last layer of a regression it lets the layers before compute with numbers near 1, whatever the
/// target's unit; the inverse of <see cref="Standardize"/>.
/// </summary>
public sealed class Rescale : Layer, ISavableModule<Rescale>
{
    private readonly Tensor mean, deviation;

    /// <summary>Creates a layer from the statistics of the training targets.</summary>
    /// <param name="statistics">
    /// Means μ and standard deviations σ; one of each holds for all columns. A deviation of 0 leaves the scale, as in
    /// <see cref="Standardize"/>.
    /// </param>
    /// <exception cref="AdjointException">
    /// There are not as many deviations as means, or none; or one is not finite, or a deviation negative.
    /// </exception>
    public Rescale((double[] Mean, double[] Deviation) statistics)
    {
        Standardize.Require(nameof(Rescale), statistics);
        Columns = statistics.Mean.Length;
        mean = AddBuffer("mean", Buffer(statistics.Mean));
        deviation = AddBuffer("deviation", Buffer(
            [.. statistics.Deviation.Select(value => value > 0 ? value : 1)]));

        static Tensor Buffer(double[] values) => Tensor.From([.. values.Select(value => (float)value)], values.Length);
    }

    /// <summary>Creates a layer that returns its input until a state is loaded.</summary>
    /// <param name="columns">The number of columns or channels, 1 or more.</param>
    /// <exception cref="AdjointException">The number is not positive.</exception>
    public Rescale(int columns) : this(Standardize.Unchanged(nameof(Rescale), columns)) { }

    /// <summary>The number of columns or channels.</summary>
    public int Columns { get; }

    /// <inheritdoc/>
    public override string ToString() => $"Rescale({Columns})";

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x)
    {
        var shape = Standardize.ColumnShape(nameof(Rescale), Columns, x);
        return x * deviation.Reshape(shape) + mean.Reshape(shape);
    }

    static Rescale ISavableModule<Rescale>.Create(ModuleSettings settings) => new(settings.Integer("columns"));

    void ISavableModule.Describe(ModuleSettings settings) => settings.Set("columns", Columns);
}
