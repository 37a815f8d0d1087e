using System.Globalization;
using System.Xml.Linq;
using Adjoint.Shared;
using OxyPlot;
using OxyPlot.Legends;
using OxyPlot.Series;

namespace Adjoint.Experiments;

/// <summary>
/// Runs beside each other: the curves of what all of them measured, the settings that differ, best and final values.
/// Each run is called by a letter too, in the order in which they are given.
/// </summary>
/// <param name="Runs">The runs to compare, at most <see cref="MostRuns"/>.</param>
public sealed record RunComparison(IReadOnlyList<NamedRun> Runs)
{
    /// <summary>The largest number of runs that are compared, which is that of the letters.</summary>
    public const int MostRuns = 26;

    private const string Style = """
        body { max-width: 60rem } th, td { text-align: left; vertical-align: top }
        .n { text-align: right; white-space: nowrap } .quiet { color: var(--quiet) }
        """;

    /// <summary>What all runs measured, by name, in the order of the first run.</summary>
    public IReadOnlyList<string> Shared => [.. Runs[0].Run.Metrics.Names.Where(name =>
        Runs.All(one => one.Run.Metrics.Of(name).Count > 0))];

    /// <summary>What some of the runs measured, with the letters of these.</summary>
    public IReadOnlyList<(string Name, string Letters)> Unshared =>
    [
        .. Runs.SelectMany(one => one.Run.Metrics.Names).Distinct().Except(Shared).Select(name => (name,
            string.Concat(Runs.Select((one, i) => one.Run.Metrics.Of(name).Count > 0 ? $"{Letter(i)}" : "")))),
    ];

    /// <summary>
    /// The settings that are not the same in all runs, with the value of each run; null where it has none.
    /// </summary>
    public IReadOnlyList<(string Name, IReadOnlyList<string?> Values)> Differences =>
    [
        .. Runs.SelectMany(one => one.Run.Settings.Select(row => row.Name)).Distinct()
            .Select(name => (name, (IReadOnlyList<string?>)[.. Runs.Select(one => one.Run[name])]))
            .Where(row => row.Item2.Distinct().Count() > 1),
    ];

    /// <summary>The letter of a run.</summary>
    /// <param name="place">The place of the run, from 0.</param>
    /// <returns>A for the first run, B for the second, and so on.</returns>
    public static char Letter(int place) => (char)('A' + place);

    /// <summary>Writes a page: self-contained, no script, light or dark, readable on a phone and in print.</summary>
    /// <returns>The whole page as HTML.</returns>
    public string ToHtml() => ReportPage.Write($"{Runs.Count} runs compared", Style,
        ReportPage.Wide("",
        [
            Row("th", ["", "run", "state", "epochs", "time / s"], 3),
            .. Runs.Select((one, i) => Row("td",
                [
                    $"{Letter(i)}", one.Name, $"{one.Run.State}".ToLowerInvariant() + Problem(one.Run),
                    Format($"{one.Run.Metrics.LastEpoch ?? 0}"), Format($"{one.Run.Metrics.Seconds:0.0}"),
                ], 3)),
        ]),
        Shared.Count == 0 ? new XElement("p", "The runs have measured nothing in common.") : null,
        Shared.Select((name, i) => ReportPage.Figure(Figure(name, i),
            $"{char.ToUpperInvariant(MetricNames.Title(name)[0])}{MetricNames.Title(name)[1..]} by epoch; epoch 0 is "
            + "before training.")),
        Unshared.Count == 0 ? null : new XElement("p", Html.Class("quiet"), "Not measured in all of them: "
            + string.Join(", ", Unshared.Select(one => $"{MetricNames.Title(one.Name)} ({one.Letters})")) + "."),
        new XElement("h2", "Best and final values"), Values(),
        new XElement("h2", "Settings that differ"),
        Differences.Count == 0 ? new XElement("p", "None.")
            : ReportPage.Table(["setting", .. Runs.Select((_, i) => $"{Letter(i)}")],
                Differences.Select(row => (string[])[row.Name, .. row.Values.Select(value => value ?? "–")])));

    private XElement Values() => ReportPage.Wide("",
    [
        Row("th", ["measure", "", .. Runs.Select((_, i) => $"{Letter(i)}")], 2),
        .. Shared.SelectMany(name => (XElement[])
        [
            Row("td", [MetricNames.Title(name), "best (epoch)",
                .. Runs.Select(one => one.Run.Metrics.Best(name) is { } best
                    ? Format($"{best.Value:G5} ({best.Epoch})") : "–")], 2),
            Row("td", ["", "final", .. Runs.Select(one => one.Run.Metrics.Final(name) is { } final
                ? Format($"{final.Value:G5}") : "–")], 2),
        ]),
    ]);

    private XElement Figure(string name, int number)
    {
        var model = new PlotModel
        {
            Title = MetricNames.Title(name),
            TitleFontSize = 17,
            DefaultFontSize = 15,
            PlotMargins = new OxyThickness(78, double.NaN, 20, 58),
            Padding = new OxyThickness(8, 12, 8, 8),
            Background = OxyColors.White,
        };
        var last = Math.Max(1, Runs.Max(one => one.Run.Metrics.LastEpoch ?? 0));
        model.Axes.Add(EpochAxes.Bottom(last));
        var closeUp = EpochAxes.CloseUp(Runs.SelectMany(one => one.Run.Metrics.Of(name))
            .Select(one => (one.Epoch, one.Value)));
        model.Legends.Add(new Legend
        {
            LegendPlacement = LegendPlacement.Outside,
            LegendPosition = LegendPosition.BottomCenter,
            LegendOrientation = LegendOrientation.Horizontal,
            LegendItemSpacing = 26,
            LegendSymbolLength = 34,
            LegendMargin = 4,
            LegendLineSpacing = 4,
        });
        foreach (var axis in EpochAxes.AddValues(model, MetricNames.Title(name), closeUp))
            for (var i = 0; i < Runs.Count; i++)
            {
                var look = CurveLook.Of(i);
                var points = Runs[i].Run.Metrics.Of(name);
                var line = new LineSeries
                {
                    YAxisKey = axis,
                    Title = $"{Letter(i)}  {Runs[i].Name}",
                    RenderInLegend = axis is null,
                    Color = look.Color,
                    LineStyle = look.Style,
                    StrokeThickness = 2.2,
                    // A single point makes no line.
                    MarkerType = points.Count == 1 ? MarkerType.Circle : MarkerType.None,
                    MarkerFill = look.Color,
                };
                line.Points.AddRange(points.Select(one => new DataPoint(one.Epoch, one.Value)));
                model.Series.Add(line);
            }
        return SvgFigure.Export(model, $"figure-{number}", 900, closeUp is null ? 500 : 640);
    }

    private static string Problem(RecordedRun run) => run.Problem is { } problem ? $": {problem}" : "";

    // A row whose cells are numbers from a column on.
    private static XElement Row(string kind, IEnumerable<string> cells, int numbers) => new("tr", cells.Select(
        (cell, i) => new XElement(kind, kind == "th" ? new XAttribute("scope", "col") : null,
            i >= numbers ? Html.Class("n") : null, cell)));

    private static string Format(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
