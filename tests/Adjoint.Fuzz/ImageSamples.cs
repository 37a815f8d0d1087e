using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text.Json;
using Adjoint.Formats;

namespace Adjoint.Fuzz;

/// <summary>Image files of every kind: those whose pixels the tests compare with Pillow's.</summary>
internal static class ImageSamples
{
    private static readonly Lazy<byte[][]> All = new(() => [.. JsonDocument
        .Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "image_files.json"))).RootElement
        .EnumerateArray().Select(entry => entry.GetProperty("file").GetBytesFromBase64())]);

    internal static byte[][] Pngs => [.. All.Value.Where(file => file[0] == 0x89)];

    internal static byte[][] Jpegs => [.. All.Value.Where(file => file[0] == 0xFF)];

    /// <summary>Every way to read an image: what the one refuses, the others may not.</summary>
    internal static void Read(string path)
    {
        var refused = new List<AdjointException>();
        Try(() => ImageFile.Inspect(path));
        Try(() => ImageFile.ReadMask(path, maxPixels: 1 << 20));
        foreach (var type in (DType[])[DType.UInt8, DType.Float32])
            Try(() => ImageFile.Read(path, new() { MaxPixels = 1 << 20, DType = type, Channels = 3 }));
        // A color image is no mask.
        if (refused.Count > 1) throw refused[^1];

        void Try(Action read)
        {
            try
            {
                read();
            }
            catch (AdjointException error)
            {
                refused.Add(error);
            }
        }
    }

    /// <summary>The same chunks with right checksums, so that what is damaged in them is read.</summary>
    internal static byte[] WithChecksums(byte[] file)
    {
        for (long at = 8; at + 12 <= file.Length;)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan((int)at));
            if (at + 12 + length > file.Length) break;
            BinaryPrimitives.WriteUInt32BigEndian(file.AsSpan((int)(at + 8 + length)),
                Crc32.HashToUInt32(file.AsSpan((int)at + 4, (int)length + 4)));
            at += 12 + length;
        }
        return file;
    }
}
