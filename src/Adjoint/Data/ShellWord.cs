namespace Adjoint.Data;

/// <summary>Words of command lines, for the commands that messages and files offer to be typed.</summary>
public static class ShellWord
{
    // What means nothing to any shell, beside letters and digits.
    private const string Plain = "-_./:=,+@";

    /// <summary>
    /// The text as a shell takes it for one word: itself, or in quotes where it has spaces or signs of the shell's own.
    /// </summary>
    public static string Quote(string text) => Quote(text, Platform.HasWindowsShell);

    /// <summary>As <see cref="Quote(string)"/>, for cmd.exe and PowerShell or for sh.</summary>
    internal static string Quote(string text, bool hasWindowsShell) =>
        text.Length > 0 && text.All(letter => IsPlain(letter, hasWindowsShell)) ? text
        : hasWindowsShell ? $"\"{text}\""
        : $"'{text.Replace("'", @"'\''", StringComparison.Ordinal)}'";

    private static bool IsPlain(char letter, bool hasWindowsShell) => char.IsLetterOrDigit(letter)
        || Plain.Contains(letter, StringComparison.Ordinal) || letter == '\\' && hasWindowsShell;
}
