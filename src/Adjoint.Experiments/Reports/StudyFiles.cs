using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Adjoint.IO;
using Adjoint.Shared;
using Adjoint.Training;

namespace Adjoint.Experiments;

/// <summary>
/// The files of a study beside its page: figures as SVG, numbers as CSV and JSON, verdicts as Markdown.
/// </summary>
public static class StudyFiles
{
    /// <summary>
    /// Writes <c>report.html</c>, <c>figures/</c>, <c>results.json</c>, <c>epochs.csv</c> and <c>verdicts.md</c>, each
    /// whole or not at all.
    /// </summary>
    /// <param name="report">What to write.</param>
    /// <param name="folder">Where; what has these names is replaced.</param>
    public static void Write(StudyReport report, string folder)
    {
        var figures = Path.Combine(folder, "figures");
        // The folder's lock cleans the folder alone.
        if (Directory.CreateDirectory(figures).LinkTarget is null) AtomicFile.RemoveAbandoned(figures);
        foreach (var one in report.Experiments)
            foreach (var plot in one.Experiment.Plots)
                AtomicFile.WriteText(Path.Combine(figures, $"figure-{plot.Number}.svg"),
                    Html.Write(CurveFigure.Draw(plot, one.Experiment, one.Runs, report.Mark is null ? null : "QUICK")));
        AtomicFile.WriteText(Path.Combine(folder, "epochs.csv"), Csv(report));
        AtomicFile.Write(Path.Combine(folder, "results.json"), stream => Json(report, stream));
        var mark = report.Mark is null ? "" : report.Mark + "\n\n";
        AtomicFile.WriteText(Path.Combine(folder, "verdicts.md"), mark + report.ToMarkdown());
        AtomicFile.WriteText(Path.Combine(folder, "report.html"), report.ToHtml());
    }

    private static string Csv(StudyReport report)
    {
        var text = new StringBuilder("experiment,case,seed,epoch,");
        text.Append("train_loss,validation_loss,validation_accuracy,seconds\n");
        foreach (var one in report.Experiments)
        {
            var name = CsvCell.Text(one.Experiment.Name + (report.Mark is null ? "" : " (quick)"));
            foreach (var each in one.Runs.Cases)
                foreach (var (seed, epochs) in one.Runs.Of(each.Label))
                    foreach (var epoch in epochs)
                    {
                        text.Append(CultureInfo.InvariantCulture, $"{name},{CsvCell.Text(each.Label)},{seed},");
                        text.Append(CultureInfo.InvariantCulture, $"{epoch.Epoch},{epoch.TrainLoss},");
                        text.Append(CultureInfo.InvariantCulture,
                            $"{epoch.ValidationLoss},{epoch.ValidationAccuracy},{epoch.Seconds:0.000}\n");
                    }
        }
        return text.ToString();
    }

    private static void Json(StudyReport report, Stream stream)
    {
        // Relaxed: a file of its own, in which letters of every script stay readable.
        var options = new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using var json = new Utf8JsonWriter(stream, options);
        json.WriteStartObject();
        json.WriteString("title", report.Title);
        if (report.Mark is not null) json.WriteString("mark", report.Mark);
        if (report.Note is not null) json.WriteString("note", report.Note);
        if (report.Time is { } time)
        {
            json.WritePropertyName("time");
            time.Write(json);
        }
        json.WriteStartArray("experiments");
        foreach (var one in report.Experiments)
        {
            json.WriteStartObject();
            json.WriteString("name", one.Experiment.Name);
            json.WriteString("title", one.Experiment.Title);
            if (one.Experiment.Reading is { } reading)
            {
                json.WriteStartObject("reading");
                json.WriteString("of", reading.Of);
                json.WriteString("label", reading.Label);
                json.WriteEndObject();
            }
            json.WriteString("measure", one.Experiment.Measure.Name);
            json.WriteStartArray("choices");
            foreach (var choice in one.Experiment.Choices) json.WriteStringValue(choice);
            json.WriteEndArray();
            json.WriteStartArray("cases");
            foreach (var each in one.Runs.Cases) Case(json, one, each);
            json.WriteEndArray();
            json.WriteStartArray("claims");
            foreach (var finding in one.Findings) Claim(json, report, finding);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("trials");
        foreach (var (trial, result) in report.Trials)
        {
            json.WriteStartObject();
            json.WriteString("key", trial.Key);
            json.WriteStartArray("cases");
            foreach (var one in trial.Cases) json.WriteStringValue(one);
            json.WriteEndArray();
            json.WriteNumber("seconds", Math.Round(result.Seconds, 3));
            json.WriteString("machine", result.Machine);
            json.WriteString("command", result.Command);
            if (result.Problem is not null) json.WriteString("problem", result.Problem);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Case(Utf8JsonWriter json, ExperimentOutcome one, Case each)
    {
        var sample = Sample.Of(one.Runs.Values(each.Label, one.Experiment.Measure));
        var (low, high) = one.Experiment.Measure.Possible(sample.MeanInterval());
        json.WriteStartObject();
        json.WriteString("label", each.Label);
        json.WriteStartObject("settings");
        foreach (var (name, value) in each.Settings) json.WriteString(name, value);
        json.WriteEndObject();
        Number(json, "mean", sample.Mean);
        Number(json, "standardDeviation", sample.Deviation);
        Number(json, "low95", low);
        Number(json, "high95", high);
        json.WriteStartArray("runs");
        foreach (var (seed, epochs) in one.Runs.Of(each.Label))
        {
            json.WriteStartObject();
            json.WriteNumber("seed", seed);
            Number(json, "value", one.Experiment.Measure.Of(epochs));
            json.WriteNumber("bestEpoch", epochs.MaxBy(epoch => epoch.ValidationAccuracy)!.Epoch);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Claim(Utf8JsonWriter json, StudyReport report, Finding finding)
    {
        json.WriteStartObject();
        json.WriteString("claim", finding.Claim.Text);
        json.WriteString("verdict", report.VerdictText(finding));
        json.WriteString("rule", string.Join("; and ", finding.Claim.Rules.Select(rule => rule.Text)));
        json.WriteStartArray("evidence");
        foreach (var one in finding.Evidence)
        {
            json.WriteStartObject();
            json.WriteString("compared", $"{one.Compared}");
            Number(json, "estimate", one.Estimate);
            Number(json, "low95", one.Low);
            Number(json, "high95", one.High);
            json.WriteString("test", one.Test);
            Number(json, "p", one.P);
            Number(json, "adjustedP", one.AdjustedP);
            json.WriteString("effect", one.Effect);
            json.WriteNumber("seeds", one.Seeds);
            if (one.SeedsNeeded is { } needed) json.WriteNumber("seedsThatWouldSettleIt", needed);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Number(Utf8JsonWriter json, string name, double value)
    {
        if (double.IsFinite(value)) json.WriteNumber(name, value);
        else json.WriteNull(name);
    }
}
