using System.Xml.Linq;
using Adjoint.Training;
using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Legends;
using OxyPlot.Series;

namespace Adjoint.Experiments;

/// <summary>The figures of one run over its epochs, as elements <c>svg</c>. What is not finite is left out.</summary>
public static class RunFigures
{
    // Okabe and Ito's palette: told apart by color-blind readers too.
    private static readonly OxyColor Blue = OxyColor.FromRgb(0, 114, 178);
    private static readonly OxyColor Orange = OxyColor.FromRgb(213, 94, 0);

    /// <summary>
    /// Draws the accuracy on the validation samples; where it ends in a narrow range, that is enlarged.
    /// </summary>
    /// <param name="epochs">The run's epochs, the one before training first.</param>
    /// <returns>An element <c>svg</c>.</returns>
    public static XElement Accuracy(IReadOnlyList<EpochResult> epochs) =>
        Curves("Validation accuracy", "accuracy / %",
            [new("validation", Blue, [.. epochs.Select(one => (one.Epoch, 100 * one.ValidationAccuracy))])]);

    /// <summary>Draws a metric on the validation samples; where it ends in a narrow range, that is enlarged.</summary>
    /// <param name="epochs">The run's epochs, the one before training first.</param>
    /// <param name="name">The metric's name.</param>
    /// <returns>An element <c>svg</c>.</returns>
    public static XElement Metric(IReadOnlyList<EpochResult> epochs, string name) => name == "accuracy"
        ? Accuracy(epochs)
        : Curves($"Validation {name}", name,
            [new("validation", Blue,
                [.. epochs.Select(one => (one.Epoch, one.Metrics.GetValueOrDefault(name, double.NaN)))])]);

    /// <summary>
    /// Draws the losses on training and validation samples; where they end in a narrow range, that is enlarged.
    /// </summary>
    /// <param name="epochs">The run's epochs, the one before training first.</param>
    /// <param name="unit">What the loss is.</param>
    /// <returns>An element <c>svg</c>.</returns>
    public static XElement Loss(IReadOnlyList<EpochResult> epochs, string unit) => Curves("Loss", unit,
    [
        new("training", Orange, [.. epochs.Select(one => (one.Epoch, one.TrainLoss ?? double.NaN))]),
        new("validation", Blue, [.. epochs.Select(one => (one.Epoch, one.ValidationLoss))]),
    ]);

    /// <summary>Draws the norm of the gradient of each layer, of at most eight.</summary>
    /// <param name="history">What the training doctor measured.</param>
    /// <returns>An element <c>svg</c>; null where no gradient was measured.</returns>
    public static XElement? Gradients(IReadOnlyList<LayerReading> history)
    {
        const int most = 8;
        var layers = history.Where(row => row.GradientNorm > 0 && double.IsFinite(row.GradientNorm))
            .GroupBy(row => row.Layer).ToArray();
        if (layers.Length == 0) return null;
        // Of a deep network some layers, evenly spread, the first and the last among them: more lines cannot be told
        // apart.
        if (layers.Length > most)
            layers = [.. Enumerable.Range(0, most).Select(i => layers[i * (layers.Length - 1) / (most - 1)])];
        var plot = new PlotModel
        {
            Title = "Gradient norms",
            DefaultFontSize = 14,
            PlotMargins = new OxyThickness(78, 10, double.NaN, 50),
            Background = OxyColors.White,
        };
        plot.Axes.Add(new LinearAxis
        {
            Position = AxisPosition.Bottom,
            Title = "epoch",
            MinimumMajorStep = 1,
            MinorTickSize = 0,
            MajorGridlineStyle = LineStyle.Dot,
        });
        plot.Axes.Add(new LogarithmicAxis
        {
            Position = AxisPosition.Left,
            Title = "2-norm of the gradient",
            AxisTitleDistance = 18,
            MajorGridlineStyle = LineStyle.Dot,
        });
        plot.Legends.Add(new Legend
        {
            LegendTitle = "layer",
            LegendPlacement = LegendPlacement.Outside,
            LegendPosition = LegendPosition.RightTop,
        });
        for (var i = 0; i < layers.Length; i++)
        {
            // From dark to light in order of depth, which gray print keeps.
            var depth = layers.Length == 1 ? 0 : (double)i / (layers.Length - 1);
            var color = OxyColor.Interpolate(OxyColor.FromRgb(0, 60, 100), OxyColor.FromRgb(230, 159, 0), depth);
            plot.Series.Add(Line(layers[i].Key, color, 2.5,
                layers[i].Select(row => new DataPoint(row.Epoch, row.GradientNorm))));
        }
        return SvgFigure.Export(plot, "Gradients");
    }

    private static XElement Curves(string title, string unit, Curve[] curves)
    {
        var plot = new PlotModel
        {
            Title = title,
            DefaultFontSize = 14,
            PlotMargins = new OxyThickness(70, 10, 30, 50),
            Background = OxyColors.White,
        };
        var points = curves.SelectMany(curve => curve.Points).ToArray();
        var bottom = EpochAxes.Bottom(points.Select(point => point.Epoch).DefaultIfEmpty(0).Max());
        // Room for the markers at either end.
        (bottom.Minimum, bottom.Maximum) = (-0.02 * bottom.Maximum, 1.02 * bottom.Maximum);
        plot.Axes.Add(bottom);
        var closeUp = EpochAxes.CloseUp(points);
        if (curves.Length > 1)
            plot.Legends.Add(new Legend { LegendPosition = LegendPosition.RightTop, LegendMargin = 12 });
        foreach (var axis in EpochAxes.AddValues(plot, unit, closeUp))
            foreach (var (name, color, values) in curves)
            {
                var known = values.Where(point => double.IsFinite(point.Value))
                    .Select(point => new DataPoint(point.Epoch, point.Value));
                var line = Line(curves.Length > 1 ? name : null, color, 3, known);
                (line.YAxisKey, line.RenderInLegend) = (axis, axis is null);
                plot.Series.Add(line);
            }
        return SvgFigure.Export(plot, title.Replace(' ', '-'), height: closeUp is null ? 420 : 560);
    }

    private static LineSeries Line(string? title, OxyColor color, double marker, IEnumerable<DataPoint> points)
    {
        var line = new LineSeries
        {
            Title = title,
            Color = color,
            MarkerType = MarkerType.Circle,
            MarkerSize = marker,
            MarkerFill = color,
        };
        line.Points.AddRange(points);
        return line;
    }

    private sealed record Curve(string Name, OxyColor Color, (int Epoch, double Value)[] Points);
}
