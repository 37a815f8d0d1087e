using System.Text;
using System.Text.Json;
using Adjoint.Data;

namespace Adjoint.IO;

/// <summary>
/// JSON files that somebody may have edited or cut: what cannot be read is one clear error, whatever is wrong with it.
/// A name that is there twice is an error too.
/// </summary>
public static class JsonFile
{
    /// <summary>The most bytes of a file: far more than any of ours, far less than memory.</summary>
    public const int MostBytes = 1 << 28;

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>Reads a file.</summary>
    /// <param name="path">Which.</param>
    /// <param name="expected">What it should be, and the remedy where it is not: ends the message.</param>
    /// <param name="read">
    /// Takes what is wanted out of the root; what it misses, or finds of another kind, is an error of the file.
    /// </param>
    /// <exception cref="DataFormatException">The file is no such JSON, or cannot be read.</exception>
    /// <exception cref="FileNotFoundException">There is nothing of that name.</exception>
    public static T Read<T>(string path, string expected, Func<JsonElement, T> read) =>
        Parse(RegularFile.ReadAllBytes(path, MostBytes), path, 0, "what", expected, read);

    /// <summary>
    /// The same with bytes of a file that were read already, from an offset on, and the subject of "does not parse".
    /// </summary>
    internal static T Parse<T>(
        ReadOnlyMemory<byte> bytes, string path, long offset, string subject, string expected, Func<JsonElement,
            T> read)
    {
        // Editors of Windows put a byte-order mark before the text; formats that know none begin later in the file.
        if (offset == 0 && bytes.Span.StartsWith(Encoding.UTF8.Preamble))
            bytes = bytes[Encoding.UTF8.Preamble.Length..];
        try
        {
            using var json = JsonDocument.Parse(bytes, Strict);
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
