namespace Adjoint.Experiments;

/// <summary>How a classifier does on one class.</summary>
/// <param name="Samples">How many samples have the label of the class.</param>
/// <param name="Predicted">How many samples were predicted as the class.</param>
/// <param name="Right">How many of these have its label.</param>
public sealed record ClassScore(int Samples, int Predicted, int Right)
{
    /// <summary>The share of the samples predicted as the class that belong to it; NaN where there are none.</summary>
    public double Precision => (double)Right / Predicted;

    /// <summary>The share of the class that was predicted as such; NaN where no sample has its label.</summary>
    public double Recall => (double)Right / Samples;

    /// <summary>Scores every class of a confusion matrix.</summary>
    /// <param name="confusion">Counts of samples, [label, prediction]; null: there are no classes.</param>
    /// <returns>The score of each class, in order.</returns>
    public static IReadOnlyList<ClassScore> Of(int[,]? confusion)
    {
        if (confusion is null) return [];
        var all = Enumerable.Range(0, confusion.GetLength(0)).ToArray();
        return [.. all.Select(one => new ClassScore(
            all.Sum(other => confusion[one, other]), all.Sum(other => confusion[other, one]), confusion[one, one]))];
    }
}
