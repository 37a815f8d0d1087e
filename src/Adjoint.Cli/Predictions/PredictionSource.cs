using Adjoint.Training;

namespace Adjoint.Cli;

/// <summary>Samples that are predicted, in parts, in memory that does not grow with them.</summary>
internal abstract class PredictionSource
{
    /// <summary>What the keys are: <c>row</c>, <c>file</c>.</summary>
    internal abstract string KeyName { get; }

    /// <summary>What was unusual, once all is predicted; a line for each thing.</summary>
    internal virtual IEnumerable<string> Notes => [];

    /// <summary>Predicts all samples in order.</summary>
    /// <returns>What each sample is called, and what is predicted of them.</returns>
    internal abstract IEnumerable<(IReadOnlyList<string> Keys, Prediction Prediction)> Predict();
}
