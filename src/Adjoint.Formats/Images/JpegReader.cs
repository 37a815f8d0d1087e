using Adjoint.Data;
using JpegLibrary;

namespace Adjoint.Formats;

/// <summary>
/// Decodes JPEG: the coefficients with JpegLibrary; colors, and the interpolation of subsampled components, as libjpeg
/// defines them, whose values Pillow and torchvision give.
/// </summary>
internal static class JpegReader
{
    /// <summary>Decodes a file.</summary>
    internal static Raster<byte> Decode(byte[] file, JpegHeader header, string name)
    {
        // A progressive file that ends after one of its scans looks complete, but for the end marker (EOI); among the
        // pixels, 0xFF is followed by 0.
        if (file.AsSpan(header.ScanStart).IndexOf([(byte)0xFF, (byte)0xD9]) < 0)
            throw JpegHeader.Truncated(name, file.Length);
        // Before memory and time are taken for them.
        if (header.Blocks > 8L * (file.Length - header.ScanStart))
            throw new DataFormatException(name, header.ScanStart,
                $"{file.Length - header.ScanStart} bytes of pixels, which cannot hold {header.Blocks} blocks of 8×8",
                $"{header.Width}×{header.Height} pixels; the file is truncated or damaged: copy or download it again");
        JpegTables.Check(file, name);
        var planes = new Planes(header);
        try
        {
            var decoder = new JpegDecoder();
            decoder.SetInput(file);
            decoder.Identify();
            if (decoder.Width != header.Width || decoder.Height != header.Height
                || decoder.NumberOfComponents != header.Sampling.Length)
                throw new InvalidDataException("two different frame headers");
            decoder.SetOutputWriter(planes);
            decoder.Decode();
        }
        // The decoder trusts what it reads: a missing table is a null reference, a factor of 0 a division by zero.
        catch (Exception error) when (error is InvalidDataException or InvalidOperationException or ArgumentException
            or NullReferenceException or ArithmeticException or IndexOutOfRangeException or NotSupportedException)
        {
            // JpegLibrary asks for one marker too many where a scan ends at a restart.
            throw new DataFormatException($"{name}: the pixels of the JPEG cannot be decoded "
                + $"({error.Message.TrimEnd('.')}); the file " + (header.HasProgressiveRestarts
                ? "is progressive with restart markers, or damaged: save it anew without them"
                : "is truncated or damaged: copy or download it again"));
        }
        return ToColor(planes, header);
    }

    private static Raster<byte> ToColor(Planes planes, JpegHeader header)
    {
        var (width, height, count) = (header.Width, header.Height, header.Sampling.Length);
        var channels = count == 1 ? 1 : 3;
        var result = new byte[width * height * channels];
        var rows = new byte[count][];
        for (var c = 0; c < count; c++) rows[c] = new byte[planes.FullWidth];
        for (var y = 0; y < height; y++)
        {
            for (var c = 0; c < count; c++) planes.Row(c, y, rows[c]);
            var to = result.AsSpan(y * width * channels, width * channels);
            if (header.Color == JpegColor.Gray)
            {
                rows[0].AsSpan(0, width).CopyTo(to);
                continue;
            }
            var isLuma = header.Color is JpegColor.YCbCr or JpegColor.Ycck;
            for (var x = 0; x < width; x++)
            {
                var (red, green, blue) = (rows[0][x], rows[1][x], rows[2][x]);
                if (isLuma) (red, green, blue) = Rgb(red, green, blue);
                if (count == 4)
                {
                    var key = rows[3][x];
                    if (isLuma) (red, green, blue) = ((byte)~red, (byte)~green, (byte)~blue);
                    (red, green, blue) = (Times(red, key), Times(green, key), Times(blue, key));
                }
                (to[3 * x], to[3 * x + 1], to[3 * x + 2]) = (red, green, blue);
            }
        }
        return new(width, height, channels, result);
    }

    // ITU-R BT.601, in 1/65536.
    private static (byte, byte, byte) Rgb(byte y, byte cb, byte cr)
    {
        var (blue, red) = (cb - 128, cr - 128);
        return (Clamp(y + ((91881 * red + 32768) >> 16)), Clamp(y + ((-22554 * blue - 46802 * red + 32768) >> 16)),
            Clamp(y + ((116130 * blue + 32768) >> 16)));
    }

    private static byte Clamp(int value) => (byte)Math.Clamp(value, 0, 255);

    private static byte Times(byte a, byte b) => (byte)((a * b + 127) / 255);

    /// <summary>The components, each at its own resolution.</summary>
    private sealed class Planes : JpegBlockOutputWriter
    {
        private readonly (int Horizontal, int Vertical)[] factors;
        private readonly (int Width, int Height)[] sizes;
        private readonly byte[][] samples;
        private readonly int[] mixed;

        internal Planes(JpegHeader header)
        {
            var (most, mostVertical) = (header.MaxHorizontal, header.MaxVertical);
            factors = [.. header.Sampling.Select(own => (most / own.Horizontal, mostVertical / own.Vertical))];
            sizes = [.. factors.Select(factor => ((header.Width + factor.Horizontal - 1) / factor.Horizontal,
                (header.Height + factor.Vertical - 1) / factor.Vertical))];
            samples = [.. sizes.Select(size => new byte[size.Width * size.Height])];
            FullWidth = factors.Zip(sizes).Max(pair => pair.First.Horizontal * pair.Second.Width);
            mixed = new int[FullWidth];
        }

        /// <summary>The width of a row with what its last samples cover beyond the image.</summary>
        internal int FullWidth { get; }

        /// <summary>Takes a block of 8×8: of a subsampled component, each sample comes repeated.</summary>
        public override void WriteBlock(ref short blockRef, int componentIndex, int x, int y)
        {
            var block = System.Runtime.InteropServices.MemoryMarshal.CreateReadOnlySpan(ref blockRef, 64);
            var ((across, down), (width, height), to) =
                (factors[componentIndex], sizes[componentIndex], samples[componentIndex]);
            for (var row = (down - y % down) % down; row < 8 && (y + row) / down < height; row += down)
                for (var column = (across - x % across) % across; column < 8 && (x + column) / across < width;
                    column += across)
                    to[(y + row) / down * width + (x + column) / across] = Clamp(block[row * 8 + column]);
        }

        /// <summary>
        /// A row of a component at full resolution. Halved ones are interpolated linearly, ¾ and ¼ of the two nearest
        /// samples ("fancy upsampling" of libjpeg); others are repeated.
        /// </summary>
        internal void Row(int component, int y, byte[] to)
        {
            var ((across, down), (width, height), from) = (factors[component], sizes[component], samples[component]);
            var near = from.AsSpan(y / down * width, width);
            if (across is not (1 or 2) || down is not (1 or 2))
            {
                for (var x = 0; x < width * across; x++) to[x] = near[x / across];
                return;
            }
            if (across == 1 && down == 1)
            {
                near.CopyTo(to);
                return;
            }
            var isUpper = y % 2 == 0;
            var far = from.AsSpan(Math.Clamp(y / 2 + (isUpper ? -1 : 1), 0, height - 1) * width, width);
            if (across == 1)
            {
                for (var x = 0; x < width; x++) to[x] = (byte)((3 * near[x] + far[x] + (isUpper ? 1 : 2)) >> 2);
                return;
            }
            // In quarters, then in sixteenths; roundings alternate, so that no brightness is won or lost.
            var (shift, even, odd) = down == 2 ? (4, 8, 7) : (2, 1, 2);
            for (var x = 0; x < width; x++) mixed[x] = down == 2 ? 3 * near[x] + far[x] : near[x];
            for (var x = 0; x < width; x++)
            {
                var (before, after) = (mixed[Math.Max(0, x - 1)], mixed[Math.Min(width - 1, x + 1)]);
                to[2 * x] = (byte)((3 * mixed[x] + before + even) >> shift);
                to[2 * x + 1] = (byte)((3 * mixed[x] + after + odd) >> shift);
            }
        }
    }
}
