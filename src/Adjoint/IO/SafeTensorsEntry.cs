namespace Adjoint.IO;

/// <summary>One tensor of a safetensors file, as its header describes it.</summary>
public sealed record SafeTensorsEntry
{
    private readonly long[] sizes;

    internal SafeTensorsEntry(string name, SafeTensorsType type, long[] sizes, long begin, long end) =>
        (Name, Stored, this.sizes, Begin, End) = (name, type, sizes, begin, end);

    /// <summary>The name of the tensor.</summary>
    public string Name { get; }

    /// <summary>The element type as the format names it, such as <c>F32</c>, <c>BF16</c> or <c>F8_E4M3</c>.</summary>
    public string Type => Stored.Code;

    /// <summary>The sizes of the axes, outermost first; those of a file may be larger than a tensor's.</summary>
    public IReadOnlyList<long> Sizes => sizes;

    /// <summary>The number of bytes that it takes in the file.</summary>
    public long Bytes => End - Begin;

    /// <summary>
    /// The element type that it has when loaded; null where it must be converted first, or cannot be.
    /// </summary>
    public DType? DType => Stored.Held;

    /// <summary>
    /// The smallest element type that holds its values, to which it is converted on request; null where there is none.
    /// </summary>
    public DType? ConvertsTo => Stored.Held ?? Stored.Converted;

    internal SafeTensorsType Stored { get; }
    internal long Begin { get; }
    internal long End { get; }
}
