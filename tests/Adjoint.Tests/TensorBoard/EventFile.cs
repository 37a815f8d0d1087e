using System.Buffers.Binary;
using Adjoint.TensorBoard.Format;

namespace Adjoint.Tests.TensorBoard;

/// <summary>Reads event files as TensorBoard does: up to the first record that is not whole.</summary>
internal static class EventFile
{
    internal static IReadOnlyList<Event> Read(string path) => [.. Records(path).Select(Event.Parser.ParseFrom)];

    internal static IReadOnlyList<byte[]> Records(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var data = new byte[file.Length];
        file.ReadExactly(data);
        var records = new List<byte[]>();
        var rest = data.AsSpan();
        while (rest.Length >= 16)
        {
            var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(rest);
            if (rest.Length < length + 16) break;
            Assert.Equal(Masked(rest[..8]), BinaryPrimitives.ReadUInt32LittleEndian(rest[8..]));
            var record = rest.Slice(12, length);
            Assert.Equal(Masked(record), BinaryPrimitives.ReadUInt32LittleEndian(rest[(12 + length)..]));
            records.Add(record.ToArray());
            rest = rest[(length + 16)..];
        }
        return records;
    }

    // A bit at a time.
    private static uint Masked(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var value in data)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) * 0x82F63B78);
        }
        crc = ~crc;
        return unchecked((crc >> 15 | crc << 17) + 0xA282EAD8);
    }
}
