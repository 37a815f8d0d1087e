namespace Adjoint.IO;

/// <summary>One array of an .npy or .npz file, as its header describes it.</summary>
public sealed record NpyEntry
{
    private readonly NpyHeader header;

    internal NpyEntry(string name, NpyHeader header) => (Name, this.header) = (name, header);

    /// <summary>The name of the array: that in the archive, or of its own file.</summary>
    public string Name { get; }

    /// <summary>The element type as NumPy names it, without byte order, such as <c>f4</c> or <c>u2</c>.</summary>
    public string Type => header.Type.Name;

    /// <summary>The sizes of the axes, outermost first; those of a file may be larger than a tensor's.</summary>
    public IReadOnlyList<long> Sizes => header.Sizes;

    /// <summary>Whether the elements lie in Fortran order: those of the first axis are neighbors.</summary>
    public bool IsFortranOrder => header.IsFortranOrder;

    /// <summary>The element type that it has when loaded; null where it must be converted first.</summary>
    public DType? DType => header.Type.Stored.Held;

    /// <summary>The smallest element type that holds its values, to which it is converted on request.</summary>
    public DType ConvertsTo => (header.Type.Stored.Held ?? header.Type.Stored.Converted)!.Value;
}
