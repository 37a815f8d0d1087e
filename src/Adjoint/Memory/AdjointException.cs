namespace Adjoint;

/// <summary>A rule of the library was broken. The message names the operation, the rule, what was found and expected, and a remedy.</summary>
public class AdjointException : Exception
{
    /// <summary>Creates the exception with its message.</summary>
    public AdjointException(string message) : base(message) { }

    /// <summary>Creates the exception with its message and cause.</summary>
    public AdjointException(string message, Exception inner) : base(message, inner) { }
}
