using System.Text.RegularExpressions;
using System.Xml.Linq;
using Adjoint.Data;
using Adjoint.Experiments;
using Adjoint.Nn;
using Adjoint.Tests.Training;
using Adjoint.Training;

namespace Adjoint.Tests.Experiments;

/// <summary>The page of a run: what stands in it, and that no run is too odd for it.</summary>
public sealed class RunReportTests
{
    private static Field Input(params int[] sizes) => new(Field.Inputs, sizes, DType.Float32);

    private const string Hostile = "<script>alert(1)</script>\"'&\u0001\u001b[31m\ud800";

    [Fact]
    public void Layers_stand_in_the_order_in_which_a_sample_passes_them_with_name_and_shape()
    {
        var model = new Sequential([.. Enumerable.Range(0, 12)
            .Select(i => (Layer)(i % 2 == 0 ? new Linear(4, 4) : new Relu()))]);
        var rows = LayerRow.Of(model, Input(4));
        Assert.Equal(Enumerable.Range(0, 12).Select(i => $"{i}"), rows.Select(row => row.Path));
        Assert.Equal(("Linear(4 → 4)", "4", "weight 4×4, bias 4", 20),
            (rows[10].Name, rows[10].Output, rows[10].Parameters, rows[10].Count));
        Assert.Equal(("Relu", "4", "", 0), (rows[11].Name, rows[11].Output, rows[11].Parameters, rows[11].Count));
        var html = Report() with { Layers = rows };
        Assert.Equal(rows.Select(row => row.Path), Column(html.ToHtml(), "Layers"));
        Assert.Contains("<td>parameters</td><td>120</td>", html.ToHtml(), StringComparison.Ordinal);
    }

    [Fact]
    public void Layers_of_images_show_channels_and_planes_and_those_not_passed_come_last()
    {
        var rows = LayerRow.Of(new Forked(), Input(1, 8, 8));
        Assert.Equal(["second", "first", "idle"], rows.Select(row => row.Path));
        Assert.Equal(["2×8×8", "3×6×6", ""], rows.Select(row => row.Output));
        Assert.Equal("weight 2×1×1×1, bias 2", rows[0].Parameters);
    }

    [Fact]
    public void A_shared_parameter_counts_once()
    {
        var layer = new Linear(3, 3);
        Assert.Equal(12, LayerRow.Of(new Sequential(layer, new Relu(), layer), Input(3)).Sum(row => row.Count));
        var tied = new Tied(layer.Weight);
        var rows = LayerRow.Of(new Sequential(layer, tied), Input(3));
        Assert.Equal([(12L, "weight 3×3, bias 3"), (0L, "weight 3×3 (shared)")],
            rows.Select(row => (row.Count, row.Parameters)));
    }

    [Fact]
    public void Ranks_are_shown_where_a_run_has_several()
    {
        Assert.DoesNotContain("Ranks", Report().ToHtml(), StringComparison.Ordinal);
        var folder = Directory.CreateTempSubdirectory("adjoint-").FullName;
        try
        {
            File.WriteAllLines(Path.Combine(folder, "ranks.jsonl"),
                [RankEpochsTests.Line(1, ("a<b>", 1000, 3, 1), ("c", 234, 1, 3))]);
            var html = (Report() with { Ranks = RankEpochs.Load(folder) }).ToHtml();
            Assert.Equal(["0", "1"], Column(html, "Ranks"));
            Assert.Contains("2 processes trained together, on 1,234 samples per second in the last epoch.", html,
                StringComparison.Ordinal);
            Assert.Contains("The skew is 50.0 % (", html, StringComparison.Ordinal);
            Assert.Contains("<td>a&lt;b&gt;</td><td>1,000</td><td>3.00</td><td>1.00</td>", html,
                StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Looking_at_layers_changes_nothing()
    {
        var model = new Sequential(new BatchNorm(1), new Flatten(), new Linear(4, 2));
        var before = model.StateDict().ToDictionary(entry => entry.Key, entry => entry.Value.ToArray<float>());
        Assert.Equal(3, LayerRow.Of(model, Input(1, 2, 2)).Count);
        Assert.True(model.IsTraining);
        foreach (var (name, value) in model.StateDict()) Assert.Equal(before[name], value.ToArray<float>());
    }

    [Fact]
    public void Precision_and_recall_of_each_class_are_told()
    {
        // By hand. Label 0: 5 right of 6; predicted 0: 5 of 9. Nothing has label 2, nothing is taken for 3.
        int[,] confusion = { { 5, 0, 1, 0 }, { 2, 7, 0, 0 }, { 0, 0, 0, 0 }, { 2, 1, 0, 0 } };
        var scores = ClassScore.Of(confusion);
        Assert.Equal([6, 9, 0, 3], scores.Select(score => score.Samples));
        Assert.Equal([9, 8, 1, 0], scores.Select(score => score.Predicted));
        Assert.Equal([5 / 9.0, 7 / 8.0, 0, double.NaN], scores.Select(score => score.Precision));
        Assert.Equal([5 / 6.0, 7 / 9.0, double.NaN, 0], scores.Select(score => score.Recall));
        var html =
            (Report() with
            {
                Evaluation = Measures.Evaluation(0.5, 12 / 18.0, confusion),
                ClassNames = ["a", "b", "c", "d"]
            })
            .ToHtml();
        Assert.Contains("<tr><td>a</td><td>6</td><td>9</td><td>5</td><td>55.56 %</td><td>83.33 %</td></tr>", html,
            StringComparison.Ordinal);
        Assert.Contains("<tr><td>c</td><td>0</td><td>1</td><td>0</td><td>0.00 %</td><td>–</td></tr>", html,
            StringComparison.Ordinal);
        Assert.Contains("<tr><td>d</td><td>3</td><td>0</td><td>0</td><td>–</td><td>0.00 %</td></tr>", html,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Training_accuracy_says_on_how_many_samples_and_when()
    {
        var report = Report() with
        {
            Training = Measures.Evaluation(0.1, 0.75, new[,] { { 2, 1 }, { 0, 1 } }),
            TrainingSamples = 400
        };
        const string some = "<td>75.00 %</td><td>measured after training on 4 of the 400 training samples, "
            + "drawn at random, not augmented</td>";
        Assert.Contains(some, report.ToHtml(), StringComparison.Ordinal);
        var all = "measured after training on all 4 training samples, not augmented";
        Assert.Contains(all, (report with { TrainingSamples = 4 }).ToHtml(), StringComparison.Ordinal);
        Assert.DoesNotContain("training accuracy", Report().ToHtml(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_accuracy_has_an_interval_that_stays_between_0_and_100_percent()
    {
        var all = Report() with { Evaluation = Measures.Evaluation(0, 1, new[,] { { 10, 0 }, { 0, 10 } }) };
        Assert.Contains("of 20 samples; 95 % interval 83.89 % to 100.00 % (Wilson", all.ToHtml(),
            StringComparison.Ordinal);
        var none = Report() with { Evaluation = Measures.Evaluation(0, 0, new[,] { { 0, 10 }, { 10, 0 } }) };
        Assert.Contains("95 % interval 0.00 % to 16.11 % (Wilson", none.ToHtml(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(20)]
    [InlineData(4)]
    public void Accuracies_that_end_close_together_are_enlarged(int epochs)
    {
        // 10 % before training, then from 97.5 to 97.9 %: on one axis a flat line.
        var html = (Report() with { Result = Run(epochs, epoch => epoch == 0 ? 0.1 : 0.975 + 0.004 * epoch / epochs) })
            .ToHtml();
        var figure = Figures(html)[0];
        Assert.Contains(">whole range<", figure, StringComparison.Ordinal);
        var ticks = Ticks(figure);
        Assert.True(ticks.Count(tick => tick is > 97.4 and < 98) >= 3, string.Join(' ', ticks));
        // Where all lie far apart one axis is enough.
        html = (Report() with { Result = Run(epochs, epoch => 0.1 + 0.8 * epoch / epochs) }).ToHtml();
        Assert.DoesNotContain(">whole range<", Figures(html)[0], StringComparison.Ordinal);
    }

    [Fact]
    public void A_page_is_readable_in_the_dark_and_is_well_formed()
    {
        var html = Report().ToHtml();
        Assert.Contains("@media screen and (prefers-color-scheme: dark)", html, StringComparison.Ordinal);
        Assert.All(Figures(html), figure => Assert.NotNull(XDocument.Parse(figure).Root));
    }

    [Fact]
    public void Text_from_files_is_text_on_the_page()
    {
        var reading = new LayerReading(1, Hostile, 1, 0.1, 0.5);
        var html = (Report() with
        {
            Title = Hostile,
            Settings = [(Hostile, Hostile)],
            ClassNames = [Hostile, Hostile],
            Mistakes = [new("data:,", Hostile)],
            Layers = [new(Hostile, Hostile, "2", Hostile, 3)],
        }).ToHtml();
        Assert.DoesNotContain("<script", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(html, sign => char.IsControl(sign) && sign is not ('\n' or '\r'));
        var figure = RunFigures.Gradients([reading, reading with { Epoch = 2 }])!;
        Assert.Contains("<script>alert(1)</script>", figure.Value, StringComparison.Ordinal);
    }

    public static TheoryData<string, RunReport> Odd => new()
    {
        { "no epoch", Report() with { Result = new([], true, Measures.Score) } },
        { "only before training", Report() with { Result = Run(0, _ => 0.1) } },
        { "one epoch", Report() with { Result = Run(1, _ => 0.1) } },
        { "a thousand epochs", Report() with { Result = Run(1000, epoch => epoch / 1000.0) } },
        { "NaN", Report() with { Result = new([new(0, null, double.NaN, Measures.Accuracy(double.NaN), 1),
            new(1, double.NaN, double.NaN, Measures.Accuracy(double.NaN), double.NaN)], false, Measures.Score) } },
        { "infinity", Report() with { Result = new([new(0, null, double.PositiveInfinity, Measures.Accuracy(0), 1),
            new(1, 1e300, -1e300, Measures.Accuracy(1), 1)], false, Measures.Score) } },
        { "all the same", Report() with { Result = Run(9, _ => 0.5) } },
        { "one class",
            Report() with { Evaluation = Measures.Evaluation(0, 1, new[,] { { 7 } }), ClassNames = ["only"] } },
        { "hundred classes", Report() with { Evaluation = Measures.Evaluation(1, 0, new int[100, 100]),
            ClassNames = [.. Enumerable.Range(0, 100).Select(i => $"class {i}")] } },
        { "more classes than names",
            Report() with { Evaluation = Measures.Evaluation(1, 0, new int[3, 3]), ClassNames = ["a"] } },
        { "no samples", Report() with { Evaluation = Measures.Evaluation(double.NaN, double.NaN, new int[0, 0]),
            Training = Measures.Evaluation(double.NaN, double.NaN, new int[0, 0]) } },
        { "nothing",
            new("", [], new([], true, Measures.Score), Measures.Evaluation(double.NaN, double.NaN, new int[0, 0]), [],
                null) },
    };

    [Theory, MemberData(nameof(Odd))]
    public void No_run_is_too_odd_for_its_page(string name, RunReport report)
    {
        var html = report.ToHtml();
        Assert.EndsWith("</html>\n", html, StringComparison.Ordinal);
        Assert.All(Figures(html), figure =>
        {
            Assert.NotNull(XDocument.Parse(figure).Root);
            Assert.False(Regex.IsMatch(figure, "NaN|∞|Infinity"), name);
        });
    }

    [Fact]
    public void Gradients_that_are_not_finite_are_left_out()
    {
        Assert.Null(RunFigures.Gradients([new(1, "a", double.NaN, 0, 0), new(1, "b", double.PositiveInfinity, 0, 0),
            new(1, "c", 0, 0, 0)]));
        Assert.NotNull(RunFigures.Gradients([new(1, "a", 1, 0, 0), new(1, "b", double.PositiveInfinity, 0, 0)]));
    }

    private static RunReport Report() =>
        new("title", [("lr", "1")], Run(3, epoch => 0.2 * epoch),
            Measures.Evaluation(0.5, 0.5, new[,] { { 1, 1 }, { 1, 1 } }),
            ["a", "b"], null);

    private static TrainingResult Run(int epochs, Func<int, double> accuracy) =>
        new([.. Enumerable.Range(0, epochs + 1).Select(epoch =>
            new EpochResult(epoch, epoch == 0 ? null : 1.0 / epoch, 1, Measures.Accuracy(accuracy(epoch)), 1))], false,
                Measures.Score);

    private static string[] Figures(string html) => [.. Regex.Matches(html, "<svg .*?</svg>", RegexOptions.Singleline)
        .Select(match => match.Value)];

    private static double[] Ticks(string figure) =>
        [.. Regex.Matches(figure, @">(-?[0-9.]+)</text>")
            .Select(match => double.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture))];

    private static string[] Column(string html, string title)
    {
        var table = html[html.IndexOf($"<h2>{title}</h2>", StringComparison.Ordinal)..];
        table = table[..table.IndexOf("</table>", StringComparison.Ordinal)];
        return [.. Regex.Matches(table, "<tr><td>(.*?)</td>").Select(match => match.Groups[1].Value)];
    }

    private sealed class Forked : Layer
    {
        private readonly Conv2d first, second;

        public Forked()
        {
            first = AddChild("first", new Conv2d(2, 3, 3));
            AddChild("idle", new Relu());
            second = AddChild("second", new Conv2d(1, 2, 1));
        }

        protected override Tensor ForwardCore(Tensor x) => first.Forward(second.Forward(x));
    }

    private sealed class Tied : Layer
    {
        private readonly Tensor weight;

        public Tied(Tensor weight) => this.weight = AddParameter("weight", weight);

        protected override Tensor ForwardCore(Tensor x) => x.MatMul(weight);
    }
}
