using Adjoint.Data;
using Adjoint.Memory;

namespace Adjoint.IO;

/// <summary>One tensor of a file, as the file describes it.</summary>
public sealed record TensorEntry
{
    private readonly long[] sizes;

    internal TensorEntry(string name, string type, StoredType stored, long[] sizes, long bytes) =>
        (Name, Type, Stored, this.sizes, Bytes) = (name, type, stored, sizes, bytes);

    /// <summary>The name of the tensor.</summary>
    public string Name { get; }

    /// <summary>
    /// The element type as the format names it: <c>F8_E4M3</c> in safetensors, <c>f4</c> in NumPy's files,
    /// <c>float16</c> in PyTorch's.
    /// </summary>
    public string Type { get; }

    /// <summary>The sizes of the axes, outermost first; those of a file may be larger than a tensor's.</summary>
    public IReadOnlyList<long> Sizes => sizes;

    /// <summary>The number of bytes that its elements take in the file, before any compression.</summary>
    public long Bytes { get; }

    /// <summary>
    /// The element type that it has when loaded; null where it must be converted first, or cannot be.
    /// </summary>
    public DType? DType => Stored.Held;

    /// <summary>
    /// The smallest element type that holds its values, to which it is converted on request; null where there is none.
    /// </summary>
    public DType? ConvertsTo => Stored.Loaded;

    /// <summary>The path of the file that it lies in, where there are several (shards); null where there is one.
    /// </summary>
    public string? File { get; init; }

    /// <summary>
    /// The name of the first tensor that has the very same elements: then both are one in memory too. Null where there
    /// is none.
    /// </summary>
    public string? SharesWith { get; init; }

    internal StoredType Stored { get; }

    /// <summary>Where its elements begin in the file, for formats in which they lie as memory has them.</summary>
    internal long Offset { get; init; }

    /// <summary>The sizes of a tensor that it can be loaded into.</summary>
    internal Shape Shape => Array.ConvertAll(sizes, size => (int)size);

    /// <summary>Refuses a type that cannot be loaded.</summary>
    /// <exception cref="DataFormatException">It has to be converted, and may not or cannot be.</exception>
    internal void RequireType(string path, bool convert)
    {
        if (ConvertsTo is not { } type)
            throw new DataFormatException(path, Offset, $"dtype {Type} of {Name}",
                $"{StoredType.HeldNames}; no element type holds {Type}, so this tensor can only be inspected");
        if (DType is null && !convert)
            throw new DataFormatException(path, Offset, $"dtype {Type} of {Name}",
                $"{StoredType.HeldNames}; convert: true makes {Type} {type.Label()}");
    }

    /// <summary>Refuses what cannot be loaded, before anything is allocated.</summary>
    /// <exception cref="DataFormatException">
    /// It has to be converted, and may not or cannot be, or is too large.
    /// </exception>
    internal void RequireLoadable(string path, bool convert)
    {
        RequireType(path, convert);
        if (sizes.Any(one => one > int.MaxValue))
            throw new DataFormatException(path, Offset, $"size {sizes.Max()} of {Name}",
                $"at most {int.MaxValue} for a tensor");
        var elements = sizes.Aggregate((Int128)1, (product, next) => Int128.Min(product * next, long.MaxValue));
        if (sizes.Contains(0)) elements = 0;
        var size = ConvertsTo!.Value.Size();
        if (elements * size > Storage.MaxBytes || elements > int.MaxValue)
            throw new DataFormatException(path, Offset, $"{elements * size} bytes of {Name}",
                $"at most {Storage.MaxBytes} for a tensor; NpyDataset reads .npy files row by row");
    }
}
