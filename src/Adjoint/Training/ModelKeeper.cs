using System.Globalization;
using Adjoint.IO;

namespace Adjoint.Training;

/// <summary>
/// Keeps the best model (by validation accuracy; the earlier of equals) and the last one of a run. They lie in memory while the network learns, and in checkpoints;
/// <see cref="Write"/> makes files of them, <c>best.safetensors</c> and <c>last.safetensors</c>.
/// </summary>
public sealed class ModelKeeper(string folder) : Callback
{
    private readonly Dictionary<string, Tensor> best = [], last = [];
    private double bestAccuracy = double.NegativeInfinity;
    private int bestEpoch, lastEpoch;

    /// <inheritdoc/>
    public override void OnEpoch(Trainer trainer, EpochResult epoch)
    {
        Copy(trainer.Model.StateDict(), last);
        lastEpoch = epoch.Epoch;
        // The first of a run is its best so far, also where its accuracy is NaN.
        if (epoch.Epoch > 0 && best.Count > 0 && !(epoch.ValidationAccuracy > bestAccuracy)) return;
        (bestAccuracy, bestEpoch) = (epoch.ValidationAccuracy, epoch.Epoch);
        Copy(last, best);
    }

    /// <summary>Writes both files, each whole or not at all; neither before the first epoch was measured.</summary>
    public void Write()
    {
        if (best.Count == 0) return;
        SafeTensors.Save(Path.Combine(folder, "best.safetensors"), best, Epoch(bestEpoch));
        SafeTensors.Save(Path.Combine(folder, "last.safetensors"), last, Epoch(lastEpoch));
    }

    /// <inheritdoc/>
    public override void Save(TrainingState state)
    {
        state.Set("best", [bestAccuracy, bestEpoch, lastEpoch]);
        state.Add("best", best);
        state.Add("last", last);
    }

    /// <inheritdoc/>
    public override void Load(Trainer trainer, TrainingState state)
    {
        var numbers = state.Numbers("best", 3);
        (bestAccuracy, bestEpoch, lastEpoch) = (numbers[0], (int)numbers[1], (int)numbers[2]);
        Copy(state.Part("best"), best);
        Copy(state.Part("last"), last);
    }

    // Into the tensors that are there already: an epoch allocates nothing.
    private static void Copy(IReadOnlyDictionary<string, Tensor> from, Dictionary<string, Tensor> to)
    {
        using var _ = new NoGrad();
        foreach (var (name, value) in from)
            if (to.TryGetValue(name, out var own)) Backend.Current.Copy(value, own);
            else to[name] = value.Detach().Clone().Keep();
    }

    private static Dictionary<string, string> Epoch(int epoch) => new() { ["epoch"] = epoch.ToString(CultureInfo.InvariantCulture) };
}
