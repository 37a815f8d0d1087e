namespace Adjoint.Data;

/// <summary>
/// A file is missing, damaged or of another format. The message names file, offset, what was found and what was
/// expected.
/// </summary>
public sealed class DataFormatException : AdjointException
{
    private const int MaxLetters = 400;

    /// <summary>Creates the exception with a message of its parts.</summary>
    /// <param name="file">The path of the file.</param>
    /// <param name="offset">Where in the file, in bytes.</param>
    /// <param name="found">What was found there.</param>
    /// <param name="expected">What was expected there.</param>
    public DataFormatException(string file, long offset, string found, string expected)
        : base($"{file}, offset {offset}: found {Abbreviate(found)}, expected {Abbreviate(expected)}") { }

    /// <summary>Creates the exception with a message of its own.</summary>
    /// <param name="message">The file, found, expected, remedy.</param>
    public DataFormatException(string message) : base(message) { }

    /// <summary>
    /// Makes a text from a file fit for a message of one line: of a long one the beginning and the end stay, and
    /// control characters become their numbers, <c>\u001b</c>.
    /// </summary>
    /// <param name="text">The text, of any length.</param>
    /// <returns>The text, or its beginning and end.</returns>
    public static string Abbreviate(string text)
    {
        var few = text.Length <= MaxLetters ? text : $"{text[..(MaxLetters / 2)]}…{text[^(MaxLetters / 2)..]}";
        return few.Any(char.IsControl)
            ? string.Concat(few.Select(sign => char.IsControl(sign) ? $"\\u{(int)sign:x4}" : sign.ToString()))
            : few;
    }
}
