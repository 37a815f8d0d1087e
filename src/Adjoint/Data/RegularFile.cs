namespace Adjoint.Data;

/// <summary>
/// Files that others name. What is no file (a folder, a pipe, a terminal, a device), may not be read, or has a name
/// that no file can have is refused at once, in one line; nothing waits for the other end of a pipe.
/// </summary>
public static class RegularFile
{
    /// <summary>Opens a file for reading; its length bounds what it holds.</summary>
    /// <exception cref="DataFormatException">It is no file, or may not be read.</exception>
    /// <exception cref="FileNotFoundException">There is nothing of that name.</exception>
    public static FileStream Open(string path)
    {
        if (path.Length == 0) throw new DataFormatException("the name of a file is empty; name a file");
        if (Directory.Exists(path)) throw new DataFormatException($"{path}: is a folder; name a file");
        try
        {
            if (Platform.IsPipeOrDevice(path)) throw new DataFormatException($"{path}: is a pipe or a device; name a file");
            return File.OpenRead(path);
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

    /// <summary>Reads a file whole.</summary>
    /// <param name="path">Which.</param>
    /// <param name="most">The most bytes that it may have; nothing is allocated for more.</param>
    /// <exception cref="DataFormatException">It is no file, may not be read, or is longer.</exception>
    /// <exception cref="FileNotFoundException">There is nothing of that name.</exception>
    public static byte[] ReadAllBytes(string path, long most)
    {
        using var file = Open(path);
        var length = file.Length;
        if (length > most) throw new DataFormatException(path, most, $"a length of {length} bytes", $"at most {most}");
        var bytes = new byte[length];
        var read = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return read == length ? bytes
            : throw new DataFormatException(path, read, "the end: the file became shorter while it was read",
            $"{length} bytes");
    }
}
