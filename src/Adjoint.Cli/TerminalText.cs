using System.Text;
using Adjoint.Experiments;

namespace Adjoint.Cli;

/// <summary>
/// Text that comes in parts, as it may be shown on a terminal: lines and tabs stay, everything else that could command
/// it becomes escapes, <c>\u001b</c>.
/// </summary>
internal sealed class TerminalText
{
    // Of a line end of two characters the first, which is shown where the second does not follow.
    private bool hasReturn;

    /// <summary>A part of the text.</summary>
    internal string Next(string part)
    {
        var shown = new StringBuilder(part.Length);
        foreach (var one in part.EnumerateRunes())
        {
            if (hasReturn && one.Value != '\n') shown.Append(@"\r");
            hasReturn = one.Value == '\r';
            if (one.Value is '\n' or '\t') shown.Append((char)one.Value);
            else if (!hasReturn) shown.Append(Printable.Line(one.ToString()));
        }
        return shown.ToString();
    }
}
