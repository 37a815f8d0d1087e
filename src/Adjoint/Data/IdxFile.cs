using System.Buffers.Binary;

namespace Adjoint.Data;

/// <summary>
/// IDX files of unsigned bytes, gzip or plain (LeCun, Cortes, Burges: the MNIST database): magic 00 00 08 d, then d
/// big-endian sizes, then the bytes. Files are untrusted: nothing is allocated for a size that the file cannot hold.
/// </summary>
public static class IdxFile
{
    // Deflate cannot shrink by more than 1032 to 1.
    private const long MaxExpansion = 1032;

    /// <summary>Reads a file with the given number of axes.</summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="rank">The number of axes that it must have.</param>
    /// <returns>The sizes of the axes, and the bytes in row-major order.</returns>
    /// <exception cref="DataFormatException">
    /// The magic number is wrong, the sizes are impossible, the file is too short or too long, its gzip data is broken,
    /// or it is a folder, a pipe or a device.
    /// </exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static (int[] Sizes, byte[] Values) Read(string path, int rank)
    {
        using var file = RegularFile.Open(path);
        var compressed = file.ReadByte() == 0x1f && file.ReadByte() == 0x8b;
        file.Position = 0;
        try
        {
            using Stream stream = compressed ? new GzipFile(file) : file;
            return Read(stream, path, rank, (compressed ? file.Length * MaxExpansion : file.Length) - 4 - 4 * rank);
        }
        catch (InvalidDataException error)
        {
            throw new DataFormatException(path, file.Position, $"broken gzip data ({error.Message.TrimEnd('.')})",
                "an intact gzip file; fetch it again");
        }
    }

    private static (int[] Sizes, byte[] Values) Read(Stream stream, string path, int rank, long mostValues)
    {
        var header = new byte[4 + 4 * rank];
        var read = stream.ReadAtLeast(header, header.Length, throwOnEndOfStream: false);
        if (read < header.Length)
            throw new DataFormatException(path, read, $"the end after {read} bytes",
                $"a header of {header.Length} bytes");
        var magic = BinaryPrimitives.ReadUInt32BigEndian(header);
        if (magic != 0x0800 + (uint)rank)
            throw new DataFormatException(path, 0, $"magic {magic:x8}",
                $"{0x0800 + rank:x8} (unsigned bytes, {rank} axes)");
        var sizes = new int[rank];
        long length = 1;
        for (var axis = 0; axis < rank; axis++)
        {
            var size = BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(4 + 4 * axis));
            // After an axis without elements the file bounds no other, but a size still must be one.
            var most = length == 0 ? int.MaxValue : Math.Min(int.MaxValue, Math.Max(0, mostValues) / length);
            if (size > most)
                throw new DataFormatException(path, 4 + 4 * axis, $"size {size} of axis {axis}",
                    $"at most {most}, what the file can hold");
            (sizes[axis], length) = ((int)size, length * size);
        }
        if (length > Array.MaxLength)
            throw new DataFormatException(path, 4, $"{length} values", $"at most {Array.MaxLength}");
        var values = ReadValues(stream, path, header.Length, length);
        if (stream.ReadByte() >= 0)
            throw new DataFormatException(path, header.Length + length, "more data",
                $"the end: the header declares {length} values");
        return (sizes, values);
    }

    // Grows with what really arrives, so that a header which lies about a compressed file costs nothing.
    private static byte[] ReadValues(Stream stream, string path, int start, long length)
    {
        var values = new byte[Math.Min(length, 1 << 20)];
        var filled = 0;
        while (filled < length)
        {
            if (filled == values.Length) Array.Resize(ref values, (int)Math.Min(length, 2L * values.Length));
            var got = stream.Read(values, filled, values.Length - filled);
            if (got == 0)
                throw new DataFormatException(path, start + filled, $"the end after {filled} values",
                    $"{length} values, as the header declares");
            filled += got;
        }
        return values;
    }
}
