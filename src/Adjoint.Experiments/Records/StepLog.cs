using System.Text.Json;
using Adjoint.Data;
using Adjoint.IO;
using Adjoint.Training;

namespace Adjoint.Experiments;

/// <summary>
/// Writes the training loss within epochs to <c>steps.jsonl</c> in the run's folder, so that others can watch it: a few
/// lines per second at most, about a thousand in all (<see cref="StepHistory"/>). It is no part of the result: where it
/// cannot be written, the run goes on without it.
/// </summary>
/// <param name="folder">The folder of the run.</param>
/// <param name="history">Chooses the points; null: a new one.</param>
public sealed class StepLog(string folder, StepHistory? history = null) : Callback
{
    private const string FileName = "steps.jsonl";
    private const int MaxBytes = 1 << 20;
    private readonly string path = Path.Combine(folder, FileName);
    private readonly StepHistory history = history ?? new();
    private bool isBroken;

    /// <inheritdoc/>
    public override void AfterBatch(Trainer trainer, StepInfo step)
    {
        if (!history.Add(step, out var halved) || isBroken) return;
        Try(() =>
        {
            if (halved) WriteAll();
            else
            {
                using var file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
                Write(file, history.Points[^1]);
            }
        });
    }

    /// <inheritdoc/>
    public override void AfterEpoch(Trainer trainer, EpochResult epoch)
    {
        if (epoch.Epoch > 0) return;
        history.Restore([]);
        Try(() =>
        {
            // In place of whatever is there, be it a pipe that nobody reads.
            File.Delete(path);
            File.Create(path).Dispose();
        });
    }

    /// <summary>Cuts the file back to the epochs that the state has measured.</summary>
    /// <param name="trainer">The trainer of the run.</param>
    /// <param name="state">The state to resume from.</param>
    public override void Load(Trainer trainer, TrainingState state)
    {
        IReadOnlyList<StepLoss> earlier = [];
        try
        {
            earlier = Read(folder);
        }
        catch (DataFormatException)
        {
            // What somebody damaged is written anew.
        }
        history.Restore(earlier.Where(point => point.Epoch < trainer.Results.Count));
        Try(WriteAll);
    }

    /// <summary>Removes the file of a run that nobody watches any more.</summary>
    /// <param name="folder">The folder of the run.</param>
    public static void Remove(string folder) => File.Delete(Path.Combine(folder, FileName));

    /// <summary>Reads the points of a run, also while it writes them.</summary>
    /// <param name="folder">The folder of the run.</param>
    /// <returns>The points in the order of the steps; none where there is no file.</returns>
    /// <exception cref="DataFormatException">The file is damaged.</exception>
    public static IReadOnlyList<StepLoss> Read(string folder)
    {
        var points = new List<StepLoss>();
        JsonLines.Read(Path.Combine(folder, FileName), MaxBytes, "the loss around a step", json =>
        {
            var point = new StepLoss(json.GetProperty("epoch").GetInt32(), json.GetProperty("step").GetInt32(),
                json.GetProperty("steps").GetInt32(), json.GetProperty("loss").GetDouble());
            if (point.Epoch < 1 || point.Step < 1 || point.Step > point.Steps || !double.IsFinite(point.Loss))
                throw new FormatException($"{point} is no step of an epoch");
            points.Add(point);
        });
        return points;
    }

    private void WriteAll() => AtomicFile.Write(path, file =>
    {
        foreach (var point in history.Points) Write(file, point);
    });

    private static void Write(Stream file, StepLoss point)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("epoch", point.Epoch);
            json.WriteNumber("step", point.Step);
            json.WriteNumber("steps", point.Steps);
            json.WriteNumber("loss", point.Loss);
            json.WriteEndObject();
        }
        buffer.WriteByte((byte)'\n');
        buffer.WriteTo(file);
    }

    private void Try(Action write)
    {
        try
        {
            write();
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or AdjointException)
        {
            isBroken = true;
        }
    }
}
