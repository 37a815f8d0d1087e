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
    public static TensorEntry Inspect(string path)
    {
        using var file = TensorFile.Open(path, stream => new NpyReader(stream, path));
        return file.Entries[0];
    }

    /// <summary>Reads an array into memory.</summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="convert">
    /// Whether a type that no tensor has is converted to the smallest that holds its values:
    /// <see cref="TensorEntry.ConvertsTo"/>.
    /// </param>
    /// <returns>The tensor, contiguous.</returns>
    /// <exception cref="DataFormatException">
    /// The file is damaged, the array has no numbers, or its type has to be converted.
    /// </exception>
    /// <exception cref="FileNotFoundException">There is nothing at that path.</exception>
    public static Tensor Load(string path, bool convert = false)
    {
        using var file = TensorFile.Open(path, stream => new NpyReader(stream, path));
        return file.LoadAll(convert).Values.Single();
    }

    internal static void Write(Stream stream, Tensor tensor)
    {
        stream.Write(NpyHeader.Write(tensor));
        var packed = tensor.Contiguous();
        stream.Write(packed.Storage.Bytes.Slice(packed.Offset * packed.DType.Size(),
            packed.Length * packed.DType.Size()));
        GC.KeepAlive(packed);
    }
}
