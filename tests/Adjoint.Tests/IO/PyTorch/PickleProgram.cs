using System.Buffers.Binary;
using System.Text;
using Adjoint.IO;

namespace Adjoint.Tests.IO;

/// <summary>Pickles by hand, and files that have them.</summary>
internal static class PickleProgram
{
    internal static readonly byte[] Start = [0x80, 2];

    internal static byte[] Text(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        return [(byte)'X', .. length, .. bytes];
    }

    internal static byte[] Number(long number)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, number);
        return [0x8a, 8, .. bytes];
    }

    internal static byte[] Tuple(params IEnumerable<byte[]> items) =>
        [(byte)'(', .. items.SelectMany(item => item), (byte)'t'];

    internal static byte[] Call(string module, string name, params IEnumerable<byte[]> arguments) =>
        [(byte)'c', .. Encoding.ASCII.GetBytes($"{module}\n{name}\n"), .. Tuple(arguments), (byte)'R'];

    internal static byte[] Storage(string key, long count, string type = "FloatStorage") =>
    [
        .. Tuple(Text("storage"), [(byte)'c', .. Encoding.ASCII.GetBytes($"torch\n{type}\n")], Text(key), Text("cpu"),
            Number(count)),
        (byte)'Q',
    ];

    internal static byte[] Tensor(long[] sizes, long[] strides, long offset = 0, long count = 4, string key = "0") =>
        Call("torch._utils", "_rebuild_tensor", Storage(key, count), Number(offset), Tuple(sizes.Select(Number)),
            Tuple(strides.Select(Number)));

    internal static byte[] Dictionary(params IEnumerable<(string Key, byte[] Value)> items) =>
    [
        (byte)'}', (byte)'(', .. items.SelectMany(item => (byte[])[.. Text(item.Key), .. item.Value]), (byte)'u',
    ];

    /// <summary>A whole program.</summary>
    internal static byte[] Whole(params IEnumerable<byte[]> parts) =>
        [.. Start, .. parts.SelectMany(part => part), (byte)'.'];

    /// <summary>A file of the zip format, with a storage of 4 numbers of float32.</summary>
    internal static byte[] Archive(byte[] program, params IEnumerable<(string Name, byte[] Bytes)> entries)
    {
        using var memory = new MemoryStream();
        var zip = new ZipWriter(memory);
        zip.Add("x/data.pkl", program);
        foreach (var (name, bytes) in entries) zip.Add("x/" + name, bytes);
        if (!entries.Any(entry => entry.Name == "version")) zip.Add("x/version", "3\n"u8);
        if (!entries.Any(entry => entry.Name == "data/0"))
            zip.Add("x/data/0", Convert.FromHexString("0000000000000080000080400000c03f"));
        zip.Finish();
        return memory.ToArray();
    }
}
