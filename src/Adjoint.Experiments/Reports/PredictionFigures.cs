using System.Xml.Linq;
using OxyPlot;
using OxyPlot.Annotations;
using OxyPlot.Axes;
using OxyPlot.Series;

namespace Adjoint.Experiments;

/// <summary>Figures of predicted values, as elements <c>svg</c>.</summary>
internal static class PredictionFigures
{
    private const int Bins = 40;
    private static readonly OxyColor Blue = OxyColor.FromRgb(0, 114, 178);
    private static readonly OxyColor Orange = OxyColor.FromRgb(213, 94, 0);

    /// <summary>Predicted against true values, with the line on which both are equal.</summary>
    internal static XElement Predicted(IReadOnlyList<(double True, double Predicted)> pairs, string id)
    {
        var plot = Plot("Predicted against true", "true value", "predicted value");
        plot.Annotations.Add(Line(new() { Slope = 1, Intercept = 0, Type = LineAnnotationType.LinearEquation }));
        plot.Series.Add(Points(pairs.Select(pair => (pair.True, pair.Predicted))));
        return SvgFigure.Export(plot, id, height: 560);
    }

    /// <summary>Residuals, predicted − true, against the predicted value.</summary>
    internal static XElement Residuals(IReadOnlyList<(double True, double Predicted)> pairs, string id)
    {
        var plot = Plot("Residuals", "predicted value", "predicted − true");
        plot.Annotations.Add(Line(new() { Y = 0, Type = LineAnnotationType.Horizontal }));
        plot.Series.Add(Points(pairs.Select(pair => (pair.Predicted, pair.Predicted - pair.True))));
        return SvgFigure.Export(plot, id);
    }

    /// <summary>How many residuals lie in each of equal ranges.</summary>
    internal static XElement Histogram(IReadOnlyList<double> residuals, string id)
    {
        var plot = Plot("Residuals", "predicted − true", "samples");
        var (low, high) = (residuals.Min(), residuals.Max());
        var width = high > low ? (high - low) / Bins : 1;
        var bars = new RectangleBarSeries { FillColor = Blue, StrokeColor = OxyColors.White, StrokeThickness = 1 };
        foreach (var bin in residuals.GroupBy(value => Math.Min((int)((value - low) / width), Bins - 1)))
            bars.Items.Add(new(low + bin.Key * width, 0, low + (bin.Key + 1) * width, bin.Count()));
        plot.Series.Add(bars);
        return SvgFigure.Export(plot, id);
    }

    private static PlotModel Plot(string title, string bottom, string left)
    {
        var plot = new PlotModel
        {
            Title = title,
            DefaultFontSize = 14,
            PlotMargins = new OxyThickness(90, 10, 30, 50),
            Background = OxyColors.White,
        };
        plot.Axes.Add(Axis(AxisPosition.Bottom, bottom));
        plot.Axes.Add(Axis(AxisPosition.Left, left));
        return plot;
    }

    private static LinearAxis Axis(AxisPosition position, string title) => new()
    {
        Position = position,
        Title = title,
        AxisTitleDistance = position == AxisPosition.Left ? 18 : 4,
        MinorTickSize = 0,
        MajorGridlineStyle = LineStyle.Dot,
        MajorGridlineColor = OxyColors.LightGray,
    };

    private static LineAnnotation Line(LineAnnotation line)
    {
        (line.Color, line.LineStyle, line.StrokeThickness) = (Orange, LineStyle.Solid, 1.5);
        return line;
    }

    private static ScatterSeries Points(IEnumerable<(double X, double Y)> points)
    {
        var series = new ScatterSeries
        {
            MarkerType = MarkerType.Circle,
            MarkerSize = 2.5,
            MarkerFill = OxyColor.FromAColor(110, Blue),
        };
        series.Points.AddRange(points.Select(point => new ScatterPoint(point.X, point.Y)));
        return series;
    }
}
