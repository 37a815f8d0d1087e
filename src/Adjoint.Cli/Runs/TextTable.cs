using Adjoint.Experiments;

namespace Adjoint.Cli;

/// <summary>
/// A table of text whose first column names the rows; where it is too wide, each row becomes several lines.
/// </summary>
internal static class TextTable
{
    private const int Gap = 2;

    /// <summary>Writes an empty line, the heads and the rows.</summary>
    internal static void Write(TextWriter output, int width, string[] heads, IEnumerable<string[]> rows)
    {
        string[][] cells = [.. rows.Select(row => row.Select(Printable.Line).ToArray())];
        int[] widths = [.. heads.Select((head, i) => cells.Select(row => row[i].Length).Append(head.Length).Max())];
        output.WriteLine();
        if (widths.Sum() + Gap * (widths.Length - 1) <= width)
        {
            foreach (var row in cells.Prepend(heads))
                output.WriteLine(string.Join(new string(' ', Gap),
                    row.Select((cell, i) => i == 0 ? cell.PadRight(widths[i]) : cell.PadLeft(widths[i]))).TrimEnd());
            return;
        }
        output.WriteLine(heads[0]);
        foreach (var row in cells)
        {
            output.WriteLine($"{new string(' ', Gap)}{row[0]}");
            for (var i = 1; i < row.Length; i++)
                output.WriteLine($"{new string(' ', 2 * Gap)}{heads[i]}  {RunTable.Cut(row[i],
                    Math.Max(4, width - 3 * Gap - heads[i].Length))}");
        }
    }
}
