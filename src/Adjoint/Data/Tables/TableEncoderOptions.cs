namespace Adjoint.Data.Tables;

/// <summary>
/// How a <see cref="TableEncoder"/> turns columns into tensors; what is left null follows from the data.
/// </summary>
public sealed record TableEncoderOptions
{
    /// <summary>
    /// What is learned. By default: texts and truth values are classes, so are whole numbers of two values, or of at
    /// most 20 with ten rows each; other numbers are regression; several truth columns are multi-label.
    /// </summary>
    public TargetKind? Task { get; init; }

    /// <summary>What columns are used as, by name, where it is not <see cref="ColumnProfile.Role"/>.</summary>
    public IReadOnlyDictionary<string, ColumnRole> Roles { get; init; } = new Dictionary<string, ColumnRole>();

    /// <summary>
    /// How many categories of a column have an input each. Of more, the most frequent have one and all others share
    /// one, or with <see cref="Embed"/> the column becomes an index for an embedding.
    /// </summary>
    public int MostOneHot { get; init; } = 64;

    /// <summary>
    /// Whether columns of more than <see cref="MostOneHot"/> categories go into the field
    /// <see cref="TableEncoder.Categories"/>, as indices for an embedding.
    /// </summary>
    public bool Embed { get; init; }

    /// <summary>Whether a category that training did not have is an error; otherwise it is counted.</summary>
    public bool RefuseUnknown { get; init; }

    /// <summary>Whether a row without target is an error; otherwise it is left out and counted.</summary>
    public bool RefuseMissingTargets { get; init; }

    /// <summary>The column of numbers that says how much each row counts; null: all count 1.</summary>
    public string? Weights { get; init; }
}
