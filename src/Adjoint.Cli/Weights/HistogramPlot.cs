using System.Globalization;
using Adjoint.IO;

namespace Adjoint.Cli;

/// <summary>A histogram of a tensor's values in signs: on one line, or a line for each bin.</summary>
internal static class HistogramPlot
{
    // From nothing to the most: eighths of a block, and what a terminal without Unicode has for them.
    private const string Blocks = " ▁▂▃▄▅▆▇█", Plain = " .:-=+*#@";

    /// <summary>A sign for each bin, as high as its count; every count above 0 can be seen.</summary>
    internal static string Line(IReadOnlyList<long> counts, bool isUnicode)
    {
        var (most, signs) = (counts.Count == 0 ? 0 : counts.Max(), isUnicode ? Blocks : Plain);
        return string.Concat(counts.Select(count =>
            signs[count == 0 ? 0 : Math.Max(1, (int)Math.Round((double)count / most * (signs.Length - 1)))]));
    }

    /// <summary>A line for each bin: where it begins, a bar, and its count.</summary>
    internal static IEnumerable<string> Bars(TensorSummary summary, int width, bool isUnicode)
    {
        var counts = summary.Histogram;
        if (counts.Count == 0) yield break;
        var (most, step) = (counts.Max(), summary.Maximum / counts.Count - summary.Minimum / counts.Count);
        string[] begins =
            [.. counts.Select((_, i) => RunColumn.Digits(step == 0 ? summary.Minimum : summary.Minimum + i * step))];
        string[] texts = [.. counts.Select(count => count.ToString("N0", CultureInfo.InvariantCulture))];
        var (left, right) = (begins.Max(text => text.Length), texts.Max(text => text.Length));
        var room = Math.Max(1, width - left - right - 3);
        for (var i = 0; i < counts.Count; i++)
        {
            if (step == 0 && counts[i] == 0) continue;
            var length = counts[i] == 0 ? 0 : Math.Max(1, (int)Math.Round((double)counts[i] / most * room));
            var bar = new string(isUnicode ? '█' : '#', length);
            yield return $"{begins[i].PadLeft(left)} {(isUnicode ? '│' : '|')}{bar} {texts[i]}";
        }
    }
}
