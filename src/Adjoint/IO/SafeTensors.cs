using System.Security.Cryptography;
using Adjoint.Data;

namespace Adjoint.IO;

/// <summary>
/// The safetensors format: 8 bytes little-endian header length, a JSON header (name → dtype, shape, data_offsets), then
/// the elements, little-endian and row-major. Files are untrusted: everything is checked before it is used, as in the
/// reference implementation; in addition, a name that stands twice is refused. F64, F32, F16, BF16, I64, I32, U8 and
/// BOOL are loaded as they are; of the format's other types, I8, I16 and U16 are converted to int32 on request, U32 and
/// U64 to int64, F8_E4M3, F8_E5M2 and their FNUZ kinds and F4 to float16, F8_E8M0 to bfloat16; F6_E2M3, F6_E3M2 and C64
/// are listed. A file may carry a digest in its metadata, the SHA-256 of the whole file with zeros in the digest's
/// place, which is checked wherever all tensors of the file are read. <see cref="TensorFile"/> reads single tensors.
/// </summary>
public static class SafeTensors
{
    /// <summary>The key of the digest in the metadata.</summary>
    public const string DigestKey = "sha256";

    /// <summary>What stands in the digest's place while it is computed.</summary>
    internal static readonly string NoDigest = new('0', 2 * SHA256.HashSizeInBytes);

    /// <summary>
    /// Writes tensors to a file, atomically: the widest elements first, so that each tensor is aligned for its type,
    /// then in order of their names.
    /// </summary>
    /// <param name="path">The path of the file, which is replaced if it exists.</param>
    /// <param name="tensors">The tensors to write, by name.</param>
    /// <param name="metadata">Texts to write along, by key; null: none.</param>
    /// <param name="digest">Whether to add a digest, which is checked when the file is read.</param>
    /// <exception cref="AdjointException">A name is reserved for the metadata, or is not valid text.</exception>
    /// <exception cref="IOException">The disk is full, or the folder may not be written to.</exception>
    public static void Save(string path, IReadOnlyDictionary<string, Tensor> tensors,
        IReadOnlyDictionary<string, string>? metadata = null, bool digest = false)
    {
        var contents = new SafeTensorsContents(path, tensors, metadata, digest);
        AtomicFile.Write(path, contents.WriteTo);
    }

    /// <summary>
    /// Writes tensors to several files, shards, and an index that names the shard of each: what Hugging Face's
    /// libraries read, and <see cref="TensorFile.Open(string)"/>. The shards are filled in the order of the tensors.
    /// Where one file is enough, it is written without an index. Nothing is replaced before all is written: what was
    /// saved under this name before stays until then, and goes then.
    /// </summary>
    /// <param name="path">
    /// A folder, which is made where there is none, for the files <c>model-00001-of-00003.safetensors</c>, … and
    /// <c>model.safetensors.index.json</c>; or the path of a file, <c>folder/NAME.safetensors</c>, for
    /// <c>NAME-00001-of-00003.safetensors</c>, ….
    /// </param>
    /// <param name="tensors">The tensors to write, by name.</param>
    /// <param name="maxShardBytes">
    /// The most bytes of elements in one file, 1 or more; a tensor that has more gets a file of its own.
    /// </param>
    /// <param name="metadata">Texts to write along in each file, by key; null: none.</param>
    /// <returns>The path of the index, or of the one file.</returns>
    /// <exception cref="AdjointException">
    /// A name is reserved for the metadata, or is not valid text, or <paramref name="maxShardBytes"/> is below 1.
    /// </exception>
    /// <exception cref="IOException">The disk is full, or the folder may not be written to.</exception>
    public static string SaveShards(string path, IReadOnlyDictionary<string, Tensor> tensors,
        long maxShardBytes = 5_000_000_000, IReadOnlyDictionary<string, string>? metadata = null) =>
        ShardWriter.Write(path, tensors, maxShardBytes, metadata);

    /// <summary>Lists the tensors of a file, in the order of their bytes; reads the header alone.</summary>
    /// <param name="path">The path of the file.</param>
    /// <returns>Name, type and sizes of each tensor.</returns>
    /// <exception cref="DataFormatException">The header is damaged.</exception>
    public static IReadOnlyList<TensorEntry> Inspect(string path) => Inspect(path, out _);

    /// <summary>
    /// Lists the tensors of a file, in the order of their bytes, and its metadata; reads the header alone.
    /// </summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="metadata">The metadata of the file, by key.</param>
    /// <returns>Name, type and sizes of each tensor.</returns>
    /// <exception cref="DataFormatException">The header is damaged.</exception>
    public static IReadOnlyList<TensorEntry> Inspect(string path, out IReadOnlyDictionary<string, string> metadata)
    {
        using var file = TensorFile.Open(path, stream => new SafeTensorsReader(stream, path));
        metadata = file.Metadata;
        return file.Entries;
    }

    /// <summary>Reads all tensors of a file into memory.</summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="convert">
    /// Whether types that no tensor has are converted to the smallest that holds their values:
    /// <see cref="TensorEntry.ConvertsTo"/>.
    /// </param>
    /// <returns>The tensors, by name.</returns>
    /// <exception cref="DataFormatException">
    /// The file is damaged, or a tensor's type has to be converted, or cannot be.
    /// </exception>
    public static IReadOnlyDictionary<string, Tensor> Load(string path, bool convert = false) =>
        Load(path, out _, convert);

    /// <summary>Reads all tensors of a file into memory, and its metadata.</summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="metadata">The metadata of the file, by key.</param>
    /// <param name="convert">
    /// Whether types that no tensor has are converted to the smallest that holds their values:
    /// <see cref="TensorEntry.ConvertsTo"/>.
    /// </param>
    /// <returns>The tensors, by name.</returns>
    /// <exception cref="DataFormatException">
    /// The file is damaged, or a tensor's type has to be converted, or cannot be.
    /// </exception>
    public static IReadOnlyDictionary<string, Tensor> Load(
        string path, out IReadOnlyDictionary<string, string> metadata, bool convert = false)
    {
        using var file = TensorFile.Open(path, stream => new SafeTensorsReader(stream, path));
        metadata = file.Metadata;
        return file.LoadAll(convert);
    }
}
