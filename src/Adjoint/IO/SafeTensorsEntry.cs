namespace Adjoint.IO;

/// <summary>What a safetensors file says of one of its tensors, before it is loaded.</summary>
public sealed record SafeTensorsEntry
{
    private readonly long[] sizes;

    internal SafeTensorsEntry(string name, SafeTensorsType type, long[] sizes, long begin, long end) =>
        (Name, Stored, this.sizes, Begin, End) = (name, type, sizes, begin, end);

    /// <summary>The name.</summary>
    public string Name { get; }

    /// <summary>The element type in the format's words, such as <c>F32</c>, <c>BF16</c> or <c>F8_E4M3</c>.</summary>
    public string Type => Stored.Code;

    /// <summary>The sizes of the axes, outermost first; those of a file may be larger than a tensor's.</summary>
    public IReadOnlyList<long> Sizes => sizes;

    /// <summary>How many bytes it takes in the file.</summary>
    public long Bytes => End - Begin;

    /// <summary>
    /// The element type that it has when it is loaded; null where it must be converted first, or cannot be.
    /// </summary>
    public DType? DType => Stored.Held;

    /// <summary>
    /// The smallest element type that holds its values, which a conversion gives; null where there is none.
    /// </summary>
    public DType? ConvertsTo => Stored.Held ?? Stored.Converted;

    internal SafeTensorsType Stored { get; }
    internal long Begin { get; }
    internal long End { get; }
}
