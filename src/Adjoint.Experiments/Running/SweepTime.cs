using System.Text.Json;
using Adjoint.Data;
using Adjoint.IO;

namespace Adjoint.Experiments;

/// <summary>
/// Where the time of a sweep went, over all its runs together: <c>time.json</c> in its folder. Of a run that was killed
/// nothing is known.
/// </summary>
/// <param name="Seconds">Seconds from beginning to end, by the clock.</param>
/// <param name="JobSeconds">
/// Seconds that its jobs were at work, summed over jobs: reading data, training, writing, reports. A job that has no
/// trial left is not at work; its core goes to the others.
/// </param>
/// <param name="TrainingSeconds">The part of these in which networks were trained and validated.</param>
public sealed record SweepTime(double Seconds, double JobSeconds, double TrainingSeconds)
{
    private const string FileName = "time.json";

    /// <summary>
    /// The share of the jobs' time that was not spent on training or validation, at least 0; NaN where nothing ran. An
    /// epoch that a killed run began counts whole as training.
    /// </summary>
    public double Overhead => JobSeconds > 0 ? Math.Max(0, 1 - TrainingSeconds / JobSeconds) : double.NaN;

    /// <summary>Adds the times of two runs of a sweep.</summary>
    /// <param name="other">The times of the other run.</param>
    /// <returns>The sum of each time.</returns>
    public SweepTime Plus(SweepTime other) =>
        new(Seconds + other.Seconds, JobSeconds + other.JobSeconds, TrainingSeconds + other.TrainingSeconds);

    /// <summary>Writes the file, whole or not at all.</summary>
    /// <param name="folder">The folder of the sweep.</param>
    public void Save(string folder) => AtomicFile.Write(Path.Combine(folder, FileName), stream =>
    {
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true });
        Write(json);
    });

    /// <summary>Writes the times as an object.</summary>
    /// <param name="json">Where the object is written.</param>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteNumber("seconds", Math.Round(Seconds, 3));
        json.WriteNumber("jobSeconds", Math.Round(JobSeconds, 3));
        json.WriteNumber("trainingSeconds", Math.Round(TrainingSeconds, 3));
        json.WriteEndObject();
    }

    /// <summary>Reads the file.</summary>
    /// <param name="folder">The folder of the sweep.</param>
    /// <returns>
    /// The times; null where there is no file, or one that cannot be read: a time is not worth failing for.
    /// </returns>
    public static SweepTime? Load(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path)) return null;
        try
        {
            return JsonFile.Read(path, "the time of a sweep", json =>
                new SweepTime(Number(json, "seconds"), Number(json, "jobSeconds"), Number(json, "trainingSeconds")));
        }
        catch (Exception error) when (error is DataFormatException or IOException)
        {
            return null;
        }
    }

    private static double Number(JsonElement json, string name) =>
        json.GetProperty(name).GetDouble() is >= 0 and < double.PositiveInfinity and var number ? number
        : throw new FormatException($"{name} is no time");
}
