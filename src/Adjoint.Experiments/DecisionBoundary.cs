using System.Globalization;
using System.Text;
using System.Xml.Linq;
using Adjoint.Nn;
using Adjoint.Shared;

namespace Adjoint.Experiments;

/// <summary>The probability of class 1 over the plane of two features, as SVG.</summary>
public static class DecisionBoundary
{
    private const int Cells = 60;
    private const int Side = 300;
    private const double Reach = 3;

    /// <summary>Draws features from −3 to 3, with the true boundary of the data set <c>synth</c>.</summary>
    /// <param name="model">A classifier of two features, (n, 2) → (n, 2): logits of class 0 and class 1.</param>
    /// <returns>An element <c>svg</c>.</returns>
    public static XElement Draw(Layer model)
    {
        using var _ = new NoGrad();
        var points = new float[Cells * Cells * 2];
        for (var i = 0; i < Cells * Cells; i++)
            (points[2 * i], points[2 * i + 1]) = ((float)At(i % Cells), (float)-At(i / Cells));
        var x = Tensor.From(points, Cells * Cells, 2).To(model.DType);
        var probability = model.Forward(x).Softmax().To(DType.Float32).ToArray<float>();
        return new(Html.Svg + "svg",
            new XAttribute("xmlns", Html.Svg), new XAttribute("viewBox", "-36 -6 342 342"),
            new XAttribute("role", "img"), new XAttribute("style", "max-width:32rem"),
            new XAttribute("font-size", 11), new XAttribute("font-family", "sans-serif"),
            new XElement(Html.Svg + "g", new XAttribute("shape-rendering", "crispEdges"),
                Enumerable.Range(0, Cells * Cells).Select(i => Cell(i, probability[2 * i + 1]))),
            TrueBoundary(-1), TrueBoundary(1),
            Html.Element(Html.Svg + "rect", ("x", 0), ("y", 0), ("width", Side), ("height", Side), ("fill", "none"),
                ("stroke", "#333")),
            Enumerable.Range(-3, 7).Select(tick => (XElement[])
            [
                Label((tick + 3) * Side / 6, 314, "middle", tick), Label(-6, (3 - tick) * Side / 6 + 4, "end", tick),
            ]),
            Label(150, 330, "middle", "x₀"), Label(-28, 150, "middle", "x₁"));
    }

    private static XElement Cell(int index, float probability)
    {
        var (color, confidence) = probability > 0.5f ? ("#d55e00", probability) : ("#0072b2", 1 - probability);
        var size = Side / Cells;
        var opacity = ((confidence - 0.4) * 1.2).ToString("0.00", CultureInfo.InvariantCulture);
        return Html.Element(Html.Svg + "rect", ("x", index % Cells * size), ("y", index / Cells * size),
            ("width", size), ("height", size), ("fill", color), ("fill-opacity", opacity));
    }

    private static XElement Label(int x, int y, string anchor, object text)
    {
        var label = Html.Element(Html.Svg + "text", ("x", x), ("y", y), ("text-anchor", anchor));
        label.Add(text);
        return label;
    }

    // x₀² + 1.5 x₀x₁ + 0.2 x₁² = 0.6, solved for x₀: one of its two branches.
    private static XElement TrueBoundary(int sign)
    {
        var path = new StringBuilder();
        var pen = 'M';
        for (var i = 0; i <= 120; i++)
        {
            var x1 = Reach - i * 2 * Reach / 120;
            var x0 = (-1.5 * x1 + sign * Math.Sqrt(2.25 * x1 * x1 - 4 * (0.2 * x1 * x1 - 0.6))) / 2;
            if (Math.Abs(x0) > Reach)
            {
                pen = 'M';
                continue;
            }
            path.Append(CultureInfo.InvariantCulture, $"{pen}{(x0 + Reach) * 50:0.0} {(Reach - x1) * 50:0.0}");
            pen = 'L';
        }
        return Html.Element(Html.Svg + "path", ("fill", "none"), ("stroke", "#000"), ("stroke-dasharray", "4 3"),
            ("d", path));
    }

    private static double At(int cell) => -Reach + (cell + 0.5) * 2 * Reach / Cells;
}
