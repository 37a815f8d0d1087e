using Adjoint.Data;

namespace Adjoint.IO;

/// <summary>
/// NumPy's format of one array, <c>.npy</c>, versions 1.0 to 3.0: what <c>numpy.save</c> writes and <c>numpy.load</c>
/// reads. Files are untrusted: nothing is allocated before header and length agree, and arrays of Python objects,
/// which are pickles, are refused. float16, float32, float64, int32, int64, uint8 and bool are loaded as they are;
/// int8, int16 and uint16 are converted to int32 on request, uint32 and uint64 to int64. Both byte orders and both
/// orders of the axes (C and Fortran) are read. NumPy has no bfloat16: it is written as raw bytes of type
/// <c>'&lt;V2'</c>, as the package ml_dtypes does, and read from those.
/// </summary>
public static class NpyFile
{
    /// <summary>Writes a tensor to a file, atomically, in row-major order.</summary>
    /// <param name="path">The path of the file, which is replaced if it exists.</param>
    /// <param name="tensor">The tensor to write.</param>
    /// <exception cref="IOException">The disk is full, or the folder may not be written to.</exception>
    public static void Save(string path, Tensor tensor) => AtomicFile.Write(path, stream => Write(stream, tensor));

    /// <summary>Reads type and sizes of an array from the header of its file.</summary>
    /// <param name="path">The path of the file.</param>
    /// <returns>Type and sizes; the name is that of the file, without its extension.</returns>
    /// <exception cref="DataFormatException">The header is damaged, or the array has no numbers.</exception>
    /// <exception cref="FileNotFoundException">There is nothing at that path.</exception>
    public static NpyEntry Inspect(string path)
    {
        using var stream = RegularFile.Open(path);
        return new(Path.GetFileNameWithoutExtension(path), NpyHeader.Read(stream, path, stream.Length));
    }

    /// <summary>Reads an array into memory.</summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="convert">
    /// Whether a type that no tensor has is converted to the smallest that holds its values:
    /// <see cref="NpyEntry.ConvertsTo"/>.
    /// </param>
    /// <returns>The tensor, contiguous.</returns>
    /// <exception cref="DataFormatException">
    /// The file is damaged, the array has no numbers, or its type has to be converted.
    /// </exception>
    /// <exception cref="FileNotFoundException">There is nothing at that path.</exception>
    public static Tensor Load(string path, bool convert = false)
    {
        using var stream = RegularFile.Open(path);
        return Read(stream, path, stream.Length, convert);
    }

    internal static void Write(Stream stream, Tensor tensor)
    {
        stream.Write(NpyHeader.Write(tensor));
        var packed = tensor.Contiguous();
        stream.Write(packed.Storage.Bytes.Slice(packed.Offset * packed.DType.Size(),
            packed.Length * packed.DType.Size()));
        GC.KeepAlive(packed);
    }

    /// <summary>Reads header and elements.</summary>
    /// <exception cref="DataFormatException">They do not make a tensor.</exception>
    internal static Tensor Read(Stream stream, string path, long length, bool convert)
    {
        var header = NpyHeader.Read(stream, path, length);
        var type = TypeOf(header, path, convert);
        RequireTensor(header, type, path);
        var sizes = Array.ConvertAll(header.Sizes, size => (int)size);
        if (header.IsFortranOrder) Array.Reverse(sizes);
        var tensor = Tensor.Empty(sizes, type);
        var elements = header.Type.Stored.Held is null
            ? new byte[header.Bytes]
            : tensor.Storage.Bytes[..(int)header.Bytes];
        var read = stream.ReadAtLeast(elements, elements.Length, throwOnEndOfStream: false);
        if (read < elements.Length)
            throw new DataFormatException(path, header.DataOffset + read,
                "the end: it became shorter while it was read", $"{header.Bytes} bytes of elements");
        header.Finish(elements, tensor, path);
        if (!header.IsFortranOrder || sizes.Length < 2) return tensor;
        return tensor.Permute([.. Enumerable.Range(0, sizes.Length).Reverse()]).Contiguous();
    }

    /// <summary>The element type that an array is loaded as.</summary>
    /// <exception cref="DataFormatException">It has to be converted, and may not be.</exception>
    internal static DType TypeOf(NpyHeader header, string path, bool convert)
    {
        var entry = new NpyEntry("", header);
        return entry.DType is null && !convert
            ? throw new DataFormatException(path, 0, $"type {entry.Type}",
                $"a type that tensors have; convert: true makes {entry.Type} {entry.ConvertsTo.Label()}")
            : entry.ConvertsTo;
    }

    // Before anything is allocated.
    private static void RequireTensor(NpyHeader header, DType type, string path)
    {
        long length = 1;
        foreach (var size in header.Sizes)
            if (size > int.MaxValue || (length *= Math.Max(1, size)) > int.MaxValue)
                throw new DataFormatException(path, 0, $"shape ({string.Join(", ", header.Sizes)})",
                    $"at most {int.MaxValue} elements for a tensor; NpyDataset reads row by row");
        if (length * type.Size() > Memory.Storage.MaxBytes)
            throw new DataFormatException(path, 0, $"{length * type.Size()} bytes",
                $"at most {Memory.Storage.MaxBytes} for a tensor; NpyDataset reads row by row");
    }
}
