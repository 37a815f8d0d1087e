using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.IO.Hashing;
using Adjoint.Data;
using Adjoint.Formats;
using Adjoint.Nn;
using Adjoint.Optim;

namespace Adjoint.Bench;

/// <summary>
/// Do folders of small PNG files starve training? What is opened, decoded, and read again from memory in a second,
/// beside what LeNet-5 trains on, and how long an epoch of both waits.
/// </summary>
internal static class ImageFolderReport
{
    private const int Side = 28;

    internal static int Run(string[] arguments)
    {
        var count = arguments.Length > 0 ? int.Parse(arguments[0], CultureInfo.InvariantCulture) : 60_000;
        var folder = Directory.CreateTempSubdirectory("adjoint-images-").FullName;
        try
        {
            Write(folder, count);
            var start = Stopwatch.GetTimestamp();
            var data = ImageFolder.Open(folder);
            Say("open: names and headers", count, start);
            var uncached = ImageFolder.Open(folder, new() { CacheBytes = 0 });
            Pass("decode", Loader(uncached, []));
            Pass("decode, crop and flip, 2 workers", Loader(uncached, ["crop2", "flip"]));
            Pass("decode into memory", Loader(data, []));
            Pass("from memory", Loader(data, []));
            Pass("from memory, crop and flip", Loader(data, ["crop2", "flip"]));
            Pass("from memory, rotate", Loader(data, ["rotate"]));
            Train("train LeNet-5 while decoding, crop and flip", Loader(uncached, ["crop2", "flip"]));
            Train("train LeNet-5 from memory, crop and flip", Loader(data, ["crop2", "flip"]));
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static DataLoader Loader(ImageFolder data, string[] names) => new(data, 50, new()
    {
        Shuffle = true,
        Seed = 1,
        Workers = names.Length > 0 ? 2 : 1,
        Prefetch = 4,
        Transforms = names.Select(name => Transform.All.Single(entry => entry.Name == name).Create()),
    });

    private static void Pass(string what, DataLoader loader)
    {
        var start = Stopwatch.GetTimestamp();
        foreach (var _ in loader) { }
        Say(what, loader.Dataset.Count, start);
    }

    private static void Train(string what, DataLoader loader)
    {
        var model = ModelZoo.All.Single(entry => entry.Name == "lenet5").Create(1, 10, new Generator(1), null);
        var step = CapturedFunction.Create(Workloads.StepOf(model, new Sgd(model.Parameters(), 0.001, momentum: 0.9)));
        var start = Stopwatch.GetTimestamp();
        foreach (var (x, y) in loader) step.Run(x, y);
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Say($"{what}, {loader.WaitTime.TotalSeconds / seconds:P1} of it waiting", loader.Dataset.Count, start);
    }

    private static void Say(string what, int count, long start)
    {
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{what}: {count / seconds:N0} images/s, {seconds:0.00} s for {count:N0}"));
    }

    // Strokes on black, as digits and clothes are: about as well packed.
    private static void Write(string folder, int count)
    {
        var random = new Random(1);
        for (var k = 0; k < 10; k++) Directory.CreateDirectory(Path.Combine(folder, $"{k}"));
        for (var i = 0; i < count; i++)
        {
            var rows = new byte[Side * (Side + 1)];
            for (var stroke = 0; stroke < 3; stroke++)
            {
                var (x, y, dx, dy) = (random.Next(6, 22), random.Next(6, 22), random.Next(-1, 2), random.Next(-1, 2));
                for (var t = 0; t < 12; t++, x += dx, y += dy)
                    for (var w = 0; w < 6; w++)
                        rows[Math.Clamp(y, 0, 27) * (Side + 1) + 1 + Math.Clamp(x + w % 3, 0, 27)] =
                            (byte)random.Next(100, 256);
            }
            File.WriteAllBytes(Path.Combine(folder, $"{i % 10}", $"{i:00000}.png"), Png(rows));
        }
    }

    private static byte[] Png(byte[] rows)
    {
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true)) zlib.Write(rows);
        return [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A,
            .. Chunk("IHDR"u8, [0, 0, 0, Side, 0, 0, 0, Side, 8, 0, 0, 0, 0]), .. Chunk("IDAT"u8, packed.ToArray()),
            .. Chunk("IEND"u8, [])];
    }

    private static byte[] Chunk(ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        byte[] result = [0, 0, 0, 0, .. type, .. data, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32BigEndian(result, data.Length);
        BinaryPrimitives.WriteUInt32BigEndian(result.AsSpan(data.Length + 8),
            Crc32.HashToUInt32(result.AsSpan()[4..^4]));
        return result;
    }
}
