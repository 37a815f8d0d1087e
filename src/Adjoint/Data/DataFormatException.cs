namespace Adjoint.Data;

/// <summary>A file is not what it should be. The message names file, offset, what was found and what was expected.</summary>
public sealed class DataFormatException : AdjointException
{
    /// <summary>Builds the message.</summary>
    public DataFormatException(string file, long offset, string found, string expected)
        : base($"{file}, offset {offset}: found {found}, expected {expected}") { }

    /// <summary>With a message of its own.</summary>
    public DataFormatException(string message) : base(message) { }
}
