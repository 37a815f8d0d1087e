using System.Text;
using System.Text.Json;
using Adjoint.Data;

namespace Adjoint.IO;

/// <summary>
/// Reads JSON files that may have been edited or cut short: whatever is wrong gives one clear error. A duplicate name
/// is an error too.
/// </summary>
public static class JsonFile
{
    /// <summary>
    /// The largest file that is read, in bytes: far more than the library writes, far less than memory.
    /// </summary>
    public const int MaxBytes = 1 << 28;

    /// <summary>Reads a value from a JSON file.</summary>
    /// <typeparam name="T">The type of the value.</typeparam>
    /// <param name="path">The path of the file.</param>
    /// <param name="expected">What the file should be, and the remedy where it is not: the end of the message.</param>
    /// <param name="read">
    /// Reads the value from the root element; what is missing or of another kind becomes an error of the file.
    /// </param>
    /// <returns>What <paramref name="read"/> returned.</returns>
    /// <exception cref="DataFormatException">The file is not such JSON, or cannot be read.</exception>
    /// <exception cref="FileNotFoundException">There is nothing at that path.</exception>
    public static T Read<T>(string path, string expected, Func<JsonElement, T> read) =>
        Parse(RegularFile.ReadAllBytes(path, MaxBytes), path, 0, "what", expected, read);

    /// <summary>
    /// The same with bytes of a file that were read already, from an offset on, and the subject of "does not parse".
    /// </summary>
    internal static T Parse<T>(
        ReadOnlyMemory<byte> bytes, string path, long offset, string subject, string expected,
        Func<JsonElement, T> read, int maxDepth = 64)
    {
        // Editors of Windows put a byte-order mark before the text; formats that know none begin later in the file.
        if (offset == 0 && bytes.Span.StartsWith(Encoding.UTF8.Preamble))
            bytes = bytes[Encoding.UTF8.Preamble.Length..];
        try
        {
            using var json = JsonDocument.Parse(
                bytes, new() { AllowDuplicateProperties = false, MaxDepth = maxDepth });
            return read(json.RootElement);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or KeyNotFoundException
            or FormatException or OverflowException)
        {
            var found = $"{subject} does not parse ({error.Message.TrimEnd('.')})";
            throw new DataFormatException(path, offset, found, expected);
        }
    }
}
