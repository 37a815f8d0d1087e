using System.Globalization;
using Adjoint.Data;

namespace Adjoint.Nn;

/// <summary>
/// Standardizes each column of x (n, c), or each channel of x (n, c, …): minus its mean, over its standard deviation.
/// It does in a first layer what <c>Dataset.Standardize</c> does to the samples, so that it is saved with the model.
/// </summary>
public sealed class Standardize : Layer, ISavableModule<Standardize>
{
    private const string MeanKey = "standardize.mean", DeviationKey = "standardize.deviation";
    private readonly Tensor mean, rest, deviation;

    /// <summary>Creates a layer from statistics of the training data.</summary>
    /// <param name="statistics">
    /// Means and standard deviations, such as <c>Dataset.Statistics</c>; one of each holds for all columns, and a
    /// deviation of 0 leaves the scale.
    /// </param>
    /// <exception cref="AdjointException">
    /// There are not as many deviations as means, or none; or one is not finite, or a deviation negative.
    /// </exception>
    public Standardize((double[] Mean, double[] Deviation) statistics)
    {
        Require(nameof(Standardize), statistics);
        var (means, deviations) = statistics;
        Columns = means.Length;
        // What float32 leaves of a mean counts where a column lies far from 0.
        mean = AddBuffer("mean", Buffer(i => means[i]));
        rest = AddBuffer("mean_rest", Buffer(i => means[i] - (float)means[i]));
        deviation = AddBuffer("deviation", Buffer(i => deviations[i] > 0 ? deviations[i] : 1));

        Tensor Buffer(Func<int, double> value) =>
            Tensor.From([.. Enumerable.Range(0, Columns).Select(i => (float)value(i))], Columns);
    }

    /// <summary>Creates a layer that returns its input until a state is loaded.</summary>
    /// <param name="columns">The number of columns or channels, 1 or more.</param>
    /// <exception cref="AdjointException">The number is not positive.</exception>
    public Standardize(int columns) : this(Unchanged(nameof(Standardize), columns)) { }

    /// <summary>The number of columns or channels.</summary>
    public int Columns { get; }

    /// <summary>Creates the layer that a model file's metadata describe; see <see cref="StatisticsOf"/>.</summary>
    /// <param name="metadata">The metadata of the file, by key.</param>
    /// <returns>The layer; null where the metadata have no statistics.</returns>
    /// <exception cref="AdjointException">The metadata are damaged.</exception>
    public static Standardize? FromMetadata(IReadOnlyDictionary<string, string> metadata) =>
        StatisticsOf(metadata) is { } statistics ? new(statistics) : null;

    /// <summary>
    /// Reads the means and standard deviations of the samples that a model learned from, out of its file's metadata.
    /// </summary>
    /// <param name="metadata">The metadata of the file, by key.</param>
    /// <returns>The statistics; null where the metadata have none.</returns>
    /// <exception cref="AdjointException">The metadata are damaged.</exception>
    public static (double[] Mean, double[] Deviation)? StatisticsOf(IReadOnlyDictionary<string, string> metadata)
    {
        if (!metadata.ContainsKey(MeanKey) && !metadata.ContainsKey(DeviationKey)) return null;
        return (Numbers(MeanKey), Numbers(DeviationKey));

        double[] Numbers(string key)
        {
            var words = metadata.GetValueOrDefault(key, "").Split(' ');
            var numbers = new double[words.Length];
            for (var i = 0; i < words.Length; i++)
                if (!double.TryParse(words[i], NumberStyles.Float, CultureInfo.InvariantCulture, out numbers[i])
                    || !float.IsFinite((float)numbers[i]) || key == DeviationKey && numbers[i] < 0)
                    throw new AdjointException(
                        $"Standardize: metadata {key} must be finite numbers{(key == DeviationKey ? " from 0" : "")}: "
                        + $"found '{DataFormatException.Abbreviate(words[i])}'");
            return numbers;
        }
    }

    /// <inheritdoc/>
    public override string ToString() => $"Standardize({Columns})";

    /// <summary>Refuses statistics that are not of as many columns, or not numbers to divide by.</summary>
    internal static void Require(string layer, (double[] Mean, double[] Deviation) statistics)
    {
        var (means, deviations) = statistics;
        if (means.Length == 0 || means.Length != deviations.Length)
            throw new AdjointException(
                $"{layer}: as many means as deviations are needed, at least one: "
                + $"found {means.Length} and {deviations.Length}");
        for (var i = 0; i < means.Length; i++)
            if (!double.IsFinite(means[i]) || !double.IsFinite(deviations[i]) || deviations[i] < 0)
                throw new AdjointException(
                    $"{layer}: a mean is finite, a deviation finite and not negative: found "
                    + $"{means[i]} and {deviations[i]} for column or channel {i}; measure them anew");
    }

    /// <summary>Statistics that change nothing.</summary>
    internal static (double[] Mean, double[] Deviation) Unchanged(string layer, int columns)
    {
        Shape.CheckFits([columns], DType.Float64, layer);
        Execution.Current.Budget?.Take(2L * sizeof(double) * columns);
        return (new double[columns], new double[columns]);
    }

    /// <summary>The shape in which one number per column is broadcast over x.</summary>
    internal static int[] ColumnShape(string layer, int columns, Tensor x)
    {
        if (columns > 1 && (x.Rank < 2 || x.Shape[1] != columns))
            throw new AdjointException(
                $"{layer}: an input (n, {columns}, …) is needed: found {x.Shape}; "
                + "the second axis must be the number of columns or channels");
        return columns == 1 ? [1] : [1, columns, .. Enumerable.Repeat(1, x.Rank - 2)];
    }

    /// <summary>What <see cref="StatisticsOf"/> reads.</summary>
    internal static IEnumerable<(string Key, string Value)> Metadata((double[] Mean, double[] Deviation) statistics) =>
        [(MeanKey, Text(statistics.Mean)), (DeviationKey, Text(statistics.Deviation))];

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x)
    {
        var shape = ColumnShape(nameof(Standardize), Columns, x);
        return (x - mean.Reshape(shape) - rest.Reshape(shape)) / deviation.Reshape(shape);
    }

    private static string Text(double[] numbers) =>
        string.Join(' ', numbers.Select(number => number.ToString("R", CultureInfo.InvariantCulture)));

    static Standardize ISavableModule<Standardize>.Create(ModuleSettings settings) => new(settings.Integer("columns"));

    void ISavableModule.Describe(ModuleSettings settings) => settings.Set("columns", Columns);
}
