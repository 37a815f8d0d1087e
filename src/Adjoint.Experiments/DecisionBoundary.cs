using System.Globalization;
using System.Text;
using Adjoint.Nn;

namespace Adjoint.Experiments;

/// <summary>The probability of class 1 over the plane of two features, as SVG.</summary>
public static class DecisionBoundary
{
    private const int Cells = 60;
    private const double Reach = 3;

    /// <summary>Draws features from −3 to 3, with the true boundary of <c>synth</c>.</summary>
    public static string Draw(Layer model)
    {
        using var _ = new NoGrad();
        var points = new float[Cells * Cells * 2];
        for (var row = 0; row < Cells; row++)
            for (var column = 0; column < Cells; column++)
                (points[2 * (row * Cells + column)], points[2 * (row * Cells + column) + 1]) = ((float)At(column), (float)-At(row));
        var x = Tensor.From(points, Cells * Cells, 2).To(model.DType);
        var probability = model.Forward(x).Softmax().To(DType.Float32).ToArray<float>();
        var text = new StringBuilder("""<svg viewBox="-36 -6 342 342" role="img" style="max-width:32rem" font-size="11" font-family="sans-serif"><g shape-rendering="crispEdges">""");
        for (var row = 0; row < Cells; row++)
            for (var column = 0; column < Cells; column++)
            {
                var p = probability[2 * (row * Cells + column) + 1];
                var (color, sure) = p > 0.5f ? ("#d55e00", p) : ("#0072b2", 1 - p);
                text.Append(CultureInfo.InvariantCulture, $"""<rect x="{column * 5}" y="{row * 5}" width="5" height="5" fill="{color}" fill-opacity="{(sure - 0.4) * 1.2:0.00}"/>""");
            }
        text.Append("</g>").Append(TrueBoundary());
        text.Append("""<rect x="0" y="0" width="300" height="300" fill="none" stroke="#333"/>""");
        for (var tick = -3; tick <= 3; tick++)
            text.Append(CultureInfo.InvariantCulture, $"""<text x="{(tick + 3) * 50}" y="314" text-anchor="middle">{tick}</text><text x="-6" y="{(3 - tick) * 50 + 4}" text-anchor="end">{tick}</text>""");
        return text.Append("""<text x="150" y="330" text-anchor="middle">x₀</text><text x="-28" y="150" text-anchor="middle">x₁</text></svg>""").ToString();
    }

    // x₀² + 1.5 x₀x₁ + 0.2 x₁² = 0.6, solved for x₀.
    private static string TrueBoundary()
    {
        var text = new StringBuilder();
        foreach (var sign in (int[])[-1, 1])
        {
            text.Append("<path fill=\"none\" stroke=\"#000\" stroke-dasharray=\"4 3\" d=\"");
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
                text.Append(CultureInfo.InvariantCulture, $"{pen}{(x0 + Reach) * 50:0.0} {(Reach - x1) * 50:0.0}");
                pen = 'L';
            }
            text.Append("\"/>");
        }
        return text.ToString();
    }

    private static double At(int cell) => -Reach + (cell + 0.5) * 2 * Reach / Cells;
}
