using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Adjoint.Data;

namespace Adjoint.IO;

/// <summary>
/// The safetensors format: 8 bytes little-endian header length, a JSON header (name → dtype, shape, data_offsets), then
/// the elements, little-endian and row-major. Files are untrusted: everything is checked before it is used, as in the
/// reference implementation. In addition, a header must begin with <c>{</c>, as the format says, and sizes above 2³¹ −
/// 1 are refused by name. F64, F32, F16, BF16, I64, I32, U8 and BOOL are loaded as they are; of the format's other
/// types, I8, I16 and U16 are converted to int32 on request, U32 and U64 to int64, F8_E4M3 and F8_E5M2 to float16,
/// F8_E8M0 to bfloat16; <see cref="Inspect(string)"/> lists them all. A file may carry a digest in its metadata, the
/// SHA-256 of the whole file with zeros in the digest's place, which is checked wherever it is found.
/// </summary>
public static class SafeTensors
{
    /// <summary>The key of the digest in the metadata.</summary>
    public const string DigestKey = "sha256";

    // JSON within the metadata stays readable.
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
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
        if (tensors.ContainsKey(SafeTensorsHeader.MetadataKey))
            throw new AdjointException(
                $"{path}: no tensor can be called {SafeTensorsHeader.MetadataKey}, which is the format's own; give it another name");
        foreach (var text in tensors.Keys.Concat(metadata?.Keys ?? []).Concat(metadata?.Values ?? []))
            if (!IsText(text))
                throw new AdjointException(
                    $"{path}: the name or metadata '{text}' is no valid Unicode; give it another");
        var names = tensors.Keys.OrderByDescending(name => tensors[name].DType.Size())
            .ThenBy(name => name, StringComparer.Ordinal).ToArray();
        // First of all entries, so that its place is known: no other may come before it.
        if (digest)
            metadata = new[] { KeyValuePair.Create(DigestKey, NoDigest) }.Concat(
                (metadata ?? new Dictionary<string, string>()).Where(entry => entry.Key != DigestKey)).ToDictionary();
        using var header = new MemoryStream();
        using (var json = new Utf8JsonWriter(header, Plain))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject(SafeTensorsHeader.MetadataKey);
                foreach (var (key, value) in metadata) json.WriteString(key, value);
                json.WriteEndObject();
            }
            long offset = 0;
            foreach (var name in names)
            {
                var tensor = tensors[name];
                json.WriteStartObject(name);
                json.WriteString("dtype", SafeTensorsType.Of(tensor.DType));
                json.WriteStartArray("shape");
                foreach (var size in tensor.Shape) json.WriteNumberValue(size);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += (long)tensor.Length * tensor.DType.Size());
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        if (header.Length > SafeTensorsHeader.MostBytes)
            throw new AdjointException(
                $"{path}: the names and metadata of {names.Length} tensors need a header of {header.Length} bytes; a "
                + $"file has at most {SafeTensorsHeader.MostBytes}");
        while (header.Length % 8 != 0) header.WriteByte((byte)' ');
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        byte[] head = [.. length, .. header.ToArray()];
        if (digest)
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            hash.AppendData(head);
            Elements(hash.AppendData);
            Encoding.ASCII.GetBytes(Convert.ToHexStringLower(hash.GetHashAndReset()),
                head.AsSpan(head.AsSpan().IndexOf(Encoding.ASCII.GetBytes(NoDigest))));
        }
        AtomicFile.Write(path, stream =>
        {
            stream.Write(head);
            Elements(stream.Write);
        });

        void Elements(Consume write)
        {
            foreach (var name in names)
            {
                var packed = tensors[name].Contiguous();
                write(packed.Storage.Bytes.Slice(packed.Offset * packed.DType.Size(),
                    packed.Length * packed.DType.Size()));
                GC.KeepAlive(packed);
            }
        }
    }

    private static bool IsText(string text)
    {
        for (var i = 0; i < text.Length; i++)
            if (char.IsSurrogate(text[i]) && (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[++i])))
                return false;
        return true;
    }

    private delegate void Consume(ReadOnlySpan<byte> bytes);

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
