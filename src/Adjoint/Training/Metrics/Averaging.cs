namespace Adjoint.Training;

/// <summary>How the values of the classes or labels become one number (scikit-learn's <c>average</c>).</summary>
public enum Averaging
{
    /// <summary>Binary for two classes, else macro.</summary>
    Automatic,

    /// <summary>The value of class 1 of two, or of the only label.</summary>
    Binary,

    /// <summary>The mean over classes: a rare one counts as much as a frequent one.</summary>
    Macro,

    /// <summary>From the counts, or pairs of score and truth, of all classes together.</summary>
    Micro,

    /// <summary>The mean over classes, weighted by how many (or which weight of) targets each has.</summary>
    Weighted,
}
