namespace Adjoint.Data;

/// <summary>
/// How <see cref="Dataset.Split(double, double, SplitOptions?)"/> chooses the samples of each part: at random, or by at
/// most one field.
/// </summary>
public sealed record SplitOptions
{
    /// <summary>The seed; equal seeds give equal parts. 0 by default.</summary>
    public ulong Seed { get; init; }

    /// <summary>
    /// The field whose values every part has in the same shares, such as <see cref="Field.Targets"/>: classes
    /// (integers), several labels per sample (a vector of 0 and 1), or numbers (by ten quantiles); null: none.
    /// </summary>
    public string? Stratify { get; init; }

    /// <summary>
    /// The field, integers, whose samples of equal value stay together in one part, such as a number of the person;
    /// null: none.
    /// </summary>
    public string? Group { get; init; }

    /// <summary>
    /// The field, numbers, that orders the samples in time: the latest are for the test, those before for validation;
    /// null: none.
    /// </summary>
    public string? Time { get; init; }
}
