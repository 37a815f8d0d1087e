using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Adjoint.Data;
using Adjoint.IO;
using Adjoint.Training;

namespace Adjoint.Experiments;

/// <summary>A trial that is complete: <c>result.json</c> of its folder.</summary>
/// <param name="Epochs">Each epoch.</param>
/// <param name="Problem">Why it ended early, or null.</param>
/// <param name="Advice">What the training doctor found.</param>
/// <param name="Machine">Where it ran, with versions.</param>
/// <param name="Command">What repeats it.</param>
public sealed record TrialResult(IReadOnlyList<EpochResult> Epochs, string? Problem, IReadOnlyList<string> Advice, string Machine, string Command)
{
    private const string FileName = "result.json";

    /// <summary>The time of all epochs.</summary>
    public double Seconds => Epochs.Sum(epoch => epoch.Seconds);

    /// <summary>This machine: processor, architecture, cores, system, runtime, version of the library.</summary>
    public static string ThisMachine { get; } =
        $"{Processor()}{Environment.ProcessorCount} cores {RuntimeInformation.ProcessArchitecture}, {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}, Adjoint {typeof(Tensor).Assembly.GetName().Version?.ToString(3)}";

    /// <summary>Writes the file, whole or not at all.</summary>
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

    /// <summary>Reads the file; null where there is none, so that the trial is not complete.</summary>
    /// <exception cref="DataFormatException">It is damaged.</exception>
    public static TrialResult? Load(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path)) return null;
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllText(path, Encoding.UTF8));
            var root = json.RootElement;
            return new(
                [.. root.GetProperty("epochs").EnumerateArray().Select(epoch => new EpochResult(epoch.GetProperty("epoch").GetInt32(), Optional(epoch, "trainLoss"), Number(epoch, "validationLoss"), Number(epoch, "validationAccuracy"), Number(epoch, "seconds")))],
                root.TryGetProperty("problem", out var problem) ? problem.GetString() : null,
                [.. root.GetProperty("advice").EnumerateArray().Select(line => line.GetString()!)], root.GetProperty("machine").GetString()!, root.GetProperty("command").GetString()!);
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new DataFormatException(path, 0, $"what does not parse ({error.Message.TrimEnd('.')})", "the result of a trial; remove the file to run the trial again");
        }
    }

    // .NET does not tell a processor's name; where the system does not either, it is left out.
    private static string Processor()
    {
        const string linux = "/proc/cpuinfo";
        var name = File.Exists(linux)
            ? File.ReadLines(linux).FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(": ")[^1]
            : Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER");
        return string.IsNullOrWhiteSpace(name) ? "" : name.Trim() + ", ";
    }

    // Numbers that are not finite are null in the file.
    private static double Number(JsonElement epoch, string name) => Optional(epoch, name) ?? double.NaN;

    private static double? Optional(JsonElement epoch, string name) => epoch.GetProperty(name) is { ValueKind: JsonValueKind.Number } number ? number.GetDouble() : null;
}
