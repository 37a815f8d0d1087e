namespace Adjoint.Data;

/// <summary>The three splits of a data set. The test split is used only at the very end.</summary>
/// <param name="Train">The samples to learn from.</param>
/// <param name="Validation">The samples to choose settings by.</param>
/// <param name="Test">The samples for the final measure; null where there are none.</param>
public sealed record DataSplits(Dataset Train, Dataset Validation, Dataset? Test)
{
    /// <summary>
    /// Standardizes all splits by the statistics of the training split: each column of vectors, or each channel of
    /// images, minus its mean, over its standard deviation.
    /// </summary>
    /// <returns>The new splits.</returns>
    /// <exception cref="AdjointException">There are no training samples, or one holds NaN or infinity.</exception>
    public DataSplits Standardize() => Standardize(Train.ChannelStatistics());

    /// <summary>Standardizes all splits by given statistics, such as those of a model file.</summary>
    /// <param name="statistics">Means and standard deviations, one per column or channel, or one for all.</param>
    /// <returns>The new splits.</returns>
    /// <exception cref="AdjointException">The numbers of means, deviations and columns do not match.</exception>
    public DataSplits Standardize((double[] Mean, double[] Deviation) statistics) =>
        new(Train.Standardize(statistics), Validation.Standardize(statistics), Test?.Standardize(statistics));
}
