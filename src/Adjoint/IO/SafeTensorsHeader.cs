using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Unicode;
using Adjoint.Data;

namespace Adjoint.IO;

/// <summary>
/// The header of a safetensors file: taken and refused as by the reference implementation, but for names that stand
/// twice, of which that one takes the last, and the format allows none.
/// </summary>
/// <param name="Entries">The tensors, in the order of their bytes.</param>
/// <param name="Metadata">The texts beside them, by key.</param>
/// <param name="DataOffset">Where the elements begin.</param>
internal sealed record SafeTensorsHeader(
    List<TensorEntry> Entries, Dictionary<string, string> Metadata, long DataOffset)
{
    /// <summary>The name that no tensor can have.</summary>
    internal const string MetadataKey = "__metadata__";

    /// <summary>What the reference implementation reads.</summary>
    internal const int MostBytes = 100_000_000;

    // The reference implementation's.
    private const int MostDepth = 127;

    /// <summary>Reads and checks the header of a file: every byte of the data belongs to one tensor.</summary>
    /// <exception cref="DataFormatException">It is damaged.</exception>
    internal static SafeTensorsHeader Read(FileStream stream, string path)
    {
        var length = new byte[8];
        if (stream.ReadAtLeast(length, 8, throwOnEndOfStream: false) < 8)
            throw new DataFormatException(path, 0, $"{stream.Length} bytes", "8 bytes of header length");
        var headerLength = BinaryPrimitives.ReadUInt64LittleEndian(length);
        var mostHeader = Math.Min(MostBytes, stream.Length - 8);
        if (headerLength < 2 || headerLength > (ulong)mostHeader)
            throw new DataFormatException(path, 0, $"a header of {headerLength} bytes", $"2 to {mostHeader}");
        var header = new byte[headerLength];
        RegularFile.ReadAt(stream, header, 8, path);
        if (!Utf8.IsValid(header))
            throw new DataFormatException(path, 8, "a header that is no UTF-8", "the JSON of a safetensors file");
        var dataOffset = 8 + header.Length;
        var (entries, metadata) = JsonFile.Parse(
            header, path, 8, "a header that", "the JSON object of a safetensors file",
            json => ReadMembers(json, path, dataOffset), MostDepth);
        // Only where everything fits is anything allocated.
        Order(entries, path, dataOffset, stream.Length);
        return new(entries, metadata, dataOffset);
    }

    private static (List<TensorEntry> Entries, Dictionary<string, string> Metadata) ReadMembers(
        JsonElement header, string path, long dataOffset)
    {
        var (entries, metadata) = (new List<TensorEntry>(), new Dictionary<string, string>());
        foreach (var member in header.EnumerateObject())
        {
            if (member.Name != MetadataKey) entries.Add(ReadEntry(path, member, dataOffset));
            else if (member.Value.ValueKind != JsonValueKind.Null)
                foreach (var note in member.Value.EnumerateObject())
                    metadata[note.Name] = note.Value.ValueKind == JsonValueKind.String
                        ? note.Value.GetString()!
                        : throw new DataFormatException(path, 8, $"{note.Value.ValueKind} as metadata {note.Name}",
                            "a text");
        }
        return (entries, metadata);
    }

    private static TensorEntry ReadEntry(string path, JsonProperty member, long dataOffset)
    {
        var name = member.Name;
        var code = FieldOf(member.Value, "dtype", 0).GetString();
        var type = SafeTensorsType.Named(code)
            ?? throw new DataFormatException(path, 8, $"dtype {code} of {name}", SafeTensorsType.Known);
        ulong[] sizes = [.. FieldOf(member.Value, "shape", 1).EnumerateArray().Select(size => size.GetUInt64())];
        if (sizes.Any(size => size > long.MaxValue))
            throw new DataFormatException(path, 8, $"size {sizes.Max()} of {name}", $"at most {long.MaxValue}");
        // In the order of the sizes: what overflows on the way is refused, even if a size of 0 comes later.
        var bits = (UInt128)1;
        foreach (var factor in sizes.Append((ulong)type.Bits))
            if ((bits *= factor) > ulong.MaxValue)
                throw new DataFormatException(path, 8, $"shape [{string.Join(", ", sizes)}] of {name}",
                    "one of fewer than 2⁶⁴ bits");
        if (bits % 8 != 0)
            throw new DataFormatException(path, 8, $"{bits} bits of {name}", "a whole number of bytes");
        ulong[] offsets = [.. FieldOf(member.Value, "data_offsets", 2).EnumerateArray()
            .Select(offset => offset.GetUInt64())];
        if (offsets.Length != 2 || offsets[0] > long.MaxValue - MostBytes - 8 || offsets[1] > long.MaxValue
            || offsets[1] - offsets[0] != (ulong)(bits / 8))
            throw new DataFormatException(path, 8, $"data_offsets [{string.Join(", ", offsets)}] of {name}",
                $"a range of {bits / 8} bytes, those of its shape and dtype");
        return new(name, code!, type, [.. sizes.Select(size => (long)size)], (long)bits / 8)
        {
            Offset = dataOffset + (long)offsets[0],
        };
    }

    // The reference implementation takes the three without their names, too.
    private static JsonElement FieldOf(JsonElement entry, string name, int place) =>
        entry.ValueKind == JsonValueKind.Array && entry.GetArrayLength() == 3 ? entry[place] : entry.GetProperty(name);

    // What a reader would make of bytes that belong to no tensor, or to two, nobody can say.
    private static void Order(List<TensorEntry> entries, string path, long dataOffset, long length)
    {
        entries.Sort((a, b) => (a.Offset, a.Bytes).CompareTo((b.Offset, b.Bytes)));
        var end = dataOffset;
        foreach (var entry in entries)
        {
            var (begin, next) = (entry.Offset - dataOffset, entry.Offset - dataOffset + entry.Bytes);
            if (entry.Offset != end)
                throw new DataFormatException(path, 8, $"data_offsets [{begin}, {next}] of {entry.Name}",
                    $"a range that begins at {end - dataOffset}, where the one before it ends");
            if (next > length - dataOffset)
                throw new DataFormatException(path, 8, $"data_offsets [{begin}, {next}] of {entry.Name}",
                    $"a range within the {length - dataOffset} bytes of data");
            end += entry.Bytes;
        }
        if (end != length)
            throw new DataFormatException(path, 8, $"{length - dataOffset} bytes of data",
                $"{end - dataOffset}, those of its tensors");
    }
}
