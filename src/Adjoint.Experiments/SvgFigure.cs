using System.Xml.Linq;
using Adjoint.Shared;
using OxyPlot;

namespace Adjoint.Experiments;

/// <summary>A plot as SVG that can stand in a page: scales with it, and shares no names with other figures.</summary>
public static class SvgFigure
{
    private const string ClipPath = "clipPath";

    /// <summary>Draws a plot.</summary>
    /// <param name="plot">The plot to draw; its titles lose what no SVG may hold.</param>
    /// <param name="id">Set before the names inside, which are global to a page.</param>
    /// <param name="width">The width in pixels at full size.</param>
    /// <param name="height">The height in pixels at full size.</param>
    /// <returns>An element <c>svg</c>.</returns>
    public static XElement Export(PlotModel plot, string id, int width = 900, int height = 420)
    {
        // Text is drawn as text: no fonts are embedded, the page's sans-serif is used.
        plot.DefaultFont = "sans-serif";
        // Names come from files and callers; an SVG holds no control characters.
        plot.Title = Plain(plot.Title);
        foreach (var series in plot.Series) series.Title = Plain(series.Title);
        foreach (var legend in plot.Legends) legend.LegendTitle = Plain(legend.LegendTitle);
        var exporter = new SvgExporter { Width = width, Height = height, TextMeasurer = new RoomyText(width, height) };
        var svg = XDocument.Parse(exporter.ExportToString(plot), LoadOptions.PreserveWhitespace).Root!;
        foreach (var attribute in svg.Descendants().Attributes())
        {
            var isName = attribute.Name == "id" && attribute.Parent!.Name.LocalName == ClipPath;
            if (isName || attribute.Value.StartsWith($"url(#{ClipPath}", StringComparison.Ordinal))
                attribute.Value = attribute.Value.Replace(ClipPath, $"{ClipPath}-{id}", StringComparison.Ordinal);
        }
        // A figure takes the width that it finds.
        var others = svg.Attributes().Where(attribute => attribute.Name != "width" && attribute.Name != "height");
        svg.ReplaceAttributes(
            new XAttribute("viewBox", $"0 0 {width} {height}"), new XAttribute("role", "img"),
            new XAttribute("aria-label", plot.Title ?? id), others.ToArray());
        return svg;
    }

    private static string? Plain(string? text) => text is null ? null : Html.Plain(text);

    // The exporter guesses the width of text from another font, too narrow for what browsers show.
    private sealed class RoomyText(double width, double height) : PdfRenderContext(width, height, OxyColors.White)
    {
        public override OxySize MeasureText(string text, string fontFamily, double fontSize, double fontWeight)
        {
            var size = base.MeasureText(text, fontFamily, fontSize, fontWeight);
            return new(size.Width * 1.25, size.Height * 1.25);
        }
    }
}
