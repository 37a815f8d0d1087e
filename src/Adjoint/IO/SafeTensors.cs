using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Adjoint.Data;

namespace Adjoint.IO;

/// <summary>
/// The safetensors format: 8 bytes little-endian header length, a JSON header (name → dtype, shape, data_offsets), then the elements, little-endian and
/// row-major. Files are untrusted: everything is checked before it is used. A file may carry a digest in its metadata, the SHA-256 of the whole file with zeros in the digest's place,
/// which is checked wherever it is found.
/// </summary>
public static class SafeTensors
{
    /// <summary>The name of the digest in the metadata.</summary>
    public const string DigestKey = "sha256";

    private const int MostHeader = 100 << 20;
    private static readonly string NoDigest = new('0', 2 * SHA256.HashSizeInBytes);

    /// <summary>Writes tensors, in order of their names, atomically.</summary>
    public static void Save(string path, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string>? metadata = null, bool digest = false)
    {
        var names = tensors.Keys.Order(StringComparer.Ordinal).ToArray();
        // First of all entries, so that its place is known: no other may come before it.
        if (digest) metadata = new[] { KeyValuePair.Create(DigestKey, NoDigest) }.Concat((metadata ?? new Dictionary<string, string>()).Where(entry => entry.Key != DigestKey)).ToDictionary();
        using var header = new MemoryStream();
        using (var json = new Utf8JsonWriter(header))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject("__metadata__");
                foreach (var (key, value) in metadata) json.WriteString(key, value);
                json.WriteEndObject();
            }
            long offset = 0;
            foreach (var name in names)
            {
                var tensor = tensors[name];
                json.WriteStartObject(name);
                json.WriteString("dtype", Code(tensor.DType));
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
        while (header.Length % 8 != 0) header.WriteByte((byte)' ');
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        byte[] head = [.. length, .. header.ToArray()];
        if (digest)
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            hash.AppendData(head);
            Elements(hash.AppendData);
            Encoding.ASCII.GetBytes(Convert.ToHexStringLower(hash.GetHashAndReset()), head.AsSpan(head.AsSpan().IndexOf(Encoding.ASCII.GetBytes(NoDigest))));
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
                var packed = CpuBackend.Packed(tensors[name]);
                write(packed.Storage.Bytes.Slice(packed.Offset * packed.DType.Size(), packed.Length * packed.DType.Size()));
                GC.KeepAlive(packed);
            }
        }
    }

    private delegate void Consume(ReadOnlySpan<byte> bytes);

    /// <summary>Reads all tensors.</summary>
    /// <exception cref="DataFormatException">The file is not what it should be.</exception>
    public static IReadOnlyDictionary<string, Tensor> Load(string path) => Load(path, out _);

    /// <summary>Reads all tensors, and the metadata.</summary>
    /// <exception cref="DataFormatException">The file is not what it should be.</exception>
    public static IReadOnlyDictionary<string, Tensor> Load(string path, out IReadOnlyDictionary<string, string> metadata)
    {
        using var stream = File.OpenRead(path);
        var length = new byte[8];
        if (stream.ReadAtLeast(length, 8, throwOnEndOfStream: false) < 8)
            throw new DataFormatException(path, 0, $"{stream.Length} bytes", "8 bytes of header length");
        var headerLength = BinaryPrimitives.ReadInt64LittleEndian(length);
        if (headerLength < 2 || headerLength > Math.Min(MostHeader, stream.Length - 8))
            throw new DataFormatException(path, 0, $"a header of {headerLength} bytes", $"2 to {Math.Min(MostHeader, stream.Length - 8)}");
        var header = new byte[headerLength];
        stream.ReadExactly(header);
        var tensors = new Dictionary<string, Tensor>();
        var notes = new Dictionary<string, string>();
        try
        {
            using var json = JsonDocument.Parse(header);
            foreach (var entry in json.RootElement.EnumerateObject())
                if (entry.Name == "__metadata__")
                    foreach (var note in entry.Value.EnumerateObject()) notes[note.Name] = note.Value.GetString() ?? "";
                else tensors[entry.Name] = ReadTensor(stream, path, 8 + headerLength, entry);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new DataFormatException(path, 8, $"a header that does not parse ({error.Message.TrimEnd('.')})", "the JSON object of a safetensors file");
        }
        if (notes.TryGetValue(DigestKey, out var digest)) Verify(stream, path, digest, [.. length, .. header]);
        metadata = notes;
        return tensors;
    }

    private static Tensor ReadTensor(FileStream stream, string path, long dataStart, JsonProperty entry)
    {
        var code = entry.Value.GetProperty("dtype").GetString();
        var dtype = code switch
        {
            "F32" => DType.Float32,
            "F64" => DType.Float64,
            "I64" => DType.Int64,
            "BOOL" => DType.Bool,
            _ => throw new DataFormatException(path, 8, $"dtype {code} of {entry.Name}", "F32, F64, I64 or BOOL"),
        };
        var sizes = entry.Value.GetProperty("shape").EnumerateArray().Select(size => size.GetInt32()).ToArray();
        var offsets = entry.Value.GetProperty("data_offsets").EnumerateArray().Select(offset => offset.GetInt64()).ToArray();
        long bytes = dtype.Size();
        foreach (var size in sizes)
            bytes = size < 0 || size > 0 && bytes > Array.MaxLength / size ? long.MaxValue / int.MaxValue : bytes * size;
        if (offsets.Length != 2 || offsets[0] < 0 || offsets[1] - offsets[0] != bytes || offsets[1] > stream.Length - dataStart)
            throw new DataFormatException(path, 8, $"data_offsets [{string.Join(", ", offsets)}] of {entry.Name}", $"a range of {bytes} bytes within the {stream.Length - dataStart} bytes of data");
        var tensor = Tensor.Empty(Shape.Create(sizes), dtype);
        stream.Position = dataStart + offsets[0];
        stream.ReadExactly(tensor.Storage.Bytes[..(int)bytes]);
        return tensor;
    }

    private static void Verify(FileStream stream, string path, string digest, byte[] head)
    {
        var at = digest.Length == NoDigest.Length ? head.AsSpan().IndexOf(Encoding.UTF8.GetBytes($"\"{DigestKey}\":\"{digest}\"")) : -1;
        if (at < 0) throw new DataFormatException(path, 8, $"a digest '{digest}'", $"{NoDigest.Length} hexadecimal digits");
        Encoding.ASCII.GetBytes(NoDigest, head.AsSpan(at + DigestKey.Length + 4));
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(head);
        stream.Position = head.Length;
        var buffer = new byte[1 << 20];
        for (int read; (read = stream.Read(buffer)) > 0;) hash.AppendData(buffer, 0, read);
        var found = Convert.ToHexStringLower(hash.GetHashAndReset());
        if (found != digest) throw new DataFormatException(path, 0, $"contents of digest {found[..12]}…", $"{digest[..12]}…, as written: the file is damaged");
    }

    private static string Code(DType dtype) => dtype switch { DType.Float32 => "F32", DType.Float64 => "F64", DType.Int64 => "I64", _ => "BOOL" };
}
