using System.IO.Compression;
using Adjoint.Data;

namespace Adjoint.IO;

/// <summary>
/// NumPy's format of several arrays, <c>.npz</c>: a zip archive of <see cref="NpyFile"/>s, as <c>numpy.savez</c> and
/// <c>numpy.savez_compressed</c> write it. Archives are untrusted: every entry's checksum is checked, and what unpacks
/// to more bytes than the given limit (a zip bomb) is refused before it is unpacked.
/// </summary>
public static class NpzFile
{
    /// <summary>How many bytes the arrays of an archive may have in all, unless the caller says more: 4 GiB.</summary>
    public const long MaxBytes = ZipDirectory.MaxBytes;

    /// <summary>What the name of an array ends with in the archive.</summary>
    internal const string Suffix = ".npy";

    // The zip format begins here, and NumPy writes it always: the same tensors give the same bytes.
    private static readonly DateTimeOffset Epoch = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Writes tensors to an archive, atomically, in order of their names.</summary>
    /// <param name="path">The path of the file, which is replaced if it exists.</param>
    /// <param name="tensors">The tensors to write, by name.</param>
    /// <param name="compress">Whether to compress them (Deflate), as <c>numpy.savez_compressed</c> does.</param>
    /// <exception cref="AdjointException">A name is empty.</exception>
    /// <exception cref="IOException">The disk is full, or the folder may not be written to.</exception>
    public static void Save(string path, IReadOnlyDictionary<string, Tensor> tensors, bool compress = false)
    {
        if (tensors.ContainsKey(""))
            throw new AdjointException($"{path}: the name of a tensor is empty; give it a name");
        AtomicFile.Write(path, stream =>
        {
            using var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
            foreach (var (name, tensor) in tensors.OrderBy(tensor => tensor.Key, StringComparer.Ordinal))
            {
                var entry = archive.CreateEntry(name + Suffix,
                    compress ? CompressionLevel.Optimal : CompressionLevel.NoCompression);
                entry.LastWriteTime = Epoch;
                using var content = entry.Open();
                NpyFile.Write(content, tensor);
            }
        });
    }

    /// <summary>Lists the arrays of an archive, in its order; reads their headers alone.</summary>
    /// <param name="path">The path of the file.</param>
    /// <returns>Name, type and sizes of each array.</returns>
    /// <exception cref="DataFormatException">
    /// It is no archive of arrays, is damaged, or an array has no numbers.
    /// </exception>
    /// <exception cref="FileNotFoundException">There is nothing at that path.</exception>
    public static IReadOnlyList<TensorEntry> Inspect(string path)
    {
        using var file = TensorFile.Open(path, stream => NpzReader.Open(stream, path));
        return file.Entries;
    }

    /// <summary>Reads all arrays of an archive into memory.</summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="convert">
    /// Whether types that no tensor has are converted to the smallest that holds their values:
    /// <see cref="TensorEntry.ConvertsTo"/>.
    /// </param>
    /// <param name="maxBytes">What the arrays may have in bytes, together, once unpacked.</param>
    /// <returns>The tensors, by name.</returns>
    /// <exception cref="DataFormatException">
    /// It is no archive of arrays, is damaged, unpacks to more than <paramref name="maxBytes"/>, or an array has no
    /// numbers or a type that has to be converted.
    /// </exception>
    /// <exception cref="FileNotFoundException">There is nothing at that path.</exception>
    public static IReadOnlyDictionary<string, Tensor> Load(
        string path, bool convert = false, long maxBytes = MaxBytes)
    {
        using var file = TensorFile.Open(path, stream => NpzReader.Open(stream, path, maxBytes));
        return file.LoadAll(convert);
    }
}
