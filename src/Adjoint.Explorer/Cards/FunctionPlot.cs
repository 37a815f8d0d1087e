using System.Globalization;
using System.Text;

namespace Adjoint.Exploring;

/// <summary>An op of one variable and its derivative over −4 to 4, as SVG.</summary>
internal static class FunctionPlot
{
    private const int Points = 161;
    private const double Reach = 4;
    private const int Wide = 520;
    private const int High = 300;

    /// <summary>The drawing; null where the op is no function of single elements.</summary>
    internal static string? Draw(OpEntry entry)
    {
        if (entry.Inputs().Length != 1) return null;
        var grid = new double[Points];
        for (var i = 0; i < Points; i++) grid[i] = -Reach + 2 * Reach * i / (Points - 1);
        if (Evaluate(entry, grid) is not { } all) return null;
        // Element by element, one half of the grid cannot tell what the other half is.
        double[] half = [.. grid.Select((x, i) => i < Points / 2 ? x : 0.5)];
        if (Evaluate(entry, half) is not { } other || !all.Values.Take(Points / 2).SequenceEqual(other.Values.Take(Points / 2)) || all.Values.SequenceEqual(grid)) return null;
        var shown = all.Values.Concat(all.Slopes).Where(value => double.IsFinite(value) && Math.Abs(value) <= 6).ToArray();
        var (low, high) = (Math.Min(-0.5, shown.Min()), Math.Max(0.5, shown.Max()));
        double X(double x) => 40 + (x + Reach) / (2 * Reach) * (Wide - 50);
        double Y(double y) => 10 + (high - y) / (high - low) * (High - 40);
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"<svg viewBox=\"0 0 {Wide} {High}\" role=\"img\" aria-label=\"{entry.Op.Name} and its derivative from −4 to 4\">");
        for (var x = -4; x <= 4; x++)
            text.Append(CultureInfo.InvariantCulture, $"<line class=\"{(x == 0 ? "axis" : "grid")}\" x1=\"{X(x):0.#}\" x2=\"{X(x):0.#}\" y1=\"10\" y2=\"{High - 30}\"/><text x=\"{X(x):0.#}\" y=\"{High - 12}\" text-anchor=\"middle\">{Number(x)}</text>");
        var step = high - low > 6 ? 2 : high - low > 2.5 ? 1 : 0.5;
        for (var y = Math.Ceiling(low / step) * step; y <= high; y += step)
            text.Append(CultureInfo.InvariantCulture, $"<line class=\"{(y == 0 ? "axis" : "grid")}\" x1=\"40\" x2=\"{Wide - 10}\" y1=\"{Y(y):0.#}\" y2=\"{Y(y):0.#}\"/><text x=\"34\" y=\"{Y(y) + 4:0.#}\" text-anchor=\"end\">{Number(y)}</text>");
        Curve(text, "curve", grid, all.Values, X, Y, low, high);
        Curve(text, "slope", grid, all.Slopes, X, Y, low, high);
        return text.Append("</svg><p class=\"key\"><span>y</span><span class=\"second\">dy/dx</span></p>").ToString();
    }

    private static (double[] Values, double[] Slopes)? Evaluate(OpEntry entry, double[] grid)
    {
        try
        {
            var x = Tensor.From((ReadOnlySpan<double>)grid, grid.Length).RequireGrad();
            var y = entry.Call([x]);
            return y.Shape == x.Shape ? (y.ToArray<double>(), Differentiation.Gradients(y.Sum(), [x])[0]!.ToArray<double>()) : null;
        }
        catch (AdjointException)
        {
            // Ops along an axis, such as a sum over the second, have no value on a vector.
            return null;
        }
    }

    private static void Curve(StringBuilder text, string name, double[] grid, double[] values, Func<double, double> x, Func<double, double> y, double low, double high)
    {
        text.Append(CultureInfo.InvariantCulture, $"<path class=\"{name}\" d=\"");
        var pen = 'M';
        for (var i = 0; i < grid.Length; i++)
        {
            if (!(values[i] >= low && values[i] <= high))
            {
                pen = 'M';
                continue;
            }
            // A jump is no line.
            if (pen == 'L' && Math.Abs(values[i] - values[i - 1]) > 0.45 * (high - low)) pen = 'M';
            text.Append(CultureInfo.InvariantCulture, $"{pen}{x(grid[i]):0.#} {y(values[i]):0.#}");
            pen = 'L';
        }
        text.Append("\"/>");
    }

    private static string Number(double value) => value.ToString("0.#", CultureInfo.InvariantCulture).Replace('-', '−');
}
