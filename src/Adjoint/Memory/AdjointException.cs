namespace Adjoint;

/// <summary>
/// A rule of the library was broken. The message names the operation, the rule, what was found and what was expected,
/// and a remedy.
/// </summary>
public class AdjointException : Exception
{
    private object? outermost;
    private string? layer, path;

    /// <summary>Creates the exception with its message.</summary>
    /// <param name="message">The operation, the rule, found, expected, remedy.</param>
    public AdjointException(string message) : base(message) { }

    /// <summary>Creates the exception with its message and cause.</summary>
    /// <param name="message">The operation, the rule, found, expected, remedy.</param>
    /// <param name="inner">The exception that caused this one.</param>
    public AdjointException(string message, Exception inner) : base(message, inner) { }

    /// <inheritdoc/>
    public override string Message => path is null ? base.Message : $"layer {path} ({layer}): {base.Message}";

    /// <summary>
    /// Notes a layer that the exception leaves, innermost first, so that the message can say where in the model it
    /// arose.
    /// </summary>
    /// <param name="module">The layer.</param>
    /// <param name="text">How it describes itself.</param>
    /// <param name="nameOf">The name of a part of it, null for what is none.</param>
    internal void PassThrough(object module, string text, Func<object, string?> nameOf)
    {
        if (outermost is null) layer = text;
        else if (nameOf(outermost) is { } name) path = path is null ? name : $"{name}.{path}";
        outermost = module;
    }
}
