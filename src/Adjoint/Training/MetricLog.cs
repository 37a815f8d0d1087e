using System.Text.Json;
using Adjoint.IO;

namespace Adjoint.Training;

/// <summary>Appends one JSON object per epoch to a file.</summary>
/// <param name="path">The path of the file.</param>
public sealed class MetricLog(string path) : Callback
{
    /// <inheritdoc/>
    public override void AfterEpoch(Trainer trainer, EpochResult epoch)
    {
        if (epoch.Epoch == 0)
        {
            // In place of whatever is there, be it a pipe that nobody reads.
            AtomicFile.Write(path, whole => whole.Write(Line(epoch)));
            return;
        }
        using var file = new FileStream(path, FileMode.Append);
        file.Write(Line(epoch));
    }

    /// <summary>
    /// Cuts the file back to the epochs of the state: it may hold later ones, or half a line, of a run that was killed.
    /// </summary>
    /// <param name="trainer">The trainer of the run.</param>
    /// <param name="state">The state to resume from.</param>
    public override void Load(Trainer trainer, TrainingState state) => AtomicFile.Write(path, file =>
    {
        foreach (var epoch in trainer.Results) file.Write(Line(epoch));
    });

    /// <summary>Appends the measures of the best model on the test samples.</summary>
    /// <param name="epoch">The epoch of the model.</param>
    /// <param name="test">Its loss and metrics on the test samples.</param>
    public void AddTest(int epoch, Evaluation test)
    {
        using var file = new FileStream(path, FileMode.Append);
        file.Write(Line(json =>
        {
            json.WriteStartObject();
            json.WriteNumber("epoch", epoch);
            WriteNumber(json, "testLoss", test.Loss);
            WriteNumber(json, "testAccuracy", test.Accuracy);
            WriteMetrics(json, "testMetrics", test.Metrics);
            json.WriteEndObject();
        }));
    }

    /// <summary>Appends why the run diverged; a run that goes on from an earlier state removes it.</summary>
    /// <param name="problem">The epoch and the cause.</param>
    public void AddProblem(DivergedException problem)
    {
        using var file = new FileStream(path, FileMode.Append);
        file.Write(Line(json =>
        {
            json.WriteStartObject();
            json.WriteNumber("epoch", problem.Epoch);
            json.WriteString("problem", problem.Message);
            json.WriteEndObject();
        }));
    }

    private static ReadOnlySpan<byte> Line(EpochResult epoch) => Line(json => Write(json, epoch));

    private static ReadOnlySpan<byte> Line(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer)) write(json);
        buffer.WriteByte((byte)'\n');
        return buffer.ToArray();
    }

    /// <summary>Writes the JSON object of one epoch. Numbers that are not finite are written as null.</summary>
    /// <param name="json">The writer to write to.</param>
    /// <param name="epoch">The measures of the epoch.</param>
    public static void Write(Utf8JsonWriter json, EpochResult epoch)
    {
        json.WriteStartObject();
        json.WriteNumber("epoch", epoch.Epoch);
        WriteNumber(json, "trainLoss", epoch.TrainLoss);
        WriteNumber(json, "validationLoss", epoch.ValidationLoss);
        WriteNumber(json, "validationAccuracy", epoch.ValidationAccuracy);
        WriteNumber(json, "seconds", epoch.Seconds);
        WriteMetrics(json, "metrics", epoch.Metrics);
        json.WriteEndObject();
    }

    /// <summary>Writes metrics as a JSON object by name. Numbers that are not finite are written as null.</summary>
    /// <param name="json">The writer to write to.</param>
    /// <param name="property">The name of the object.</param>
    /// <param name="metrics">The metrics, by name.</param>
    public static void WriteMetrics(Utf8JsonWriter json, string property, IReadOnlyDictionary<string, double> metrics)
    {
        json.WriteStartObject(property);
        foreach (var (name, value) in metrics) WriteNumber(json, name, value);
        json.WriteEndObject();
    }

    /// <summary>Writes a number; null where it is not finite, or there is none.</summary>
    /// <param name="json">The writer to write to.</param>
    /// <param name="name">The name of the property.</param>
    /// <param name="value">The number, or null.</param>
    public static void WriteNumber(Utf8JsonWriter json, string name, double? value)
    {
        if (value is { } number && double.IsFinite(number)) json.WriteNumber(name, number);
        else json.WriteNull(name);
    }
}
