using System.Globalization;
using System.Net;
using System.Text;
using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Training;
using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Legends;
using OxyPlot.Series;

namespace Adjoint.Experiments;

/// <summary>What a report shows.</summary>
/// <param name="Title">The heading.</param>
/// <param name="Settings">Name and value of each setting.</param>
/// <param name="Result">What was measured.</param>
/// <param name="Evaluation">Of the best model, on the validation samples.</param>
/// <param name="ClassNames">What the labels mean.</param>
/// <param name="Boundary">For two features: the model, to draw its decision, else null.</param>
public sealed record RunReport(
    string Title, IReadOnlyList<(string Name, string Value)> Settings, TrainingResult Result, Evaluation Evaluation, IReadOnlyList<string> ClassNames, Module? Boundary)
{
    // Okabe and Ito's palette: told apart by colour-blind readers too.
    private static readonly OxyColor Blue = OxyColor.FromRgb(0, 114, 178);
    private static readonly OxyColor Orange = OxyColor.FromRgb(213, 94, 0);

    /// <summary>Validation samples that the best model got wrong, surest first.</summary>
    public IReadOnlyList<CaptionedImage> Mistakes { get; init; } = [];

    /// <summary>The best model's first layer.</summary>
    public IReadOnlyList<CaptionedImage> Filters { get; init; } = [];

    /// <summary>What watched the training, or null.</summary>
    public TrainingDoctor? Doctor { get; init; }

    /// <summary>The page: self-contained, no script, readable on a phone and in print.</summary>
    public string ToHtml()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $$"""
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
            <title>{{Escape(Title)}}</title>
            <style>
            body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; color: #1a1a1a; background: #fff }
            figure { margin: 1.5rem 0 } figure svg { width: 100%; height: auto; background: #fff }
            table { border-collapse: collapse; font-variant-numeric: tabular-nums } .wide { overflow-x: auto }
            th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid #ccc } td { white-space: nowrap } th:first-child, td:first-child { text-align: left }
            @media screen and (max-width: 40rem) { figure { overflow-x: auto } figure svg { min-width: 38rem } }
            .sheet { display: flex; flex-wrap: wrap; gap: .6rem } .sheet figure { margin: 0; width: calc(1.6 * var(--side)); text-align: center }
            .sheet img { width: var(--side); height: var(--side); image-rendering: pixelated } .sheet figcaption { font-size: .75rem; line-height: 1.2 }
            .confusion td { text-align: center; border: 1px solid #ddd }
            </style></head><body>
            <h1>{{Escape(Title)}}</h1>
            <p>Best validation accuracy <b>{{Result.Best.ValidationAccuracy:P2}}</b> after epoch {{Result.Best.Epoch}}; at the end {{Result.Final.ValidationAccuracy:P2}}.</p>

            """);
        Figure(text, Curve("Validation accuracy", "accuracy / %", [("validation", Blue, epoch => 100 * epoch.ValidationAccuracy)]), "Accuracy on the validation samples, before training (epoch 0) and after each epoch.");
        Figure(text, Curve("Loss", "mean cross-entropy / nats", [("training", Orange, epoch => epoch.TrainLoss ?? double.NaN), ("validation", Blue, epoch => epoch.ValidationLoss)]), "Loss per sample. Training loss is measured while the parameters change.");
        if (Boundary is not null) Figure(text, DecisionBoundary.Draw(Boundary), "Decision of the best model over both features; the darker, the surer. Dashed: the true boundary.");
        if (Doctor is not null) Diagnosis(text, Doctor);
        Confusion(text);
        Images(text, "Surest mistakes", "Validation samples that the best model got wrong, the surest first: what it said, how probable it held that, and the label. Each image is stretched to its full contrast.", Mistakes, 64);
        Images(text, "First layer", "Filters of the best model's first layer: mid-grey is 0.", Filters, 48);
        Table(text, "Epochs", ["epoch", "training loss", "validation loss", "validation accuracy", "seconds"], Result.Epochs.Select(epoch => (string[])
            [$"{epoch.Epoch}", epoch.TrainLoss is { } loss ? Format(loss, "0.0000") : "–", Format(epoch.ValidationLoss, "0.0000"), Format(epoch.ValidationAccuracy, "0.0000"), Format(epoch.Seconds, "0.00")]));
        Table(text, "Settings", ["setting", "value"], Settings.Select(setting => (string[])[setting.Name, setting.Value]));
        return text.Append("</body></html>\n").ToString();
    }

    private string Curve(string title, string unit, (string Name, OxyColor Color, Func<EpochResult, double> Value)[] lines)
    {
        var plot = new PlotModel { Title = title, DefaultFontSize = 14, PlotMargins = new OxyThickness(70, 10, 30, 50), Background = OxyColors.White };
        plot.Axes.Add(new LinearAxis { Position = AxisPosition.Bottom, Title = "epoch", MinimumMajorStep = 1, MinorTickSize = 0, MajorGridlineStyle = LineStyle.Dot });
        plot.Axes.Add(new LinearAxis { Position = AxisPosition.Left, Title = unit, AxisTitleDistance = 16, MajorGridlineStyle = LineStyle.Dot });
        if (lines.Length > 1) plot.Legends.Add(new Legend { LegendPosition = LegendPosition.RightTop, LegendMargin = 12 });
        foreach (var (name, color, value) in lines)
        {
            var series = new LineSeries { Title = lines.Length > 1 ? name : null, Color = color, MarkerType = MarkerType.Circle, MarkerSize = 3, MarkerFill = color };
            foreach (var epoch in Result.Epochs)
                if (double.IsFinite(value(epoch))) series.Points.Add(new DataPoint(epoch.Epoch, value(epoch)));
            plot.Series.Add(series);
        }
        return SvgFigure.Export(plot, title.Replace(' ', '-'));
    }

    private void Diagnosis(StringBuilder text, TrainingDoctor doctor)
    {
        text.Append("<h2>Training doctor</h2>");
        var advice = doctor.Advice(Result.Epochs);
        text.Append("<ul>").AppendJoin("", advice.Select(line => $"<li>{Escape(line)}</li>")).Append("</ul>\n");
        if (advice.Count == 0) text.Append("<p>Nothing to complain of.</p>\n");
        if (doctor.History.Any(row => row.GradientNorm > 0)) Figure(text, Gradients(doctor), "2-norm of each layer's gradient, at the second step of each epoch.");
        var names = doctor.History.Select(row => row.Layer).Distinct().Order(StringComparer.Create(CultureInfo.InvariantCulture, CompareOptions.NumericOrdering));
        Table(text, "Layers", ["layer", "gradient norm, first epoch", "last epoch", "update / weight, first epoch", "last epoch", "dead or saturated, at first", "at last"], names.Select(name =>
        {
            var rows = doctor.History.Where(row => row.Layer == name).ToArray();
            return (string[])[name, .. Ends(rows, row => row.GradientNorm, "0.0E+0"), .. Ends(rows, row => row.UpdateRatio, "0.0E+0"), .. Ends(rows, row => row.Idle, "P1")];
        }));

        static IEnumerable<string> Ends(LayerReading[] rows, Func<LayerReading, double> value, string format)
        {
            double[] known = [.. rows.Select(value).Where(double.IsFinite)];
            return known.Length == 0 ? ["", ""] : [Format(known[0], format), Format(known[^1], format)];
        }
    }

    private static string Gradients(TrainingDoctor doctor)
    {
        const int most = 8;
        var layers = doctor.History.Where(row => row.GradientNorm > 0).GroupBy(row => row.Layer).ToArray();
        // Of a deep network some layers, evenly spread, the first and the last among them: more lines cannot be told apart.
        if (layers.Length > most) layers = [.. Enumerable.Range(0, most).Select(i => layers[i * (layers.Length - 1) / (most - 1)])];
        var plot = new PlotModel { Title = "Gradient norms", DefaultFontSize = 14, PlotMargins = new OxyThickness(78, 10, double.NaN, 50), Background = OxyColors.White };
        plot.Axes.Add(new LinearAxis { Position = AxisPosition.Bottom, Title = "epoch", MinimumMajorStep = 1, MinorTickSize = 0, MajorGridlineStyle = LineStyle.Dot });
        plot.Axes.Add(new LogarithmicAxis { Position = AxisPosition.Left, Title = "2-norm of the gradient", AxisTitleDistance = 18, MajorGridlineStyle = LineStyle.Dot });
        plot.Legends.Add(new Legend { LegendTitle = "layer", LegendPlacement = LegendPlacement.Outside, LegendPosition = LegendPosition.RightTop });
        for (var i = 0; i < layers.Length; i++)
        {
            // From dark to light in order of depth, which grey print keeps.
            var color = OxyColor.Interpolate(OxyColor.FromRgb(0, 60, 100), OxyColor.FromRgb(230, 159, 0), layers.Length == 1 ? 0 : (double)i / (layers.Length - 1));
            var series = new LineSeries { Title = layers[i].Key, Color = color, MarkerType = MarkerType.Circle, MarkerSize = 2.5, MarkerFill = color };
            series.Points.AddRange(layers[i].Select(row => new DataPoint(row.Epoch, row.GradientNorm)));
            plot.Series.Add(series);
        }
        return SvgFigure.Export(plot, "Gradients");
    }

    private void Confusion(StringBuilder text)
    {
        var counts = Evaluation.Confusion;
        var classes = counts.GetLength(0);
        text.Append("<h2>Confusion matrix</h2><p>Rows: the label. Columns: the best model's prediction.</p><div class=\"wide\"><table class=\"confusion\"><tr><th></th>");
        for (var j = 0; j < classes; j++) text.Append(CultureInfo.InvariantCulture, $"<th>{Escape(ClassNames[j])}</th>");
        text.Append("</tr>");
        for (var i = 0; i < classes; i++)
        {
            var total = Enumerable.Range(0, classes).Sum(j => counts[i, j]);
            text.Append(CultureInfo.InvariantCulture, $"<tr><th>{Escape(ClassNames[i])}</th>");
            for (var j = 0; j < classes; j++)
            {
                var share = total == 0 ? 0 : (double)counts[i, j] / total;
                var color = i == j ? "0,114,178" : "213,94,0";
                text.Append(CultureInfo.InvariantCulture, $"<td style=\"background:rgba({color},{share * 0.6:0.00})\">{counts[i, j]}</td>");
            }
            text.Append("</tr>");
        }
        text.Append("</table></div>\n");
    }

    private static void Images(StringBuilder text, string title, string caption, IReadOnlyList<CaptionedImage> images, int side)
    {
        if (images.Count == 0) return;
        text.Append(CultureInfo.InvariantCulture, $"<h2>{title}</h2><p>{caption}</p><div class=\"sheet\" style=\"--side:{side}px\">");
        foreach (var (address, label) in images)
            text.Append(CultureInfo.InvariantCulture, $"<figure><img src=\"{address}\" alt=\"{Escape(label)}\"><figcaption>{Escape(label)}</figcaption></figure>");
        text.Append("</div>\n");
    }

    private static void Table(StringBuilder text, string title, string[] heads, IEnumerable<string[]> rows)
    {
        text.Append(CultureInfo.InvariantCulture, $"<h2>{title}</h2><div class=\"wide\"><table><tr>{string.Concat(heads.Select(head => $"<th>{head}</th>"))}</tr>");
        foreach (var row in rows) text.Append(CultureInfo.InvariantCulture, $"<tr>{string.Concat(row.Select(cell => $"<td>{Escape(cell)}</td>"))}</tr>");
        text.Append("</table></div>\n");
    }

    private static void Figure(StringBuilder text, string svg, string caption) =>
        text.Append(CultureInfo.InvariantCulture, $"<figure>{svg}<figcaption>{caption}</figcaption></figure>\n");

    private static string Format(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    private static string Escape(string text) => WebUtility.HtmlEncode(text);
}
