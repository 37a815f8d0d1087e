namespace Adjoint.Data;

/// <summary>
/// A named part of the samples of a data set. Shape and element type are those of one sample: the label of a class is
/// a scalar, and a batch of n of them has shape (n).
/// </summary>
/// <param name="Name">The name, such as <see cref="Inputs"/>.</param>
/// <param name="Shape">The shape of one sample; where it is ragged, that of the largest.</param>
/// <param name="DType">The element type.</param>
public sealed record Field(string Name, Shape Shape, DType DType)
{
    /// <summary>The name of what a model takes, where it takes one tensor: <c>inputs</c>.</summary>
    public const string Inputs = "inputs";

    /// <summary>The name of what a model is to predict: <c>targets</c>.</summary>
    public const string Targets = "targets";

    /// <summary>The name of the weight of each sample in losses and metrics, a scalar: <c>weights</c>.</summary>
    public const string Weights = "weights";

    /// <summary>
    /// The name of where a <see cref="FormalLanguage"/> leaves exactly one choice for the target, bool, in the shape of
    /// <see cref="Targets"/>: <c>determined</c>.
    /// </summary>
    public const string Determined = "determined";

    /// <summary>
    /// Whether sizes differ from sample to sample, as those of sequences do: such samples need a
    /// <see cref="Collate"/> that pads, or transforms that bring them to one size.
    /// </summary>
    public bool IsRagged { get; init; }
}
