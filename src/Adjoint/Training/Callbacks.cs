using System.Text.Json;
using Adjoint.IO;

namespace Adjoint.Training;

/// <summary>Ends training when the validation loss has not fallen for a number of epochs (Prechelt 1998).</summary>
public sealed class EarlyStopping(int patience = 5, double minimumDelta = 0) : Callback
{
    private double best = double.PositiveInfinity;
    private int stale;

    /// <inheritdoc/>
    public override void OnEpoch(Trainer trainer, EpochResult epoch)
    {
        if (epoch.ValidationLoss < best - minimumDelta) (best, stale) = (epoch.ValidationLoss, 0);
        else if (++stale >= patience) trainer.ShouldStop = true;
    }
}

/// <summary>Keeps the best model (by validation accuracy; the earlier of equals) and the last one in a folder, as <c>best.safetensors</c> and <c>last.safetensors</c>.</summary>
public sealed class ModelKeeper(string folder) : Callback
{
    private double best = double.NegativeInfinity;

    /// <inheritdoc/>
    public override void OnEpoch(Trainer trainer, EpochResult epoch)
    {
        var metadata = new Dictionary<string, string> { ["epoch"] = epoch.Epoch.ToString(System.Globalization.CultureInfo.InvariantCulture) };
        SafeTensors.Save(Path.Combine(folder, "last.safetensors"), trainer.Model.StateDict(), metadata);
        if (!(epoch.ValidationAccuracy > best)) return;
        best = epoch.ValidationAccuracy;
        SafeTensors.Save(Path.Combine(folder, "best.safetensors"), trainer.Model.StateDict(), metadata);
    }
}

/// <summary>Appends one JSON object per epoch to a file.</summary>
public sealed class MetricLog(string path) : Callback
{
    /// <inheritdoc/>
    public override void OnEpoch(Trainer trainer, EpochResult epoch)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer)) Write(json, epoch);
        buffer.WriteByte((byte)'\n');
        using var file = new FileStream(path, FileMode.Append);
        buffer.WriteTo(file);
    }

    /// <summary>The object of one epoch. Numbers that are not finite are null.</summary>
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
