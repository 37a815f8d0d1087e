using System.Globalization;
using System.Text;
using System.Xml.Linq;
using Adjoint.Shared;

namespace Adjoint.Explorer;

/// <summary>An op of one variable and its derivative over −4 to 4, as SVG.</summary>
internal static class FunctionPlot
{
    private const int Points = 161;
    private const double Reach = 4;
    private const int Width = 520;
    private const int Height = 300;

    // Of the frame inside the drawing.
    private const int Left = 40, Right = Width - 10, Top = 10, Bottom = Height - 30;

    /// <summary>The drawing with its key; null where the op is no function of single elements.</summary>
    internal static XElement[]? Draw(OpEntry entry)
    {
        if (entry.Inputs().Length != 1) return null;
        var grid = new double[Points];
        for (var i = 0; i < Points; i++) grid[i] = -Reach + 2 * Reach * i / (Points - 1);
        if (Evaluate(entry, grid) is not { } all || !IsElementwise(entry, grid, all.Values)) return null;
        var shown = all.Values.Concat(all.Derivatives).Where(value => double.IsFinite(value) && Math.Abs(value) <= 6)
            .ToArray();
        var scale = new Scale(Math.Min(-0.5, shown.Min()), Math.Max(0.5, shown.Max()));
        return
        [
            new(Html.Svg + "svg",
                new XAttribute("xmlns", Html.Svg), new XAttribute("viewBox", $"0 0 {Width} {Height}"),
                new XAttribute("role", "img"),
                new XAttribute("aria-label", $"{entry.Op.Name} and its derivative from −4 to 4"),
                Grid(scale), Curve("curve", grid, all.Values, scale), Curve("slope", grid, all.Derivatives, scale)),
            new("p", Html.Class("key"),
                new XElement("span", "y"), new XElement("span", Html.Class("second"), "dy/dx")),
        ];
    }

    // Element by element, one half of the grid cannot tell what the other half is. The identity is not worth a drawing.
    private static bool IsElementwise(OpEntry entry, double[] grid, double[] values)
    {
        double[] half = [.. grid.Select((x, i) => i < Points / 2 ? x : 0.5)];
        return Evaluate(entry, half) is { } other && !values.SequenceEqual(grid)
            && values.Take(Points / 2).SequenceEqual(other.Values.Take(Points / 2));
    }

    private static (double[] Values, double[] Derivatives)? Evaluate(OpEntry entry, double[] grid)
    {
        try
        {
            var x = Tensor.From((ReadOnlySpan<double>)grid, grid.Length).RequireGrad();
            var y = entry.Call([x]);
            if (y.Shape != x.Shape) return null;
            return (y.ToArray<double>(), Differentiation.Gradients(y.Sum(), [x])[0]!.ToArray<double>());
        }
        catch (AdjointException)
        {
            // Ops along an axis, such as a sum over the second, have no value on a vector.
            return null;
        }
    }

    // Lines at whole x and at round y, each with its number; the axes are drawn stronger.
    private static IEnumerable<XElement> Grid(Scale scale)
    {
        for (var x = -Reach; x <= Reach; x++)
        {
            yield return Line(x, (scale.X(x), Top), (scale.X(x), Bottom));
            yield return Number(x, (scale.X(x), Bottom + 18), "middle");
        }
        var span = scale.High - scale.Low;
        var step = span > 6 ? 2 : span > 2.5 ? 1 : 0.5;
        for (var y = Math.Ceiling(scale.Low / step) * step; y <= scale.High; y += step)
        {
            yield return Line(y, (Left, scale.Y(y)), (Right, scale.Y(y)));
            yield return Number(y, (Left - 6, scale.Y(y) + 4), "end");
        }
    }

    private static XElement Line(double value, (double X, double Y) from, (double X, double Y) to) =>
        Html.Element(Html.Svg + "line", ("class", value == 0 ? "axis" : "grid"),
            ("x1", Text(from.X)), ("x2", Text(to.X)), ("y1", Text(from.Y)), ("y2", Text(to.Y)));

    private static XElement Number(double value, (double X, double Y) at, string anchor)
    {
        var text = Html.Element(Html.Svg + "text", ("x", Text(at.X)), ("y", Text(at.Y)), ("text-anchor", anchor));
        // 0 may be −0: the lowest whole number above a part of −1.
        text.Add(Text(value == 0 ? 0 : value).Replace('-', '−'));
        return text;
    }

    private static XElement Curve(string kind, double[] grid, double[] values, Scale scale)
    {
        var path = new StringBuilder();
        var pen = 'M';
        for (var i = 0; i < grid.Length; i++)
        {
            if (!(values[i] >= scale.Low && values[i] <= scale.High))
            {
                pen = 'M';
                continue;
            }
            // A jump is no line.
            if (pen == 'L' && Math.Abs(values[i] - values[i - 1]) > 0.45 * (scale.High - scale.Low)) pen = 'M';
            path.Append(pen).Append(Text(scale.X(grid[i]))).Append(' ').Append(Text(scale.Y(values[i])));
            pen = 'L';
        }
        return Html.Element(Html.Svg + "path", ("class", kind), ("d", path));
    }

    private static string Text(double value) => value.ToString("0.#", CultureInfo.InvariantCulture);

    // From values to places in the drawing.
    private sealed record Scale(double Low, double High)
    {
        internal double X(double x) => Left + (x + Reach) / (2 * Reach) * (Right - Left);

        internal double Y(double y) => Top + (High - y) / (High - Low) * (Bottom - Top);
    }
}
