namespace Adjoint.Data;

/// <summary>A file is not what it should be. The message names file, offset, what was found and what was expected.</summary>
public sealed class DataFormatException : AdjointException
{
    private const int MostLetters = 400;

    /// <summary>Builds the message.</summary>
    public DataFormatException(string file, long offset, string found, string expected)
        : base($"{file}, offset {offset}: found {Shorten(found)}, expected {Shorten(expected)}") { }

    /// <summary>With a message of its own.</summary>
    public DataFormatException(string message) : base(message) { }

    /// <summary>
    /// A text of a file as it can stand in a message: of a long one the beginning and the end, which say what it is and
    /// what to do about it.
    /// </summary>
    public static string Shorten(string text) =>
        text.Length <= MostLetters ? text : $"{text[..(MostLetters / 2)]}…{text[^(MostLetters / 2)..]}";
}
