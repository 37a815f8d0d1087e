using System.Xml.Linq;
using Adjoint.Training;
using OxyPlot;
using OxyPlot.Annotations;
using OxyPlot.Legends;
using OxyPlot.Series;

namespace Adjoint.Experiments;

/// <summary>
/// The curves of an experiment over its epochs: for each case the mean over seeds, a band of one standard deviation,
/// and every single run, faint.
/// </summary>
public static class CurveFigure
{
    /// <summary>At most as many cases are drawn, the best ones: more lines cannot be told apart.</summary>
    public const int MostCases = 7;

    /// <summary>Draws a plot of an experiment.</summary>
    /// <param name="plot">The quantity to draw, and the title above it.</param>
    /// <param name="experiment">The experiment that the plot belongs to.</param>
    /// <param name="runs">Its complete trials.</param>
    /// <param name="mark">Written across the figure, such as that it is a quick look, or null.</param>
    /// <returns>An element <c>svg</c>.</returns>
    public static XElement Draw(Plot plot, Experiment experiment, CaseRuns runs, string? mark = null)
    {
        var model = new PlotModel
        {
            Title = plot.Title,
            TitleFontSize = 17,
            DefaultFontSize = 15,
            PlotMargins = new OxyThickness(78, double.NaN, 20, 58),
            Padding = new OxyThickness(8, 12, 8, 8),
            Background = OxyColors.White,
            IsLegendVisible = runs.Cases.Count > 1,
        };
        var shown = Shown(experiment, runs);
        var last = shown.SelectMany(one => runs.Of(one.Label).Values).Select(epochs => epochs.Count - 1)
            .DefaultIfEmpty(1).Max();
        model.Axes.Add(EpochAxes.Bottom(last));
        var closeUp = CloseUp(plot, experiment, runs);
        var axes = EpochAxes.AddValues(model, Unit(plot.Quantity), closeUp);
        // Outside, below: nothing it could cover.
        model.Legends.Add(new Legend
        {
            LegendTitle = experiment.Factors.Count == 1 ? experiment.Factors[0].Name : null,
            LegendPlacement = LegendPlacement.Outside,
            LegendPosition = LegendPosition.BottomCenter,
            LegendOrientation = LegendOrientation.Horizontal,
            LegendItemSpacing = 26,
            LegendSymbolLength = 34,
            LegendMargin = 4,
            LegendLineSpacing = 4,
        });
        foreach (var axis in axes)
            for (var i = 0; i < shown.Count; i++)
                AddCase(model, axis, shown[i].Label, [.. runs.Of(shown[i].Label).Values], plot.Quantity,
                    CurveLook.Of(i));
        if (mark is not null)
            model.Annotations.Add(new TextAnnotation
            {
                Text = mark,
                TextPosition = new DataPoint(Math.Max(1, last) / 2.0, Middle(model)),
                FontSize = 40,
                TextColor = OxyColor.FromAColor(60, OxyColors.Red),
                Stroke = OxyColors.Transparent,
                TextHorizontalAlignment = HorizontalAlignment.Center,
                TextVerticalAlignment = VerticalAlignment.Middle,
            });
        return SvgFigure.Export(model, $"figure-{plot.Number}", 900, closeUp is null ? 500 : 640);
    }

    /// <summary>The cases that are drawn: all, or the best where they are too many.</summary>
    /// <param name="experiment">By its measure the best cases are chosen.</param>
    /// <param name="runs">Its complete trials.</param>
    /// <returns>The cases in the order of the experiment.</returns>
    public static IReadOnlyList<Case> Shown(Experiment experiment, CaseRuns runs)
    {
        if (runs.Cases.Count <= MostCases) return runs.Cases;
        var sign = experiment.Measure == Measure.Loss ? -1 : 1;
        var best = runs.Cases.OrderByDescending(Quality).Take(MostCases).ToHashSet();
        return [.. runs.Cases.Where(best.Contains)];

        double Quality(Case one) => runs.Values(one.Label, experiment.Measure) is { Length: > 0 } values
            ? sign * values.Average()
            : double.NegativeInfinity;
    }

    /// <summary>The range that is enlarged, where curves that start at chance would else lie on each other.</summary>
    /// <param name="plot">The quantity that is drawn.</param>
    /// <param name="experiment">The experiment that the plot belongs to.</param>
    /// <param name="runs">Its complete trials.</param>
    /// <returns>The range of values, or null where nothing is enlarged.</returns>
    public static (double Low, double High)? CloseUp(Plot plot, Experiment experiment, CaseRuns runs) =>
        EpochAxes.CloseUp(Shown(experiment, runs).SelectMany(one => runs.Of(one.Label).Values)
            .SelectMany(run => run).Select(epoch => (epoch.Epoch, Value(epoch, plot.Quantity))));

    /// <summary>The title of the axis of a quantity.</summary>
    /// <param name="quantity">What is drawn over the epochs.</param>
    /// <returns>Name and unit, such as <c>validation accuracy / %</c>.</returns>
    public static string Unit(Quantity quantity) => quantity switch
    {
        Quantity.ValidationAccuracy => "validation accuracy / %",
        Quantity.TrainLoss => "training loss / nats",
        _ => "validation loss / nats",
    };

    /// <summary>The number of an epoch that is drawn.</summary>
    /// <param name="epoch">What was measured of an epoch.</param>
    /// <param name="quantity">What is drawn over the epochs.</param>
    /// <returns>The number in the unit of its axis; NaN where it was not measured.</returns>
    public static double Value(EpochResult epoch, Quantity quantity) => quantity switch
    {
        Quantity.ValidationAccuracy => 100 * epoch.ValidationAccuracy,
        Quantity.TrainLoss => epoch.TrainLoss ?? double.NaN,
        _ => epoch.ValidationLoss,
    };

    private static void AddCase(
        PlotModel model, string? axis, string label, IReadOnlyList<EpochResult>[] runs, Quantity quantity,
        CurveLook look)
    {
        var mean = new LineSeries
        {
            YAxisKey = axis,
            Title = label,
            RenderInLegend = axis is null,
            Color = look.Color,
            StrokeThickness = 2.6,
            LineStyle = look.Style,
        };
        var band = new AreaSeries
        {
            YAxisKey = axis,
            Color = OxyColors.Transparent,
            Color2 = OxyColors.Transparent,
            Fill = OxyColor.FromAColor(38, look.Color),
            RenderInLegend = false,
        };
        for (var epoch = 0; epoch < runs.Select(run => run.Count).DefaultIfEmpty(0).Max(); epoch++)
        {
            var values = runs.Where(run => run.Count > epoch).Select(run => Value(run[epoch], quantity))
                .Where(double.IsFinite).ToArray();
            if (values.Length == 0) continue;
            var sample = Sample.Of(values);
            mean.Points.Add(new(epoch, sample.Mean));
            if (values.Length < 2) continue;
            // No accuracy lies above 100 %, no loss below 0: the band ends there.
            var (low, high) = (sample.Mean - sample.Deviation, sample.Mean + sample.Deviation);
            band.Points.Add(new(epoch, Math.Max(0, low)));
            band.Points2.Add(new(epoch, quantity == Quantity.ValidationAccuracy ? Math.Min(100, high) : high));
        }
        model.Series.Add(band);
        if (runs.Length > 1)
            foreach (var run in runs)
            {
                var single = new LineSeries
                {
                    YAxisKey = axis,
                    Color = OxyColor.FromAColor(90, look.Color),
                    StrokeThickness = 0.8,
                    RenderInLegend = false,
                };
                foreach (var epoch in run)
                    if (double.IsFinite(Value(epoch, quantity)))
                        single.Points.Add(new(epoch.Epoch, Value(epoch, quantity)));
                model.Series.Add(single);
            }
        model.Series.Add(mean);
    }

    private static double Middle(PlotModel model)
    {
        var all = model.Series.OfType<LineSeries>().SelectMany(series => series.Points).Select(point => point.Y)
            .DefaultIfEmpty(0).ToArray();
        return (all.Min() + all.Max()) / 2;
    }
}
