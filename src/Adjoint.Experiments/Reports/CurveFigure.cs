using System.Globalization;
using Adjoint.Training;
using OxyPlot;
using OxyPlot.Annotations;
using OxyPlot.Axes;
using OxyPlot.Legends;
using OxyPlot.Series;

namespace Adjoint.Experiments;

/// <summary>The curves of an experiment over its epochs: for each case the mean over seeds, a band of one standard deviation, and every single run, faint.</summary>
public static class CurveFigure
{
    // Okabe and Ito's palette, without its yellow, which is lost on white: told apart by colour-blind readers too. Dashes tell lines apart in print.
    private static readonly OxyColor[] Colors =
        [OxyColor.FromRgb(0, 114, 178), OxyColor.FromRgb(213, 94, 0), OxyColor.FromRgb(0, 158, 115), OxyColor.FromRgb(204, 121, 167), OxyColors.Black, OxyColor.FromRgb(86, 180, 233), OxyColor.FromRgb(230, 159, 0)];
    private static readonly LineStyle[] Styles = [LineStyle.Solid, LineStyle.Dash, LineStyle.DashDot, LineStyle.LongDash, LineStyle.Dot, LineStyle.DashDotDot, LineStyle.LongDashDot];

    // Where curves lie closer together than this share of all that they pass through, a close-up shows them.
    private const double Close = 0.25;
    private const string CloseUpAxis = "close-up";

    /// <summary>At most as many cases are drawn, the best ones: more lines cannot be told apart.</summary>
    public const int MostCases = 7;

    /// <summary>Draws a plot of an experiment as SVG.</summary>
    /// <param name="plot">Which quantity.</param>
    /// <param name="experiment">Whose.</param>
    /// <param name="runs">The trials.</param>
    /// <param name="mark">Written across the figure, such as that it is a quick look, or null.</param>
    public static string Draw(Plot plot, Experiment experiment, CaseRuns runs, string? mark = null)
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
        var last = shown.SelectMany(one => runs.Of(one.Label).Values).Select(epochs => epochs.Count - 1).DefaultIfEmpty(1).Max();
        model.Axes.Add(new LinearAxis
        {
            Position = AxisPosition.Bottom,
            Title = "epoch",
            Minimum = 0,
            Maximum = Math.Max(1, last),
            MinimumMajorStep = 1,
            MinorTickSize = 0,
            MajorGridlineStyle = LineStyle.Dot,
            MajorGridlineColor = OxyColors.LightGray,
        });
        var closeUp = CloseUp(plot, experiment, runs);
        if (closeUp is { } range)
        {
            model.Axes.Add(Values("whole range", 0, 0.24));
            var enlarged = Values(Unit(plot.Quantity), 0.3, 1);
            (enlarged.Key, enlarged.Minimum, enlarged.Maximum) = (CloseUpAxis, range.Low, range.High);
            model.Axes.Add(enlarged);
            model.Annotations.Add(new LineAnnotation { Type = LineAnnotationType.Horizontal, YAxisKey = CloseUpAxis, Y = range.Low, Color = OxyColors.Black, LineStyle = LineStyle.Solid, StrokeThickness = 1 });
        }
        else model.Axes.Add(Values(Unit(plot.Quantity), 0, 1));
        // Outside, below: nothing it could cover.
        model.Legends.Add(new Legend { LegendTitle = experiment.Factors.Count == 1 ? experiment.Factors[0].Name : null, LegendPlacement = LegendPlacement.Outside, LegendPosition = LegendPosition.BottomCenter, LegendOrientation = LegendOrientation.Horizontal, LegendItemSpacing = 26, LegendSymbolLength = 34, LegendMargin = 4, LegendLineSpacing = 4 });
        foreach (var axis in closeUp is null ? (string?[])[null] : [null, CloseUpAxis])
            for (var i = 0; i < shown.Count; i++) AddCase(model, axis, shown[i].Label, [.. runs.Of(shown[i].Label).Values], plot.Quantity, Colors[i], Styles[i]);
        if (mark is not null)
            model.Annotations.Add(new TextAnnotation { Text = mark, TextPosition = new DataPoint(Math.Max(1, last) / 2.0, Middle(model)), FontSize = 40, TextColor = OxyColor.FromAColor(60, OxyColors.Red), Stroke = OxyColors.Transparent, TextHorizontalAlignment = HorizontalAlignment.Center, TextVerticalAlignment = VerticalAlignment.Middle });
        return SvgFigure.Export(model, $"figure-{plot.Number}", 900, closeUp is null ? 500 : 640);
    }

    /// <summary>The cases that are drawn, in their order.</summary>
    public static IReadOnlyList<Case> Shown(Experiment experiment, CaseRuns runs)
    {
        if (runs.Cases.Count <= MostCases) return runs.Cases;
        var sign = experiment.Measure == Measure.Loss ? -1 : 1;
        var best = runs.Cases.OrderByDescending(one => runs.Values(one.Label, experiment.Measure) is { Length: > 0 } values ? sign * values.Average() : double.NegativeInfinity).Take(MostCases).ToHashSet();
        return [.. runs.Cases.Where(best.Contains)];
    }

    /// <summary>
    /// What a close-up shows, where curves that start at chance would else lie on each other: the values after the first quarter of the epochs, when they span less than a quarter of all
    /// values. Null where they span more, or epochs are too few.
    /// </summary>
    public static (double Low, double High)? CloseUp(Plot plot, Experiment experiment, CaseRuns runs)
    {
        const int fewEpochs = 8;
        var epochs = Shown(experiment, runs).SelectMany(one => runs.Of(one.Label).Values).SelectMany(run => run).Where(epoch => double.IsFinite(Value(epoch, plot.Quantity))).ToArray();
        if (epochs.Length == 0 || epochs.Max(epoch => epoch.Epoch) is var last && last < fewEpochs) return null;
        var all = epochs.Select(epoch => Value(epoch, plot.Quantity)).ToArray();
        var late = epochs.Where(epoch => epoch.Epoch > last / 4).Select(epoch => Value(epoch, plot.Quantity)).ToArray();
        var span = late.Max() - late.Min();
        return span > 0 && span < Close * (all.Max() - all.Min()) ? (late.Min() - span / 20, late.Max() + span / 20) : null;
    }

    /// <summary>The axis's title.</summary>
    public static string Unit(Quantity quantity) => quantity switch
    {
        Quantity.ValidationAccuracy => "validation accuracy / %",
        Quantity.TrainLoss => "training loss / nats",
        _ => "validation loss / nats",
    };

    /// <summary>The number of an epoch that is drawn.</summary>
    public static double Value(EpochResult epoch, Quantity quantity) => quantity switch
    {
        Quantity.ValidationAccuracy => 100 * epoch.ValidationAccuracy,
        Quantity.TrainLoss => epoch.TrainLoss ?? double.NaN,
        _ => epoch.ValidationLoss,
    };

    // An axis of values along a part of the figure's height.
    private static LinearAxis Values(string title, double from, double to) => new()
    {
        Position = AxisPosition.Left,
        Title = title,
        StartPosition = from,
        EndPosition = to,
        AxisTitleDistance = 18,
        MinorTickSize = 0,
        MajorGridlineStyle = LineStyle.Dot,
        MajorGridlineColor = OxyColors.LightGray,
    };

    private static void AddCase(PlotModel model, string? axis, string label, IReadOnlyList<EpochResult>[] runs, Quantity quantity, OxyColor color, LineStyle style)
    {
        var mean = new LineSeries { YAxisKey = axis, Title = label, RenderInLegend = axis is null, Color = color, StrokeThickness = 2.6, LineStyle = style };
        var band = new AreaSeries { YAxisKey = axis, Color = OxyColors.Transparent, Color2 = OxyColors.Transparent, Fill = OxyColor.FromAColor(38, color), RenderInLegend = false };
        for (var epoch = 0; epoch < runs.Select(run => run.Count).DefaultIfEmpty(0).Max(); epoch++)
        {
            var values = runs.Where(run => run.Count > epoch).Select(run => Value(run[epoch], quantity)).Where(double.IsFinite).ToArray();
            if (values.Length == 0) continue;
            var sample = Sample.Of(values);
            mean.Points.Add(new(epoch, sample.Mean));
            if (values.Length < 2) continue;
            band.Points.Add(new(epoch, sample.Mean - sample.Deviation));
            band.Points2.Add(new(epoch, sample.Mean + sample.Deviation));
        }
        model.Series.Add(band);
        if (runs.Length > 1)
            foreach (var run in runs)
            {
                var single = new LineSeries { YAxisKey = axis, Color = OxyColor.FromAColor(90, color), StrokeThickness = 0.8, RenderInLegend = false };
                foreach (var epoch in run)
                    if (double.IsFinite(Value(epoch, quantity))) single.Points.Add(new(epoch.Epoch, Value(epoch, quantity)));
                model.Series.Add(single);
            }
        model.Series.Add(mean);
    }

    private static double Middle(PlotModel model)
    {
        var all = model.Series.OfType<LineSeries>().SelectMany(series => series.Points).Select(point => point.Y).DefaultIfEmpty(0).ToArray();
        return (all.Min() + all.Max()) / 2;
    }
}
