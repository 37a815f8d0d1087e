namespace Adjoint.Cli;

/// <summary>The command line is wrong: one line, exit code 2.</summary>
internal sealed class UsageException(string message) : Exception(message)
{
    /// <summary>The error of a value that is none of the allowed ones, with the nearest of them.</summary>
    internal static UsageException OneOf(string option, string found, IReadOnlyList<string> allowed) =>
        new($"{option}: '{found}' is none of {string.Join(", ", allowed)}{Suggestion.For(found, allowed)}");
}
