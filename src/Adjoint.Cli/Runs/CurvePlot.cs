using System.Globalization;
using System.Text;

namespace Adjoint.Cli;

/// <summary>A curve in a plot of signs.</summary>
/// <param name="Letter">Stands on the curve here and there, so that curves are told apart without colors.</param>
/// <param name="Points">What is connected by lines, from left to right; all finite.</param>
internal sealed record TextCurve(char Letter, IReadOnlyList<(double X, double Y)> Points);

/// <summary>A line of signs, with how many columns it takes: codes of color take none.</summary>
internal readonly record struct TextLine(string Text, int Length);

/// <summary>
/// Curves over epochs as lines of text: two by four Braille dots in each column and line. Each curve carries its
/// letter, and a color where there are some; where the terminal has no Unicode it is drawn in its letter alone.
/// </summary>
internal sealed class CurvePlot(int width, int height)
{
    private const int DotsWide = 2, DotsHigh = 4, LettersApart = 18;
    private const char NoDots = '\u2800';

    // Blue, yellow, green, magenta, cyan, red: as they come, then again.
    private static readonly int[] Colors = [34, 33, 32, 35, 36, 31];

    // By dot of a cell, from the top left: the bits of Unicode's Braille patterns.
    private static readonly int[,] Bits = { { 0x01, 0x02, 0x04, 0x40 }, { 0x08, 0x10, 0x20, 0x80 } };

    /// <summary>Whether curves are colored.</summary>
    internal bool HasColors { get; init; }

    /// <summary>The epoch at the right end; null: that of the last point.</summary>
    internal double? LastEpoch { get; init; }

    /// <summary>Whether the terminal shows Braille dots.</summary>
    internal bool IsUnicode { get; init; } = true;

    /// <summary>Draws curves below a title; the last line is the axis of epochs.</summary>
    internal IReadOnlyList<TextLine> Draw(string title, IReadOnlyList<TextCurve> curves)
    {
        var head = RunTable.Cut(title, width);
        var lines = new List<TextLine> { new(head, head.Length) };
        var all = curves.SelectMany(curve => curve.Points).ToArray();
        var rows = height - 2;
        if (all.Length == 0)
        {
            lines.Add(new(RunTable.Cut("nothing measured yet", width), Math.Min(width, 20)));
            while (lines.Count < height) lines.Add(new("", 0));
            return lines;
        }
        var (low, high) = Range(all.Min(point => point.Y), all.Max(point => point.Y));
        var (first, last) = (all.Min(point => point.X), LastEpoch ?? all.Max(point => point.X));
        if (LastEpoch is not null) first = 0;
        if (first == last) last = first + 1;
        string[] labels = [RunColumn.Digits(high), RunColumn.Digits((low + high) / 2), RunColumn.Digits(low)];
        var margin = labels.Max(label => label.Length);
        var canvas = new Canvas(Math.Max(1, width - margin - 2), Math.Max(1, rows));
        for (var i = 0; i < curves.Count; i++)
            canvas.Add(i, curves[i].Points.Select(point => (
                (point.X - first) / (last - first) * (canvas.Wide * DotsWide - 1),
                (high - point.Y) / (high - low) * (canvas.High * DotsHigh - 1))));
        for (var row = 0; row < canvas.High; row++)
        {
            var label = row == 0 ? labels[0] : row == canvas.High - 1 ? labels[2]
                : row == canvas.High / 2 ? labels[1] : "";
            var axis = $"{label.PadLeft(margin)} {(IsUnicode ? '│' : '|')}";
            var (cells, length) = Cells(canvas, row, curves);
            lines.Add(new(axis + cells, axis.Length + length));
        }
        var (from, to) = (Epoch(first), Epoch(last));
        var room = canvas.Wide - from.Length - to.Length;
        var between = room >= "epoch".Length + 2 ? "epoch".PadLeft((room + "epoch".Length) / 2).PadRight(room)
            : new string(' ', Math.Max(1, room));
        var below = RunTable.Cut(new string(' ', margin + 2) + from + between + to, width);
        lines.Add(new(below, below.Length));
        return lines;
    }

    private (string Text, int Length) Cells(Canvas canvas, int row, IReadOnlyList<TextCurve> curves)
    {
        var text = new StringBuilder();
        var (length, color) = (0, -1);
        var wide = canvas.Wide;
        while (wide > 0 && canvas.At(wide - 1, row).Dots == 0) wide--;
        for (var column = 0; column < wide; column++)
        {
            var (dots, curve, isLetter) = canvas.At(column, row);
            var sign = dots == 0 ? ' '
                : !IsUnicode || isLetter && curves.Count > 1 ? curves[curve].Letter : (char)(NoDots + dots);
            if (HasColors && dots != 0 && curve != color)
            {
                text.Append($"\e[{Colors[curve % Colors.Length]}m");
                color = curve;
            }
            text.Append(sign);
            length++;
        }
        if (color >= 0) text.Append("\e[0m");
        return (text.ToString(), length);
    }

    private static string Epoch(double value) =>
        value.ToString("0.#", CultureInfo.InvariantCulture);

    // One value alone is drawn in the middle.
    private static (double Low, double High) Range(double low, double high) => low < high ? (low, high)
        : low == 0 ? (-1, 1) : (low - Math.Abs(low) / 2, low + Math.Abs(low) / 2);

    // Dots of all curves; a cell is of the curve that was drawn last, or whose letter stands there.
    private sealed class Canvas(int wide, int high)
    {
        private readonly int[] dots = new int[wide * high];
        private readonly int[] owner = new int[wide * high];
        private readonly bool[] letters = new bool[wide * high];

        internal int Wide => wide;
        internal int High => high;

        internal (int Dots, int Curve, bool IsLetter) At(int column, int row)
        {
            var at = row * wide + column;
            return (dots[at], owner[at], letters[at]);
        }

        // Letters of curves stand in different columns, so that one that lies on another is seen there; and at its end.
        internal void Add(int curve, IEnumerable<(double X, double Y)> points)
        {
            (int X, int Y)? before = null;
            var (column, end) = (0, 0);
            foreach (var (x, y) in points)
            {
                (int X, int Y) here = ((int)Math.Round(x), (int)Math.Round(y));
                var (fromX, fromY) = before ?? here;
                var steps = Math.Max(1, Math.Max(Math.Abs(here.X - fromX), Math.Abs(here.Y - fromY)));
                for (var step = 0; step <= steps; step++)
                {
                    var share = (double)step / steps;
                    var (dotX, dotY) = (fromX + (int)Math.Round((here.X - fromX) * share),
                        fromY + (int)Math.Round((here.Y - fromY) * share));
                    var place = dotX / DotsWide;
                    end = Set(curve, dotX, dotY);
                    if (place > column && place % LettersApart == (LettersApart / 2 + 4 * curve) % LettersApart)
                        letters[end] = true;
                    column = Math.Max(column, place);
                }
                before = here;
            }
            if (before is not null) letters[end] = true;
        }

        private int Set(int curve, int x, int y)
        {
            var at = y / DotsHigh * wide + x / DotsWide;
            dots[at] |= Bits[x % DotsWide, y % DotsHigh];
            if (!letters[at]) owner[at] = curve;
            return at;
        }
    }
}
