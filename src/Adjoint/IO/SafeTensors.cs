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

    private const string MetadataKey = "__metadata__";
    private const int MostHeader = 100 << 20;
    // JSON within the metadata stays readable.
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly string NoDigest = new('0', 2 * SHA256.HashSizeInBytes);

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
        if (tensors.ContainsKey(MetadataKey))
            throw new AdjointException(
                $"{path}: no tensor can be called {MetadataKey}, which is the format's own; give it another name");
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
                json.WriteStartObject(MetadataKey);
                foreach (var (key, value) in metadata) json.WriteString(key, value);
                json.WriteEndObject();
            }
            long offset = 0;
            foreach (var name in names)
            {
                var tensor = tensors[name];
                json.WriteStartObject(name);
                json.WriteString("dtype", SafeTensorsType.Of(tensor.DType).Code);
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
        if (header.Length > MostHeader - 8)
            throw new AdjointException(
                $"{path}: the names and metadata of {names.Length} tensors need a header of {header.Length} bytes; a "
                + $"file has at most {MostHeader}");
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
    public static IReadOnlyList<SafeTensorsEntry> Inspect(string path) => Inspect(path, out _);

    /// <summary>
    /// Lists the tensors of a file, in the order of their bytes, and its metadata; reads the header alone.
    /// </summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="metadata">The metadata of the file, by key.</param>
    /// <returns>Name, type and sizes of each tensor.</returns>
    /// <exception cref="DataFormatException">The header is damaged.</exception>
    public static IReadOnlyList<SafeTensorsEntry> Inspect(string path, out IReadOnlyDictionary<string, string> metadata)
    {
        using var stream = RegularFile.Open(path);
        var (entries, notes, _) = ReadHeader(stream, path, entry => entry);
        metadata = notes;
        return entries;
    }

    /// <summary>Reads all tensors of a file into memory.</summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="convert">
    /// Whether types that no tensor has are converted to the smallest that holds their values:
    /// <see cref="SafeTensorsEntry.ConvertsTo"/>.
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
    /// <see cref="SafeTensorsEntry.ConvertsTo"/>.
    /// </param>
    /// <returns>The tensors, by name.</returns>
    /// <exception cref="DataFormatException">
    /// The file is damaged, or a tensor's type has to be converted, or cannot be.
    /// </exception>
    public static IReadOnlyDictionary<string, Tensor> Load(
        string path, out IReadOnlyDictionary<string, string> metadata, bool convert = false)
    {
        using var stream = RegularFile.Open(path);
        var (entries, notes, head) = ReadHeader(stream, path, entry => Loadable(entry, path, convert));
        var tensors = new Dictionary<string, Tensor>();
        foreach (var entry in entries)
        {
            stream.Position = head.Length + entry.Begin;
            tensors[entry.Name] = Read(stream, entry, path);
        }
        if (notes.TryGetValue(DigestKey, out var digest)) Verify(stream, path, digest, head);
        metadata = notes;
        return tensors;
    }

    private static Tensor Read(FileStream stream, SafeTensorsEntry entry, string path)
    {
        var tensor = Tensor.Empty(Array.ConvertAll([.. entry.Sizes], size => (int)size), entry.ConvertsTo!.Value);
        if (entry.DType is null)
        {
            var bytes = new byte[entry.Bytes];
            stream.ReadExactly(bytes);
            entry.Stored.Convert(bytes, tensor, path, entry.Name);
            return tensor;
        }
        var elements = tensor.Storage.Bytes[..(int)entry.Bytes];
        stream.ReadExactly(elements);
        // Any other byte means true too, but not to those who compute with it.
        if (entry.DType == DType.Bool)
            foreach (ref var element in elements) element = element == 0 ? (byte)0 : (byte)1;
        return tensor;
    }

    // Before anything is allocated, and whether or not its bytes are there.
    private static SafeTensorsEntry Loadable(SafeTensorsEntry entry, string path, bool convert)
    {
        var (name, code) = (entry.Name, entry.Type);
        if (entry.ConvertsTo is not { } type)
            throw new DataFormatException(path, 8, $"dtype {code} of {name}",
                $"{SafeTensorsType.Loaded}; no element type holds {code}, so this tensor can only be inspected");
        if (entry.DType is null && !convert)
            throw new DataFormatException(path, 8, $"dtype {code} of {name}",
                $"{SafeTensorsType.Loaded}; SafeTensors.Load(path, convert: true) makes {code} {type.Label()}");
        if (entry.Sizes.Any(size => size > int.MaxValue))
            throw new DataFormatException(path, 8, $"size {entry.Sizes.Max()} of {name}", $"at most {int.MaxValue}");
        var bytes = (Int128)entry.Bytes * 8 / entry.Stored.Bits * type.Size();
        if (bytes > Array.MaxLength)
            throw new DataFormatException(path, 8, $"{bytes} bytes of {name}",
                $"at most {Array.MaxLength} for a tensor");
        return entry;
    }

    private static (List<SafeTensorsEntry> Entries, Dictionary<string, string> Notes, byte[] Head) ReadHeader(
        FileStream stream, string path, Func<SafeTensorsEntry, SafeTensorsEntry> check)
    {
        var length = new byte[8];
        if (stream.ReadAtLeast(length, 8, throwOnEndOfStream: false) < 8)
            throw new DataFormatException(path, 0, $"{stream.Length} bytes", "8 bytes of header length");
        var headerLength = BinaryPrimitives.ReadUInt64LittleEndian(length);
        var mostHeader = Math.Min(MostHeader, stream.Length - 8);
        if (headerLength < 2 || headerLength > (ulong)mostHeader)
            throw new DataFormatException(path, 0, $"a header of {headerLength} bytes", $"2 to {mostHeader}");
        var header = new byte[headerLength];
        stream.ReadExactly(header);
        if (header[0] != '{')
            throw new DataFormatException(path, 8, $"a header that begins with byte 0x{header[0]:x2}", "{");
        var (entries, notes) = JsonFile.Parse(
            header, path, 8, "a header that", "the JSON object of a safetensors file",
            json => ReadMembers(json, path, check));
        // Only where everything fits is anything allocated.
        Order(entries, path, stream.Length - 8 - header.Length);
        return (entries, notes, [.. length, .. header]);
    }

    private static (List<SafeTensorsEntry> Entries, Dictionary<string, string> Notes) ReadMembers(
        JsonElement header, string path, Func<SafeTensorsEntry, SafeTensorsEntry> check)
    {
        var (entries, notes) = (new List<SafeTensorsEntry>(), new Dictionary<string, string>());
        foreach (var member in header.EnumerateObject())
            if (member.Name != MetadataKey) entries.Add(check(ReadEntry(path, member)));
            else
                foreach (var note in member.Value.EnumerateObject())
                    notes[note.Name] = note.Value.ValueKind == JsonValueKind.String
                        ? note.Value.GetString()!
                        : throw new DataFormatException(path, 8, $"{note.Value.ValueKind} as metadata {note.Name}",
                            "a text");
        return (entries, notes);
    }

    private static SafeTensorsEntry ReadEntry(string path, JsonProperty member)
    {
        var name = member.Name;
        var code = member.Value.GetProperty("dtype").GetString();
        var type = SafeTensorsType.Named(code)
            ?? throw new DataFormatException(path, 8, $"dtype {code} of {name}", SafeTensorsType.Known);
        ulong[] sizes = [.. member.Value.GetProperty("shape").EnumerateArray().Select(size => size.GetUInt64())];
        if (sizes.Any(size => size > long.MaxValue))
            throw new DataFormatException(path, 8, $"size {sizes.Max()} of {name}", $"at most {long.MaxValue}");
        var bits = (UInt128)type.Bits;
        foreach (var size in sizes.Order()) bits = checked(bits * size);
        if (bits % 8 != 0)
            throw new DataFormatException(path, 8, $"{bits} bits of {name}", "a whole number of bytes");
        var bytes = checked((ulong)(bits / 8));
        ulong[] offsets = [.. member.Value.GetProperty("data_offsets").EnumerateArray()
            .Select(offset => offset.GetUInt64())];
        if (offsets.Length != 2 || offsets[0] > long.MaxValue || offsets[1] > long.MaxValue
            || offsets[1] - offsets[0] != bytes)
            throw new DataFormatException(path, 8, $"data_offsets [{string.Join(", ", offsets)}] of {name}",
                $"a range of {bytes} bytes, those of its shape and dtype");
        return new(name, type, [.. sizes.Select(size => (long)size)], (long)offsets[0], (long)offsets[1]);
    }

    // Every byte of the data belongs to one tensor: what a reader would make of others, nobody can say.
    private static void Order(List<SafeTensorsEntry> entries, string path, long length)
    {
        entries.Sort((a, b) => (a.Begin, a.End).CompareTo((b.Begin, b.End)));
        var end = 0L;
        foreach (var entry in entries)
        {
            var (name, begin, next) = (entry.Name, entry.Begin, entry.End);
            if (begin != end)
                throw new DataFormatException(path, 8, $"data_offsets [{begin}, {next}] of {name}",
                $"a range that begins at {end}, where the one before it ends");
            if (next > length)
                throw new DataFormatException(path, 8, $"data_offsets [{begin}, {next}] of {name}",
                $"a range within the {length} bytes of data");
            end = next;
        }
        if (end != length)
            throw new DataFormatException(path, 8, $"{length} bytes of data", $"{end}, those of its tensors");
    }

    private static void Verify(FileStream stream, string path, string digest, byte[] head)
    {
        var at = digest.Length == NoDigest.Length
            ? head.AsSpan().IndexOf(Encoding.UTF8.GetBytes($"\"{DigestKey}\":\"{digest}\""))
            : -1;
        if (at < 0)
            throw new DataFormatException(path, 8, $"a digest '{digest}'", $"{NoDigest.Length} hexadecimal digits");
        Encoding.ASCII.GetBytes(NoDigest, head.AsSpan(at + DigestKey.Length + 4));
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(head);
        stream.Position = head.Length;
        var buffer = new byte[1 << 20];
        for (int read; (read = stream.Read(buffer)) > 0;) hash.AppendData(buffer, 0, read);
        var found = Convert.ToHexStringLower(hash.GetHashAndReset());
        if (found != digest)
            throw new DataFormatException(path, 0, $"contents of digest {found[..12]}…",
                    $"{digest[..12]}…, as written: the file is damaged");
    }
}
