using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Adjoint.IO;

/// <summary>
/// What a safetensors file of some tensors consists of: the widest elements first, so that each tensor is aligned for
/// its type, then in order of their names.
/// </summary>
internal sealed class SafeTensorsContents
{
    // JSON within the metadata stays readable.
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly string path;
    private readonly IReadOnlyDictionary<string, Tensor> tensors;
    private readonly string[] names;
    private readonly byte[] head;

    /// <summary>Checks names and metadata, and makes the header.</summary>
    /// <exception cref="AdjointException">A name is reserved for the metadata, or is not valid text.</exception>
    internal SafeTensorsContents(string path, IReadOnlyDictionary<string, Tensor> tensors,
        IReadOnlyDictionary<string, string>? metadata, bool digest)
    {
        (this.path, this.tensors) = (path, tensors);
        if (tensors.ContainsKey(SafeTensorsHeader.MetadataKey))
            throw new AdjointException($"{path}: no tensor can be called {SafeTensorsHeader.MetadataKey}, which is the "
                + "format's own; give it another name");
        foreach (var text in tensors.Keys.Concat(metadata?.Keys ?? []).Concat(metadata?.Values ?? []))
            if (!IsText(text))
                throw new AdjointException(
                    $"{path}: the name or metadata '{text}' is no valid Unicode; give it another");
        names = [.. tensors.Keys.OrderByDescending(name => tensors[name].DType.Size())
            .ThenBy(name => name, StringComparer.Ordinal)];
        // First of all entries, so that its place is known: no other may come before it.
        if (digest)
            metadata = new[] { KeyValuePair.Create(SafeTensors.DigestKey, SafeTensors.NoDigest) }.Concat(
                (metadata ?? new Dictionary<string, string>()).Where(entry => entry.Key != SafeTensors.DigestKey))
                .ToDictionary();
        head = Head(metadata);
        if (digest) Sign();
    }

    /// <summary>The number of bytes that a tensor takes.</summary>
    internal static long BytesOf(Tensor tensor) => (long)tensor.Length * tensor.DType.Size();

    /// <summary>Writes header and elements.</summary>
    internal void WriteTo(Stream stream)
    {
        stream.Write(head);
        Elements(stream.Write);
    }

    private byte[] Head(IReadOnlyDictionary<string, string>? metadata)
    {
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
                json.WriteNumberValue(offset += BytesOf(tensor));
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
        return [.. length, .. header.ToArray()];
    }

    private void Sign()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(head);
        Elements(hash.AppendData);
        Encoding.ASCII.GetBytes(Convert.ToHexStringLower(hash.GetHashAndReset()),
            head.AsSpan(head.AsSpan().IndexOf(Encoding.ASCII.GetBytes(SafeTensors.NoDigest))));
    }

    private delegate void Consume(ReadOnlySpan<byte> bytes);

    private void Elements(Consume write)
    {
        foreach (var name in names)
        {
            var packed = tensors[name].Contiguous();
            write(packed.Storage.Bytes.Slice(packed.Offset * packed.DType.Size(),
                packed.Length * packed.DType.Size()));
            GC.KeepAlive(packed);
        }
    }

    internal static bool IsText(string text)
    {
        for (var i = 0; i < text.Length; i++)
            if (char.IsSurrogate(text[i]) && (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[++i])))
                return false;
        return true;
    }
}
