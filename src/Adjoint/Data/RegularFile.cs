namespace Adjoint.Data;

/// <summary>
/// Opens files whose names come from users. What is no regular file (a folder, a pipe, a terminal, a device), may not
/// be read, or has an impossible name is refused at once, with one line; nothing waits for the other end of a pipe.
/// </summary>
public static class RegularFile
{
    /// <summary>Opens a file for reading; its length bounds its contents.</summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="share">
    /// What others may do with the file meanwhile; <see cref="FileShare.ReadWrite"/> for one that grows.
    /// </param>
    /// <returns>The open file, to be disposed of.</returns>
    /// <exception cref="DataFormatException">It is no regular file, or may not be read.</exception>
    /// <exception cref="FileNotFoundException">There is nothing at that path.</exception>
    public static FileStream Open(string path, FileShare share = FileShare.Read)
    {
        if (path.Length == 0) throw new DataFormatException("the name of a file is empty; name a file");
        if (Directory.Exists(path)) throw new DataFormatException($"{path}: is a folder; name a file");
        try
        {
            if (Platform.IsPipeOrDevice(path))
                throw new DataFormatException($"{path}: is a pipe or a device; name a file");
            return new FileStream(path, FileMode.Open, FileAccess.Read, share);
        }
        catch (Exception error) when (error is DirectoryNotFoundException)
        {
            throw new FileNotFoundException(error.Message, path, error);
        }
        catch (Exception error) when (error is UnauthorizedAccessException)
        {
            throw new DataFormatException($"{path}: may not be read; give yourself the right to read it");
        }
        catch (Exception error) when (error is IOException and not FileNotFoundException or ArgumentException)
        {
            throw new DataFormatException($"{path}: cannot be opened: {error.Message.TrimEnd('.')}");
        }
    }

    /// <summary>Reads a whole file into memory.</summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="maxBytes">The largest length in bytes; nothing is allocated for more.</param>
    /// <returns>The contents of the file.</returns>
    /// <exception cref="DataFormatException">It is no regular file, may not be read, or is longer.</exception>
    /// <exception cref="FileNotFoundException">There is nothing at that path.</exception>
    public static byte[] ReadAllBytes(string path, long maxBytes)
    {
        using var file = Open(path);
        var length = file.Length;
        if (length > maxBytes)
            throw new DataFormatException(path, maxBytes, $"a length of {length} bytes", $"at most {maxBytes}");
        var bytes = new byte[length];
        var read = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return read == length ? bytes
            : throw new DataFormatException(path, read, "the end: the file became shorter while it was read",
            $"{length} bytes");
    }

    /// <summary>Reads bytes of an open file from an offset on; several threads may do so at once.</summary>
    /// <param name="file">The open file.</param>
    /// <param name="bytes">Where they are wanted: all of it is filled.</param>
    /// <param name="offset">Where they begin in the file.</param>
    /// <param name="path">The path of the file, for messages.</param>
    /// <exception cref="DataFormatException">The file ends before.</exception>
    internal static void ReadAt(FileStream file, Span<byte> bytes, long offset, string path)
    {
        while (bytes.Length > 0)
        {
            var read = RandomAccess.Read(file.SafeFileHandle, bytes, offset);
            if (read == 0)
                throw new DataFormatException(path, offset, "the end: it became shorter after it was opened",
                    $"{bytes.Length} more bytes; write or copy it again");
            bytes = bytes[read..];
            offset += read;
        }
    }
}
