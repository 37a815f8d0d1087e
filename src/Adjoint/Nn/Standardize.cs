using System.Globalization;
using Adjoint.Data;

namespace Adjoint.Nn;

/// <summary>
/// Standardizes each column of x (n, c), or each channel of x (n, c, …): minus its mean, over its standard deviation.
/// It does in a first layer what <c>Dataset.Standardize</c> does to the samples, so that it is saved with the model.
/// </summary>
public sealed class Standardize : Layer
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
        var (means, deviations) = statistics;
        Columns = means.Length;
        if (Columns == 0 || Columns != deviations.Length)
            throw new AdjointException(
                "Standardize: as many means as deviations are needed, at least one: "
                + $"found {Columns} and {deviations.Length}");
        for (var i = 0; i < Columns; i++)
            if (!double.IsFinite(means[i]) || !double.IsFinite(deviations[i]) || deviations[i] < 0)
                throw new AdjointException(
                    "Standardize: a mean is finite, a deviation finite and not negative: found "
                    + $"{means[i]} and {deviations[i]} for column or channel {i}; measure them anew");
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
    public Standardize(int columns) : this((Zeros(columns), Zeros(columns))) { }

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

    private static double[] Zeros(int columns)
    {
        Shape.CheckFits([columns], DType.Float64, "Standardize");
        return new double[columns];
    }

    /// <summary>What <see cref="StatisticsOf"/> reads.</summary>
    internal static IEnumerable<(string Key, string Value)> Metadata((double[] Mean, double[] Deviation) statistics) =>
        [(MeanKey, Text(statistics.Mean)), (DeviationKey, Text(statistics.Deviation))];

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x)
    {
        if (Columns > 1 && (x.Rank < 2 || x.Shape[1] != Columns))
            throw new AdjointException(
                $"Standardize: an input (n, {Columns}, …) is needed: found {x.Shape}; "
                + "the second axis must be the number of columns or channels");
        int[] shape = Columns == 1 ? [1] : [1, Columns, .. Enumerable.Repeat(1, x.Rank - 2)];
        return (x - mean.Reshape(shape) - rest.Reshape(shape)) / deviation.Reshape(shape);
    }

    private static string Text(double[] numbers) =>
        string.Join(' ', numbers.Select(number => number.ToString("R", CultureInfo.InvariantCulture)));
}
