using System.Globalization;
using Adjoint.Experiments;
using Adjoint.IO;

namespace Adjoint.Cli;

/// <summary>
/// Tensors as lines of a name and further cells. Where room is short, the middle of long names is left out; where that
/// leaves too little of them, the cells come below the name.
/// </summary>
internal static class TensorTable
{
    private const int Gap = 2, ShortestName = 20;

    /// <summary>Writes a heading and a line for each row.</summary>
    /// <param name="output">Gets the lines.</param>
    /// <param name="room">The longest line; null: any.</param>
    /// <param name="heads">The heads of the columns, the first that of the names.</param>
    /// <param name="rows">The cells of the rows.</param>
    internal static void Write(TextWriter output, int? room, string[] heads, IEnumerable<string[]> rows)
    {
        string[][] cells = [.. rows.Select(row => row.Select(Printable.Line).ToArray())];
        int[] widths = [.. heads.Select((head, i) => cells.Select(row => row[i].Length).Append(head.Length).Max())];
        var others = widths.Skip(1).Sum(width => width + Gap);
        if (room is { } width && others + Math.Min(widths[0], ShortestName) > width)
        {
            foreach (var row in cells.Prepend(heads))
            {
                output.WriteLine(RunTable.Cut(row[0], width));
                foreach (var line in Wrapped(row.Skip(1).Where(cell => cell.Length > 0), width - Gap))
                    output.WriteLine(new string(' ', Gap) + RunTable.Cut(line, Math.Max(1, width - Gap)));
            }
            return;
        }
        if (room is not null) widths[0] = Math.Min(widths[0], room.Value - others);
        foreach (var row in cells.Prepend(heads))
            output.WriteLine(string.Join(new string(' ', Gap), row.Select((cell, i) =>
                i == 0 ? RunTable.Cut(cell, widths[0]).PadRight(widths[0]) : cell.PadLeft(widths[i]))).TrimEnd());
    }

    /// <summary>Sizes as tensors print them: <c>(64, 3, 7, 7)</c>.</summary>
    internal static string Sizes(IReadOnlyList<long> sizes) =>
        sizes.Count == 1 ? $"({sizes[0]},)" : $"({string.Join(", ", sizes)})";

    /// <summary>A number of bytes in few digits: <c>512 B</c>, <c>4.1 kB</c>, <c>97.8 MB</c>, <c>13.5 GB</c>.</summary>
    internal static string Bytes(Int128 bytes)
    {
        if (bytes < 1000) return $"{bytes} B";
        var (value, unit) = ((double)bytes, -1);
        while (value >= 999.95)
        {
            value /= 1000;
            unit++;
        }
        return string.Create(CultureInfo.InvariantCulture, $"{value:0.0} {"kMGTPEZYRQ"[unit]}B");
    }

    /// <summary>How many numbers a tensor of a file has.</summary>
    internal static Int128 Elements(TensorEntry entry) => entry.Sizes.Contains(0)
        ? 0 : entry.Sizes.Aggregate((Int128)1, (product, size) => Int128.Min(product * size, long.MaxValue));

    private static IEnumerable<string> Wrapped(IEnumerable<string> cells, int width)
    {
        var line = "";
        foreach (var cell in cells)
            if (line.Length == 0) line = cell;
            else if (line.Length + Gap + cell.Length <= width) line += new string(' ', Gap) + cell;
            else
            {
                yield return line;
                line = cell;
            }
        if (line.Length > 0) yield return line;
    }
}
