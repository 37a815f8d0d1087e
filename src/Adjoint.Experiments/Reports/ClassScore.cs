namespace Adjoint.Experiments;

/// <summary>How a classifier does on one class.</summary>
/// <param name="Samples">How many samples have its label.</param>
/// <param name="Predicted">How many samples were taken for it.</param>
/// <param name="Right">How many of these have its label.</param>
public sealed record ClassScore(int Samples, int Predicted, int Right)
{
    /// <summary>The share of what was taken for the class that is of it; NaN where nothing was.</summary>
    public double Precision => (double)Right / Predicted;

    /// <summary>The share of the class that was taken for it; NaN where no sample has its label.</summary>
    public double Recall => (double)Right / Samples;

    /// <summary>Every class of a confusion matrix, [label, prediction], in order.</summary>
    public static IReadOnlyList<ClassScore> Of(int[,] confusion)
    {
        var all = Enumerable.Range(0, confusion.GetLength(0)).ToArray();
        return [.. all.Select(one => new ClassScore(
            all.Sum(other => confusion[one, other]), all.Sum(other => confusion[other, one]), confusion[one, one]))];
    }
}
