using System.Text.Json;
using Adjoint.Data;
using Adjoint.IO;
using Adjoint.Training;

namespace Adjoint.Experiments;

/// <summary>The result of a complete trial: <c>result.json</c> in its folder.</summary>
/// <param name="Epochs">The epochs of the trial, the one before training first.</param>
/// <param name="Problem">Why it ended early, or null.</param>
/// <param name="Advice">What the training doctor found.</param>
/// <param name="Machine">The machine that it ran on, with versions.</param>
/// <param name="Command">The command that repeats the trial.</param>
public sealed record TrialResult(IReadOnlyList<EpochResult> Epochs, string? Problem, IReadOnlyList<string> Advice,
    string Machine, string Command)
{
    private const string FileName = "result.json";

    /// <summary>The time of all epochs, in seconds.</summary>
    public double Seconds => Epochs.Sum(epoch => epoch.Seconds);

    /// <summary>Writes the file, whole or not at all.</summary>
    /// <param name="folder">The folder of the trial.</param>
    public void Save(string folder) => AtomicFile.Write(Path.Combine(folder, FileName), stream =>
    {
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        json.WriteString("command", Command);
        json.WriteString("machine", Machine);
        if (Problem is not null) json.WriteString("problem", Problem);
        json.WriteStartArray("advice");
        foreach (var line in Advice) json.WriteStringValue(line);
        json.WriteEndArray();
        json.WriteStartArray("epochs");
        foreach (var epoch in Epochs) MetricLog.Write(json, epoch);
        json.WriteEndArray();
        json.WriteEndObject();
    });

    /// <summary>Reads the file.</summary>
    /// <param name="folder">The folder of the trial.</param>
    /// <returns>The result; null where there is no file, so that the trial is not complete.</returns>
    /// <exception cref="DataFormatException">It is damaged.</exception>
    public static TrialResult? Load(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path)) return null;
        return JsonFile.Read(path, "the result of a trial; remove the file to run the trial again", json =>
            new TrialResult(
                ReadEpochs(json.GetProperty("epochs")),
                json.TryGetProperty("problem", out var problem) ? problem.GetString() : null,
                [.. json.GetProperty("advice").EnumerateArray().Select(Text)],
                Text(json.GetProperty("machine")), Text(json.GetProperty("command"))));
    }

    // What is told of a trial is told of its epochs: without any, or out of order, a file tells nothing.
    private static EpochResult[] ReadEpochs(JsonElement json)
    {
        EpochResult[] epochs =
        [
            .. json.EnumerateArray().Select(epoch => new EpochResult(
                epoch.GetProperty("epoch").GetInt32(), Optional(epoch, "trainLoss"),
                Optional(epoch, "validationLoss") ?? double.NaN, Metrics(epoch),
                Optional(epoch, "seconds") ?? throw new FormatException("seconds is no number"))),
        ];
        return epochs.Length > 0 && epochs.Index().All(one => one.Item.Epoch == one.Index) ? epochs
            : throw new FormatException("its epochs are not numbered from 0");
    }

    // Files of version 0.2 have the accuracy alone.
    private static Dictionary<string, double> Metrics(JsonElement epoch) => epoch.TryGetProperty("metrics", out var all)
        ? all.EnumerateObject().ToDictionary(one => one.Name, one => Optional(all, one.Name) ?? double.NaN)
        : new() { ["accuracy"] = Optional(epoch, "validationAccuracy") ?? double.NaN };

    private static string Text(JsonElement json) => json.GetString() ?? throw new FormatException("null is no text");

    // Numbers that are not finite are null in the file.
    private static double? Optional(JsonElement epoch, string name)
    {
        var value = epoch.GetProperty(name);
        if (value.ValueKind == JsonValueKind.Null) return null;
        return value.GetDouble() is var number && double.IsFinite(number) ? number
            : throw new FormatException($"{name} is no finite number");
    }
}
