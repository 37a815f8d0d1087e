using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;
using Adjoint.Data;
using Adjoint.Formats;

namespace Adjoint.Tests.Formats;

/// <summary>What is no image, damaged, too large or of another format is refused in one line.</summary>
public sealed class DamagedImageTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static readonly byte[] Signature = [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    [Theory]
    [InlineData("GIF89a\u0001\u0001", "is a GIF; PNG and JPEG are read: convert it to one of them")]
    [InlineData("RIFF\u0010\u0010\u0010\u0010WEBPVP8 ", "is a WebP;")]
    [InlineData("\0\0\0\u0018ftypheic\0\0", "is a HEIC;")]
    [InlineData("\0\0\0\u0018ftypmif1\0\0", "is a HEIC;")]
    [InlineData("\0\0\0\u0018ftypavif\0\0", "is an AVIF;")]
    [InlineData("\0\0\0\u0018ftypisom\0\0", "is a video,")]
    [InlineData("BM\u0010\u0010\0\0\0\0\0\0\u0036\0\0\0\0\0", "is a Windows bitmap (BMP);")]
    [InlineData("II*\0\0\0\0\0", "is a TIFF,")]
    [InlineData("8BPS\0\0", "is a Photoshop document;")]
    [InlineData("\r\n <!DOCTYPE html>", "perhaps a server's error page")]
    [InlineData("version https://git-lfs.github.com/spec/v1", "is a Git LFS pointer")]
    [InlineData("", "is empty; copy or download it again")]
    [InlineData("some text", "offset 0: found bytes 736F6D6520746578, expected the beginning of a PNG or a JPEG")]
    public void Other_formats_are_named(string contents, string expected) =>
        Refused(Encoding.Latin1.GetBytes(contents), expected);

    [Theory]
    [InlineData(20000, 5000)]
    [InlineData(int.MaxValue, int.MaxValue)]
    public void A_bomb_is_refused_by_its_header_before_memory_is_taken(int width, int height)
    {
        var bomb = Png(width, height, 8, 2, [0]);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Refused(bomb, $"has {width}×{height} pixels; at most 89478485 are read: make the image smaller, or raise "
            + "MaxPixels");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
    }

    [Fact]
    public void Pixels_that_the_file_is_too_short_to_hold_are_refused_before_memory_is_taken()
    {
        var bomb = Png(9000, 9000, 8, 6, [0]);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains("bytes of compressed pixels, which cannot hold 324009000, expected 9000×9000 pixels",
            Assert.Throws<DataFormatException>(() => ImageFile.Read(bomb, "x.png")).Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
    }

    [Fact]
    public void A_jpeg_that_the_file_is_too_short_to_hold_is_refused_before_memory_is_taken()
    {
        var bomb = ImageFileTests.Golden("jpeg-420").ToArray();
        var frame = bomb.AsSpan().IndexOf<byte>([0xFF, 0xC0, 0, 17, 8]);
        new byte[] { 0x20, 0, 0x20, 0 }.CopyTo(bomb, frame + 5);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains("which cannot hold 1048576 blocks of 8×8, expected 8192×8192 pixels",
            Assert.Throws<DataFormatException>(() => ImageFile.Read(bomb, "x.jpg")).Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
    }

    [Fact]
    public void A_table_with_more_codes_than_there_can_be_is_refused_at_once()
    {
        var damaged = ImageFileTests.Golden("jpeg-420-progressive").ToArray();
        // The last one, between the scans: three codes of one bit.
        damaged[damaged.AsSpan().LastIndexOf<byte>([0xFF, 0xC4]) + 5] = 3;
        Refused(damaged, "found an impossible Huffman table");
    }

    [Theory]
    [InlineData("jpeg-420")]
    [InlineData("jpeg-gray-progressive")]
    public void A_jpeg_beyond_the_limit_is_refused(string name) =>
        Assert.Contains("has 21×19 pixels; at most 398 are read", Assert.Throws<DataFormatException>(
            () => ImageFile.Read(ImageFileTests.Golden(name), name, new() { MaxPixels = 398 })).Message,
            StringComparison.Ordinal);

    [Theory]
    [InlineData("color-8")]
    [InlineData("own-palette-4-interlaced")]
    [InlineData("jpeg-420")]
    [InlineData("jpeg-420-progressive")]
    [InlineData("jpeg-gray")]
    public void A_truncated_file_is_refused_wherever_it_ends(string name)
    {
        var file = ImageFileTests.Golden(name);
        for (var length = 1; length < file.Length - 2; length++)
        {
            var error = Assert.Throws<DataFormatException>(() => ImageFile.Read(file[..length], name));
            Assert.StartsWith(name, error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', error.Message);
        }
    }

    [Fact]
    public void A_damaged_png_is_told_by_its_checksums()
    {
        var file = ImageFileTests.Golden("color-8");
        for (var at = 8; at < file.Length; at++)
        {
            var damaged = file.ToArray();
            damaged[at] ^= 4;
            Assert.Throws<DataFormatException>(() => ImageFile.Read(damaged, "x.png"));
        }
    }

    [Fact]
    public void Impossible_headers_and_chunks_of_a_png_are_refused()
    {
        Refused(Png(0, 3, 8, 2, [0]), "0×3 pixels");
        Refused(Png(3, 3, 3, 0, [0]), "color type 0 with 3 bits per sample");
        Refused(Png(3, 3, 16, 3, [0]), "color type 3 with 16 bits per sample");
        Refused(Png(3, 3, 8, 3, new byte[12]), "no palette (no chunk PLTE)");
        Refused(Png(3, 3, 8, 0, [7, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1]), "filter 7 in row 0");
        Refused(Png(3, 3, 8, 0, new byte[11]), "the end of the compressed pixels, expected 3×3 pixels");
        Refused(Png(3, 3, 8, 3, [0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0], ("PLTE", [1, 2, 3, 4, 5, 6])),
            "color 2 in row 0, expected one of the palette's 2");
        Refused(Png(3, 3, 8, 0, new byte[12], ("NEWc", [1])), "a chunk NEWc without which");
        Refused(Png(3, 3, 8, 0, new byte[12], ("tRNS", [1])), "a chunk tRNS of 1 bytes");
        Assert.Equal(new byte[9], ImageFile.Read(Png(3, 3, 8, 0, new byte[12], ("xtRa", [1])), "x").ToArray<byte>());
    }

    [Fact]
    public void The_name_decides_nothing_and_stands_in_the_message()
    {
        var path = Path.Combine(folder, "photo.jpg");
        File.WriteAllBytes(path, ImageFileTests.Golden("color-8"));
        Assert.Equal([3, 6, 11], ImageFile.Read(path).Shape.Sizes);
        Assert.Equal(ImageFormat.Png, ImageFile.Inspect(path).Format);
        File.WriteAllBytes(path, ImageFileTests.Golden("jpeg-420")[..400]);
        Assert.StartsWith(path, Assert.Throws<DataFormatException>(() => ImageFile.Read(path)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Wrong_options_are_refused()
    {
        var file = ImageFileTests.Golden("color-8");
        foreach (var options in (ImageReadOptions[])[new() { Channels = 2 }, new() { DType = DType.Int64 },
            new() { Background = double.NaN }, new() { MaxPixels = 0 }])
            Assert.StartsWith("ImageFile: ",
                Assert.Throws<AdjointException>(() => ImageFile.Read(file, "x", options)).Message,
                StringComparison.Ordinal);
    }

    private static void Refused(byte[] file, string expected)
    {
        var message = Assert.Throws<DataFormatException>(() => ImageFile.Read(file, "x.png")).Message;
        Assert.StartsWith("x.png", message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    internal static byte[] Png(int width, int height, byte depth, byte color, byte[] rows,
        params (string Type, byte[] Data)[] chunks)
    {
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = (depth, color);
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true)) zlib.Write(rows);
        return [.. Signature, .. Chunk("IHDR", header), .. chunks.SelectMany(one => Chunk(one.Type, one.Data)),
            .. Chunk("IDAT", packed.ToArray()), .. Chunk("IEND", [])];
    }

    private static byte[] Chunk(string type, byte[] data)
    {
        var result = new byte[data.Length + 12];
        BinaryPrimitives.WriteInt32BigEndian(result, data.Length);
        Encoding.ASCII.GetBytes(type).CopyTo(result, 4);
        data.CopyTo(result, 8);
        BinaryPrimitives.WriteUInt32BigEndian(result.AsSpan(data.Length + 8),
            Crc32.HashToUInt32(result.AsSpan(4, data.Length + 4)));
        return result;
    }
}
