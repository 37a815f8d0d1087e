using System.Net;
using System.Text.RegularExpressions;
using OxyPlot;

namespace Adjoint.Experiments;

/// <summary>A plot as SVG that can stand in a page: scales with it, and shares no names with other figures.</summary>
public static partial class SvgFigure
{
    /// <summary>Draws a plot.</summary>
    /// <param name="plot">What to draw.</param>
    /// <param name="id">Set before the names inside, which are global to a page.</param>
    /// <param name="width">In pixels at full size.</param>
    /// <param name="height">In pixels at full size.</param>
    public static string Export(PlotModel plot, string id, int width = 900, int height = 420)
    {
        // Text is drawn as text: no fonts are embedded, the page's sans-serif is used.
        plot.DefaultFont = "sans-serif";
        // Names come from files and callers; an SVG holds no control characters.
        plot.Title = Plain(plot.Title);
        foreach (var series in plot.Series) series.Title = Plain(series.Title);
        foreach (var legend in plot.Legends) legend.LegendTitle = Plain(legend.LegendTitle);
        var svg = new SvgExporter { Width = width, Height = height, TextMeasurer = new RoomyText(width, height) }.ExportToString(plot);
        svg = svg[svg.IndexOf("<svg", StringComparison.Ordinal)..].Replace("clipPath", "clipPath-" + id, StringComparison.Ordinal);
        svg = svg.Replace("<clipPath-" + id, "<clipPath", StringComparison.Ordinal).Replace("</clipPath-" + id, "</clipPath", StringComparison.Ordinal);
        // Only of the outermost element: rectangles inside have sizes too.
        return OuterSize().Replace(svg, $"<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{WebUtility.HtmlEncode(plot.Title ?? id).Replace("$", "$$", StringComparison.Ordinal)}\"", 1);
    }

    private static string? Plain(string? text) => text is null ? null : ReportPage.Plain(text);

    // The exporter guesses the width of text from another font, too narrow for what browsers show.
    private sealed class RoomyText(double width, double height) : PdfRenderContext(width, height, OxyColors.White)
    {
        public override OxySize MeasureText(string text, string fontFamily, double fontSize, double fontWeight)
        {
            var size = base.MeasureText(text, fontFamily, fontSize, fontWeight);
            return new(size.Width * 1.25, size.Height * 1.25);
        }
    }

    [GeneratedRegex("<svg width=\"[0-9]+\" height=\"[0-9]+\"")]
    private static partial Regex OuterSize();
}
