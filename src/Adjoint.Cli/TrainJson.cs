using System.Text.Json;
using Adjoint.Training;

namespace Adjoint.Cli;

/// <summary>The result of a training as the JSON object that <c>adjoint train --json</c> prints.</summary>
internal static class TrainJson
{
    /// <summary>One line.</summary>
    /// <param name="run">The training.</param>
    /// <param name="parameters">The number of its weights.</param>
    /// <param name="result">What came of it.</param>
    /// <param name="test">How the best model did on the test set; null: nobody asked.</param>
    /// <param name="problem">What ended it before its time; null: nothing.</param>
    internal static string Of(
        TrainingRun run, long parameters, TrainingResult result, Evaluation? test, string? problem)
    {
        var settings = run.Settings;
        return RunJson.Text(json =>
        {
            json.WriteStartObject();
            json.WriteString("dataset", settings.Get(TrainSettings.Dataset));
            json.WriteString("model", settings.Get(TrainSettings.Model));
            json.WriteNumber("parameters", parameters);
            json.WriteNumber("seed", settings.Get(TrainSettings.Seed));
            json.WriteNumber("threads", settings.Get(TrainSettings.Threads));
            json.WriteNumber("world", World.Current.Size);
            json.WriteNumber("shards", settings.Get(TrainSettings.Shards));
            json.WriteString("runDirectory", run.Folder);
            json.WriteStartArray("epochs");
            foreach (var epoch in result.Epochs) MetricLog.Write(json, epoch);
            json.WriteEndArray();
            Short(json, "best", result.Best);
            Short(json, "final", result.Final);
            if (test is not null)
            {
                json.WriteNumber("testLoss", test.Loss);
                MetricLog.WriteNumber(json, "testAccuracy", test.Accuracy);
                MetricLog.WriteMetrics(json, "testMetrics", test.Metrics);
            }
            if (problem is not null) json.WriteString("problem", problem);
            if (result.Capture is { } capture) Capture(json, capture);
            json.WriteEndObject();
        });
    }

    private static void Capture(Utf8JsonWriter json, CaptureReport capture)
    {
        json.WriteStartObject("capture");
        json.WriteNumber("replayed", capture.Replayed);
        json.WriteNumber("recorded", capture.Recorded);
        json.WriteNumber("eager", capture.Eager);
        json.WriteNumber("plans", capture.Plans);
        json.WriteNumber("operations", capture.Operations);
        json.WriteNumber("plannedBytes", capture.PlannedBytes);
        if (capture.Refusal is { } refusal) json.WriteString("refusal", refusal);
        json.WriteEndObject();
    }

    private static void Short(Utf8JsonWriter json, string name, EpochResult epoch)
    {
        json.WriteStartObject(name);
        json.WriteNumber("epoch", epoch.Epoch);
        MetricLog.WriteNumber(json, "validationAccuracy", epoch.ValidationAccuracy);
        MetricLog.WriteMetrics(json, "metrics", epoch.Metrics);
        json.WriteEndObject();
    }
}
