using System.Collections;

namespace Adjoint.Data;

/// <summary>
/// One sample of a data set: tensors by name, without a batch axis.
/// <c>new Sample { ["inputs"] = x, ["targets"] = y }</c>.
/// </summary>
public sealed class Sample : IEnumerable<(string Name, Tensor Value)>
{
    private readonly List<(string Name, Tensor Value)> tensors = [];

    /// <summary>A tensor by its name; setting one adds it, or replaces it in its place.</summary>
    /// <param name="name">The name of the field.</param>
    /// <returns>The tensor of that name.</returns>
    /// <exception cref="AdjointException">There is no tensor of that name.</exception>
    public Tensor this[string name]
    {
        get
        {
            var at = tensors.FindIndex(entry => entry.Name == name);
            return at >= 0 ? tensors[at].Value : throw Missing("Sample", name, tensors.Select(entry => entry.Name));
        }
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            var at = tensors.FindIndex(entry => entry.Name == name);
            if (at >= 0) tensors[at] = (name, value);
            else tensors.Add((name, value));
        }
    }

    /// <summary>Its position in the data set; −1 where nobody said.</summary>
    internal int Position { get; set; } = -1;

    /// <summary>For messages: its position in the data set, or in the list that it is in.</summary>
    internal string Place(int inList) => $"sample {(Position >= 0 ? Position : inList)}";

    /// <summary>Says whether there is a tensor of a name.</summary>
    /// <param name="name">The name of the field.</param>
    /// <returns>Whether there is one.</returns>
    public bool Has(string name) => tensors.Exists(entry => entry.Name == name);

    /// <inheritdoc/>
    public IEnumerator<(string Name, Tensor Value)> GetEnumerator() => tensors.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    internal static AdjointException Missing(string what, string name, IEnumerable<string> names) =>
        new($"{what}: there is no tensor '{name}': it has {string.Join(", ", names.DefaultIfEmpty("none"))}; "
            + "use one of these names, or give the data set a field of that name");
}
