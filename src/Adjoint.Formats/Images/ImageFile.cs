using System.Buffers.Binary;
using Adjoint.Data;
using Adjoint.IO;
using Adjoint.Shared;

namespace Adjoint.Formats;

/// <summary>
/// Reads images: PNG of every kind, and JPEG (baseline and progressive; gray, color, CMYK). The contents decide the
/// format, not the name. Photographs are turned as their EXIF orientation asks; transparency is composited on white.
/// </summary>
public static class ImageFile
{
    /// <summary>The endings of files that are taken for images, in lower case.</summary>
    public static IReadOnlyList<string> Extensions { get; } = [".png", ".jpg", ".jpeg", ".jpe", ".jfif"];

    /// <summary>Reads an image.</summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="options">Channels, type and limits; null: the defaults.</param>
    /// <returns>The pixels (channels, height, width), uint8 from 0 to 255 or float32 from 0 to 1.</returns>
    /// <exception cref="DataFormatException">
    /// The file is no image, damaged, of a format that is not read, or has too many pixels.
    /// </exception>
    /// <exception cref="FileNotFoundException">There is nothing at that path.</exception>
    public static Tensor Read(string path, ImageReadOptions? options = null) =>
        Read(RegularFile.ReadAllBytes(path, int.MaxValue), path, options);

    /// <summary>Reads an image from memory.</summary>
    /// <param name="bytes">The contents of an image file.</param>
    /// <param name="name">What to call it in messages.</param>
    /// <param name="options">Channels, type and limits; null: the defaults.</param>
    /// <returns>The pixels (channels, height, width), uint8 from 0 to 255 or float32 from 0 to 1.</returns>
    /// <exception cref="DataFormatException">
    /// It is no image, damaged, of a format that is not read, or has too many pixels.
    /// </exception>
    public static Tensor Read(byte[] bytes, string name, ImageReadOptions? options = null)
    {
        options ??= new();
        options.Check();
        if (options.DType == DType.UInt8)
        {
            var (pixels, channels, height, width) = Bytes(bytes, name, options);
            return Tensor.From(pixels, channels, height, width);
        }
        if (FormatOf(bytes, name) == ImageFormat.Png && PngHeader.Read(bytes, name) is { Depth: 16 } header)
        {
            var (pixels, channels, height, width) = Words(bytes, header, name, options);
            return Tensor.From([.. pixels.Select(value => value / 65535f)], channels, height, width);
        }
        var image = Bytes(bytes, name, options);
        return Tensor.From([.. image.Pixels.Select(value => value / 255f)], image.Channels, image.Height, image.Width);
    }

    /// <summary>Reads what the header of an image file says, without decoding the pixels.</summary>
    /// <param name="path">The path of the file.</param>
    /// <returns>Format, size, channels and orientation.</returns>
    /// <exception cref="DataFormatException">
    /// The file is no image, damaged, or of a format that is not read.
    /// </exception>
    /// <exception cref="FileNotFoundException">There is nothing at that path.</exception>
    public static ImageInfo Inspect(string path)
    {
        using var file = RegularFile.Open(path);
        // A photograph's metadata may be long: read more until the header ends.
        for (var length = 4096L; ; length *= 16)
        {
            var isWhole = length >= file.Length;
            var bytes = new byte[Math.Min(length, file.Length)];
            file.Position = 0;
            var read = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (read < bytes.Length)
                throw new DataFormatException(path, read, "the end: the file became shorter while it was read",
                    $"{bytes.Length} bytes");
            if (Inspect(bytes, path, isWhole) is { } info) return info;
        }
    }

    /// <summary>
    /// Reads a mask, a PNG whose gray values, or whose palette's numbers, are the classes of the pixels.
    /// </summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="maxPixels">The most pixels that the mask may have.</param>
    /// <returns>The numbers (height, width), int64, as the file has them.</returns>
    /// <exception cref="DataFormatException">
    /// The file is no PNG with one number per pixel, damaged, or has too many pixels.
    /// </exception>
    /// <exception cref="FileNotFoundException">There is nothing at that path.</exception>
    public static Tensor ReadMask(string path, long maxPixels = (1L << 30) / 4 / 3)
    {
        var mask = Mask(path, maxPixels);
        return Tensor.From([.. mask.Samples.Select(value => (long)value)], mask.Height, mask.Width);
    }

    /// <summary>Writes an image as a PNG with 8 bits a channel, whole or not at all.</summary>
    /// <param name="path">The path of the file, by convention ending in .png; replaced if it exists.</param>
    /// <param name="pixels">
    /// Pixels (channels, height, width) of one channel (gray) or three (color): uint8, or floating-point numbers from 0
    /// to 1, which are rounded to the nearest of 256 levels; what is outside becomes black or white, NaN black.
    /// </param>
    /// <exception cref="AdjointException">The tensor is no image.</exception>
    /// <exception cref="IOException">The disk is full, or the folder may not be written to.</exception>
    public static void Write(string path, Tensor pixels)
    {
        if (pixels.Rank != 3 || pixels.Shape[0] is not (1 or 3) || pixels.Length == 0
            || !(pixels.DType == DType.UInt8 || pixels.DType.IsFloating()))
            throw new AdjointException(
                $"ImageFile.Write: pixels (1, h, w) or (3, h, w), of type uint8 or floating-point numbers from 0 to 1, "
                + $"are needed: found {pixels.Shape} {pixels.DType.Label()}");
        var (channels, height, width) = (pixels.Shape[0], pixels.Shape[1], pixels.Shape[2]);
        var rows = pixels.Detach().Permute(1, 2, 0).Contiguous();
        byte[] bytes = rows.DType == DType.UInt8
            ? rows.ToArray<byte>()
            : [.. rows.To(DType.Float32).ToArray<float>().Select(Level)];
        AtomicFile.Write(path, stream => stream.Write(PngImage.Encode(width, height, channels, bytes)));

        // Math.Clamp passes NaN on, and its cast would depend on the machine.
        static byte Level(float value) =>
            float.IsNaN(value) ? (byte)0 : (byte)MathF.Round(Math.Clamp(value, 0, 1) * 255);
    }

    /// <summary>The numbers of a mask.</summary>
    internal static Raster<ushort> Mask(string path, long maxPixels)
    {
        var bytes = RegularFile.ReadAllBytes(path, int.MaxValue);
        if (FormatOf(bytes, path) != ImageFormat.Png)
            throw new DataFormatException($"{path}: is a JPEG, whose compression changes the classes of a mask; save "
                + "masks as gray or palette PNG");
        var header = PngHeader.Read(bytes, path);
        if (header.Samples != 1)
            throw new DataFormatException($"{path}: has {header.Samples} samples per pixel; a mask has one, the class: "
                + "save it as a gray or palette PNG");
        CheckSize(header.Width, header.Height, maxPixels, path);
        var (pixels, orientation) = PngReader.DecodeNumbers(bytes, header, path);
        return pixels.Oriented(orientation);
    }

    /// <summary>Decodes an image to planes of bytes.</summary>
    internal static (byte[] Pixels, int Channels, int Height, int Width) Bytes(byte[] bytes, string name,
        ImageReadOptions options)
    {
        Raster<byte> image;
        if (FormatOf(bytes, name) == ImageFormat.Png)
        {
            var header = PngHeader.Read(bytes, name);
            if (header.Depth == 16)
            {
                var (words, channels, height, width) = Words(bytes, header, name, options);
                return ([.. words.Select(value => (byte)((value * 255 + 32767) / 65535))], channels, height, width);
            }
            CheckSize(header.Width, header.Height, options.MaxPixels, name);
            var (pixels, orientation) = PngReader.Decode8(bytes, header, name);
            image = pixels.Oriented(orientation);
        }
        else
        {
            var header = JpegHeader.Read(bytes, name, isWhole: true)!;
            CheckSize(header.Width, header.Height, options.MaxPixels, name);
            image = JpegReader.Decode(bytes, header, name).Oriented(header.Orientation);
        }
        var wanted = options.Channels ?? (image.Channels >= 3 ? 3 : 1);
        var planes = image.Channels == 1 && wanted == 1 ? image.Samples : image.Planes(wanted, options.Background);
        return (planes, wanted, image.Height, image.Width);
    }

    private static (ushort[] Pixels, int Channels, int Height, int Width) Words(byte[] bytes, PngHeader header,
        string name, ImageReadOptions options)
    {
        CheckSize(header.Width, header.Height, options.MaxPixels, name);
        var (pixels, orientation) = PngReader.Decode16(bytes, header, name);
        var image = pixels.Oriented(orientation);
        var wanted = options.Channels ?? (image.Channels >= 3 ? 3 : 1);
        return (image.Planes(wanted, options.Background), wanted, image.Height, image.Width);
    }

    private static ImageInfo? Inspect(byte[] bytes, string name, bool isWhole)
    {
        if (FormatOf(bytes, name) == ImageFormat.Png)
        {
            var png = PngHeader.Read(bytes, name);
            var turned = PngReader.FindOrientation(bytes);
            if (turned is null && !isWhole) return null;
            return Info(ImageFormat.Png, png.Width, png.Height, png.HasColor ? 3 : 1,
                png.Color is PngColor.GrayAlpha or PngColor.Rgba, png.Depth, turned ?? 1);
        }
        return JpegHeader.Read(bytes, name, isWhole) is { } jpeg
            ? Info(ImageFormat.Jpeg, jpeg.Width, jpeg.Height, jpeg.Sampling.Length == 1 ? 1 : 3, false, 8,
                jpeg.Orientation)
            : null;

        static ImageInfo Info(ImageFormat format, int width, int height, int channels, bool hasAlpha, int depth,
            int orientation)
        {
            if (orientation >= 5) (width, height) = (height, width);
            return new(format, width, height, channels, hasAlpha, depth, orientation);
        }
    }

    private static void CheckSize(int width, int height, long maxPixels, string name)
    {
        // What an array of four samples per pixel can hold.
        var most = Math.Min(maxPixels, Array.MaxLength / 4);
        if ((long)width * height > most)
            throw new DataFormatException($"{name}: has {width}×{height} pixels; at most {most} are read: make the "
                + $"image smaller{(most == maxPixels ? ", or raise MaxPixels" : "")}");
    }

    private static ImageFormat FormatOf(ReadOnlySpan<byte> bytes, string name)
    {
        if (bytes.StartsWith(PngHeader.Signature)) return ImageFormat.Png;
        if (bytes.StartsWith<byte>([0xFF, 0xD8, 0xFF])) return ImageFormat.Jpeg;
        if (bytes.Length == 0)
            throw new DataFormatException($"{name}: is empty; copy or download it again");
        throw OtherFormat(bytes) is { } other
            ? new DataFormatException($"{name}: is {other}; PNG and JPEG are read: convert it to one of them")
            : new DataFormatException(name, 0, $"bytes {Convert.ToHexString(bytes[..Math.Min(8, bytes.Length)])}",
                "the beginning of a PNG or a JPEG; the file is no image, or damaged");
    }

    private static string? OtherFormat(ReadOnlySpan<byte> bytes)
    {
        if (bytes.StartsWith("GIF8"u8)) return "a GIF";
        if (bytes.StartsWith("BM"u8) && bytes.Length > 14
            && BinaryPrimitives.ReadUInt32LittleEndian(bytes[10..]) < 4096)
            return "a Windows bitmap (BMP)";
        if (bytes.StartsWith("II*\0"u8) || bytes.StartsWith("MM\0*"u8)) return "a TIFF, or a camera's raw file";
        if (bytes.StartsWith("8BPS"u8)) return "a Photoshop document";
        if (bytes.StartsWith<byte>([0, 0, 1, 0])) return "a Windows icon";
        if (bytes.StartsWith<byte>([0xFF, 0x0A]) || bytes.Length > 8 && bytes[4..8].SequenceEqual("JXL "u8))
            return "a JPEG XL";
        if (bytes.Length >= 12 && bytes.StartsWith("RIFF"u8) && bytes[8..12].SequenceEqual("WEBP"u8)) return "a WebP";
        if (bytes.Length >= 12 && bytes[4..8].SequenceEqual("ftyp"u8))
            return bytes[8..12].StartsWith("avi"u8) ? "an AVIF" : bytes[8..10].SequenceEqual("he"u8)
                || bytes[8..11].SequenceEqual("mif"u8) ? "a HEIC" : "a video, or another file of the MP4 family";
        var text = bytes.TrimStart(" \t\r\n\uFEFF"u8);
        if (text.StartsWith("<"u8)) return "a text in HTML, XML or SVG, perhaps a server's error page";
        return text.StartsWith("version https://git-lfs"u8) ? "a Git LFS pointer, not the file itself (git lfs pull "
            + "brings it)" : null;
    }
}
