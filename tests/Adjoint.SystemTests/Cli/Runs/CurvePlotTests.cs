using System.Text.RegularExpressions;
using Adjoint.Cli;

namespace Adjoint.SystemTests.Cli;

/// <summary>Curves as signs: every point is where its numbers say, and curves are told apart without color.</summary>
public sealed partial class CurvePlotTests
{
    private static readonly TextCurve Rising = new('A', [(0, 0), (10, 1)]), Falling = new('B', [(0, 1), (10, 0)]);

    [Fact]
    public void A_straight_line_goes_from_corner_to_corner()
    {
        var lines = new CurvePlot(26, 12).Draw("title", [Rising]).Select(line => line.Text).ToArray();
        Assert.Equal(12, lines.Length);
        Assert.Equal("title", lines[0]);
        var cells = lines[1..^1].Select(line => line[8..]).ToArray();
        // 18 by 10 cells of 2 by 4 dots: from the last of them in the first row to the first one in the last row.
        for (var row = 0; row < cells.Length; row++)
        {
            var column = (int)(35 * (1 - 4.0 * row / 39) / 2);
            Assert.InRange(cells[row].Length, column + 1, column + 2);
        }
        Assert.StartsWith("1.0000 │", lines[1], StringComparison.Ordinal);
        Assert.StartsWith("     0 │", lines[^2], StringComparison.Ordinal);
        Assert.Matches("^ +0 +epoch +10$", lines[^1]);
    }

    [Theory, InlineData(true, true), InlineData(true, false), InlineData(false, true), InlineData(false, false)]
    public void Each_curve_shows_its_letter_also_where_both_are_the_same(bool isUnicode, bool hasColors)
    {
        var plot = new CurvePlot(80, 12) { IsUnicode = isUnicode, HasColors = hasColors };
        foreach (var other in (TextCurve[])[Falling, Rising with { Letter = 'B' }])
        {
            var lines = plot.Draw("t", [Rising, other]);
            var text = string.Join('\n', lines.Skip(1).Select(line => line.Text));
            Assert.True(text.Count(sign => sign == 'A') > 1 && text.Count(sign => sign == 'B') > 1, text);
            Assert.Equal(hasColors, text.Contains('\e', StringComparison.Ordinal));
            Assert.All(lines, line => Assert.Equal(line.Length, Code().Replace(line.Text, "").Length));
            if (!isUnicode) Assert.DoesNotMatch("[^\\x1b-~\n]", text);
        }
    }

    [Fact]
    public void Every_size_and_every_range_is_drawn_within_its_bounds()
    {
        (double, double)[][] all =
        [
            [], [(0, 0)], [(3, -7.5)], [(0, 1), (1, 1)], [(0, 1e-12), (1, 1e12)], [(0, -1e300), (1, 1e300)],
            [(0, double.Epsilon), (1, 0)], [.. Enumerable.Range(0, 5000).Select(i => ((double)i, Math.Sin(i / 99.0)))],
        ];
        foreach (var (width, height) in ((int, int)[])[(1, 3), (12, 4), (38, 10), (300, 60)])
            foreach (var points in all)
            {
                var lines = new CurvePlot(width, height).Draw("a long title", [new('A', points)]);
                Assert.Equal(height, lines.Count);
                Assert.All(lines, line => Assert.True(line.Length <= Math.Max(width, 14), $"{width}: {line.Text}"));
            }
    }

    [GeneratedRegex(@"\e\[[0-9;]*m")]
    private static partial Regex Code();
}
