namespace Adjoint.Data;

/// <summary>Quotes words for the shell commands that messages and files suggest.</summary>
public static class ShellWord
{
    // What means nothing to any shell, beside letters and digits.
    private const string Plain = "-_./:=,+@";

    /// <summary>Quotes a text so that a shell takes it for one word.</summary>
    /// <param name="text">The word, of any characters.</param>
    /// <returns>The text itself, or in quotes where it has blanks or special characters.</returns>
    public static string Quote(string text) => Quote(text, Platform.HasWindowsShell);

    /// <summary>As <see cref="Quote(string)"/>, for cmd.exe and PowerShell or for sh.</summary>
    internal static string Quote(string text, bool hasWindowsShell) =>
        text.Length > 0 && text.All(letter => IsPlain(letter, hasWindowsShell)) ? text
        : hasWindowsShell ? $"\"{text}\""
        : $"'{text.Replace("'", @"'\''", StringComparison.Ordinal)}'";

    private static bool IsPlain(char letter, bool hasWindowsShell) => char.IsLetterOrDigit(letter)
        || Plain.Contains(letter, StringComparison.Ordinal) || letter == '\\' && hasWindowsShell;
}
