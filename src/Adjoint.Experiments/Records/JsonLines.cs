using System.Text.Json;
using Adjoint.Data;

namespace Adjoint.Experiments;

/// <summary>Reads files of one JSON object per line that another process may be writing.</summary>
internal static class JsonLines
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>
    /// Reads a file line by line; half a line at its end is left out. Nothing is read where there is no file.
    /// </summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="maxBytes">The largest length that is read.</param>
    /// <param name="expected">What each line should be, and the remedy where it is not.</param>
    /// <param name="read">Reads a line; what is missing or of another kind becomes an error of the file.</param>
    /// <exception cref="DataFormatException">
    /// The file is no regular one, may not be read or is longer, or one of its lines is damaged.
    /// </exception>
    internal static void Read(string path, int maxBytes, string expected, Action<JsonElement> read)
    {
        var bytes = ReadBytes(path, maxBytes);
        for (var from = 0; from < bytes.Length;)
        {
            var length = bytes.AsSpan(from).IndexOf((byte)'\n');
            var isWhole = length >= 0;
            if (!isWhole) length = bytes.Length - from;
            var line = bytes.AsMemory(from, length);
            if (!line.Span.Trim(" \r"u8).IsEmpty) Read(line, path, from, isWhole, expected, read);
            from += length + 1;
        }
    }

    private static void Read(
        ReadOnlyMemory<byte> line, string path, long offset, bool isWhole, string expected, Action<JsonElement> read)
    {
        try
        {
            using var json = JsonDocument.Parse(line, Strict);
            read(json.RootElement);
        }
        catch (JsonException) when (!isWhole)
        {
            // Its writer is in the middle of it, or was killed there.
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or KeyNotFoundException
            or FormatException or OverflowException)
        {
            throw new DataFormatException(path, offset, $"what does not parse ({error.Message.TrimEnd('.')})",
                expected);
        }
    }

    private static byte[] ReadBytes(string path, int maxBytes)
    {
        try
        {
            // The writer goes on writing, and may replace the file.
            using var file = RegularFile.Open(path, FileShare.ReadWrite | FileShare.Delete);
            if (file.Length > maxBytes)
                throw new DataFormatException(
                    path, maxBytes, $"a length of {file.Length} bytes", $"at most {maxBytes}");
            var bytes = new byte[file.Length];
            // One that was cut short meanwhile is read as it is now.
            Array.Resize(ref bytes, file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false));
            return bytes;
        }
        catch (FileNotFoundException)
        {
            return [];
        }
    }
}
