namespace Adjoint.Cli;

/// <summary>
/// One line of a terminal that is written again and again. It is never longer than the terminal is wide, also after
/// that has become narrower; where codes that move the cursor are unknown it is overwritten with spaces.
/// </summary>
internal sealed class LiveLine
{
    private const int Echo = 2;
    private readonly TextWriter writer;
    private readonly bool hasCodes;
    private readonly Func<int> columns;
    private int shown;

    internal LiveLine(TextWriter writer, bool hasCodes, bool hasColors, Func<int> columns) =>
        (this.writer, this.hasCodes, HasColors, this.columns) = (writer, hasCodes, hasColors, columns);

    /// <summary>The line of standard error where a person sees it, else null.</summary>
    internal static LiveLine? On(TextWriter error)
    {
        if (!Terminal.IsSeen(error)) return null;
        var hasCodes = Terminal.Console(error).Profile.Capabilities.Ansi;
        return new(error, hasCodes, Terminal.HasColors(error), () => Terminal.Width);
    }

    /// <summary>Whether colors are wanted.</summary>
    internal bool HasColors { get; }

    /// <summary>
    /// How many characters a line has room for, so that nothing folds: also not the ^C that a terminal adds to it.
    /// </summary>
    internal int Room => Math.Max(0, columns() - Echo - 1);

    /// <summary>Writes the line in place of the one before.</summary>
    /// <param name="text">What stands there, codes of color included.</param>
    /// <param name="length">How many columns that takes, at most <see cref="Room"/>.</param>
    internal void Show(string text, int length)
    {
        writer.Write(Erased() + text);
        writer.Flush();
        shown = length;
    }

    /// <summary>Takes the line away; what is written next begins where it began.</summary>
    internal void Clear()
    {
        if (shown == 0) return;
        writer.Write(Erased());
        writer.Flush();
        shown = 0;
    }

    // What brings the cursor back to where the line began, with nothing behind it.
    private string Erased()
    {
        if (shown == 0) return "";
        if (!hasCodes) return $"\r{new string(' ', Math.Min(shown + Echo, columns() - 1))}\r";
        // A terminal that became narrower has folded the line: its rows above go too.
        var above = (shown - 1) / Math.Max(1, columns());
        return above > 0 ? $"\r\e[{above}A\e[J" : "\r\e[K";
    }
}
