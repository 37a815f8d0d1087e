namespace Adjoint.Nn;

/// <summary>
/// How a state is loaded into a model. The default is strict: the names and shapes of state and model are the same, and
/// the element types, too.
/// </summary>
public sealed record LoadOptions
{
    /// <summary>
    /// Whether every tensor of the model must be in the state, and every one of the state in the model. Otherwise what
    /// both have is loaded, the rest keeps its values, and the <see cref="LoadReport"/> lists it. Nothing in common is
    /// an error all the same.
    /// </summary>
    public bool IsStrict { get; init; } = true;

    /// <summary>
    /// Whether values of other element types are converted to the model's: floating types to one another, rounded to
    /// the nearest; integers and truth values to whatever holds them exactly. Otherwise another type is an error.
    /// </summary>
    public bool ConvertTypes { get; init; }

    /// <summary>
    /// Renames the tensors of the state before they are looked up; null: they have the model's names.
    /// </summary>
    public NameMap? Names { get; init; }

    /// <summary>
    /// Whether tensors of another shape, such as a head for other classes, keep their values. Otherwise another shape
    /// is an error.
    /// </summary>
    public bool SkipOtherShapes { get; init; }
}
