namespace Adjoint.Cli;

/// <summary>
/// One line of a terminal that is written again and again, with others above it where there is room. It is never longer
/// than the terminal is wide, also after that has become narrower; where codes that move the cursor are unknown it is
/// overwritten with spaces.
/// </summary>
internal sealed class LiveLine
{
    private const int Echo = 2;
    private readonly TextWriter writer;
    private readonly bool hasCodes;
    private readonly Func<int> columns, rows;

    // What stands there: the lines above, and the length of each; the line itself is the last.
    private IReadOnlyList<TextLine> above = [];
    private int shown, width;

    internal LiveLine(
        TextWriter writer, bool hasCodes, bool hasColors, Func<int> columns, Func<int>? rows = null) =>
        (this.writer, this.hasCodes, HasColors, this.columns, this.rows) =
            (writer, hasCodes, hasColors, columns, rows ?? (() => 1));

    /// <summary>The line of standard error where a person sees it, else null.</summary>
    internal static LiveLine? On(TextWriter error)
    {
        if (!Terminal.IsSeen(error)) return null;
        var hasCodes = Terminal.Console(error).Profile.Capabilities.Ansi;
        return new(error, hasCodes, Terminal.HasColors(error), () => Terminal.Width, () => Terminal.Height)
        {
            IsUnicode = Terminal.IsUnicode(error),
        };
    }

    /// <summary>Whether colors are wanted.</summary>
    internal bool HasColors { get; }

    /// <summary>Whether Braille dots are shown.</summary>
    internal bool IsUnicode { get; init; } = true;

    /// <summary>How many rows the terminal has for lines above this one; 0 where the cursor cannot go up.</summary>
    internal int Rows => hasCodes ? rows() - 1 : 0;

    /// <summary>
    /// How many characters a line has room for, so that nothing folds: also not the ^C that a terminal adds to it.
    /// </summary>
    internal int Room => Math.Max(0, columns() - Echo - 1);

    /// <summary>Writes the line in place of the one before.</summary>
    /// <param name="text">What stands there, codes of color included.</param>
    /// <param name="length">How many columns that takes, at most <see cref="Room"/>.</param>
    /// <param name="lines">
    /// What stands above it, at most <see cref="Rows"/>; the same list as before is not written again.
    /// </param>
    internal void Show(string text, int length, IReadOnlyList<TextLine>? lines = null)
    {
        lines ??= [];
        var isSame = shown > 0 && ReferenceEquals(lines, above) && width == columns();
        writer.Write(isSame ? Erased([]) + text
            : Erased(above) + string.Concat(lines.Select(line => line.Text + "\n")) + text);
        writer.Flush();
        (shown, above, width) = (length, lines, columns());
    }

    /// <summary>Takes the line away, and those above it; what is written next begins where they began.</summary>
    internal void Clear()
    {
        if (shown == 0) return;
        writer.Write(Erased(above));
        writer.Flush();
        (shown, above) = (0, []);
    }

    // What brings the cursor back to where the lines began, with nothing behind it.
    private string Erased(IReadOnlyList<TextLine> lines)
    {
        if (shown == 0) return "";
        if (!hasCodes) return $"\r{new string(' ', Math.Min(shown + Echo, columns() - 1))}\r";
        // A terminal that became narrower has folded the lines: their further rows go too.
        var up = lines.Sum(line => 1 + Folds(line.Length)) + Folds(shown);
        return up > 0 ? $"\r\e[{up}A\e[J" : "\r\e[K";
    }

    private int Folds(int length) => Math.Max(0, length - 1) / Math.Max(1, columns());
}
