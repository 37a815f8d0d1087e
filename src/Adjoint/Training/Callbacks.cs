using System.Text.Json;
using Adjoint.IO;

namespace Adjoint.Training;

/// <summary>
/// Ends training when the validation loss has not fallen for a number of epochs (Prechelt 1998). Each run starts anew.
/// </summary>
/// <param name="patience">The number of epochs without improvement that are tolerated.</param>
/// <param name="minimumDelta">The smallest decrease of the loss that counts as an improvement.</param>
public sealed class EarlyStopping(int patience = 5, double minimumDelta = 0) : Callback
{
    private double best = double.PositiveInfinity;
    private int stale;

    /// <inheritdoc/>
    public override void OnEpoch(Trainer trainer, EpochResult epoch)
    {
        if (epoch.Epoch == 0) (best, stale) = (double.PositiveInfinity, 0);
        if (epoch.ValidationLoss < best - minimumDelta) (best, stale) = (epoch.ValidationLoss, 0);
        else if (++stale >= patience) trainer.ShouldStop = true;
    }

    /// <inheritdoc/>
    public override void Save(TrainingState state) => state.Set("early-stopping", [best, stale]);

    /// <inheritdoc/>
    public override void Load(Trainer trainer, TrainingState state)
    {
        var numbers = state.Numbers("early-stopping", 2);
        (best, stale) = (numbers[0], TrainingState.Integer("early-stopping", numbers[1], int.MaxValue));
    }
}

/// <summary>Appends one JSON object per epoch to a file.</summary>
/// <param name="path">The path of the file.</param>
public sealed class MetricLog(string path) : Callback
{
    /// <inheritdoc/>
    public override void OnEpoch(Trainer trainer, EpochResult epoch)
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
    /// <param name="test">Its loss and accuracy on the test samples.</param>
    public void AddTest(int epoch, Evaluation test)
    {
        using var file = new FileStream(path, FileMode.Append);
        file.Write(Line(json =>
        {
            json.WriteStartObject();
            json.WriteNumber("epoch", epoch);
            Number(json, "testLoss", test.Loss);
            Number(json, "testAccuracy", test.Accuracy);
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
        Number(json, "trainLoss", epoch.TrainLoss);
        Number(json, "validationLoss", epoch.ValidationLoss);
        Number(json, "validationAccuracy", epoch.ValidationAccuracy);
        Number(json, "seconds", epoch.Seconds);
        json.WriteEndObject();
    }

    private static void Number(Utf8JsonWriter json, string name, double? value)
    {
        if (value is { } number && double.IsFinite(number)) json.WriteNumber(name, number);
        else json.WriteNull(name);
    }
}
