using System.Globalization;
using Adjoint.IO;
using Adjoint.Nn;
using Adjoint.Primitives;

namespace Adjoint.Training;

/// <summary>
/// Keeps the best model (by the trainer's <see cref="Trainer.Score"/>; the earlier of equal ones) and the last one of a
/// run. They stay in memory during training, and in checkpoints; <see cref="Write"/> writes them to files,
/// <c>best.safetensors</c> and
/// <c>last.safetensors</c>. Their metadata say of which epoch they are, and how the samples were standardized
/// (<see cref="Standardize.FromMetadata"/>).
/// </summary>
/// <param name="folder">The folder for the files.</param>
public sealed class ModelCheckpoint(string folder) : Callback
{
    private readonly Dictionary<string, Tensor> best = [], last = [];
    private double bestScore = double.NaN;
    private int bestEpoch, lastEpoch;
    private (double[] Mean, double[] Deviation)? statistics;

    /// <inheritdoc/>
    public override void AfterEpoch(Trainer trainer, EpochResult epoch)
    {
        Copy(trainer.Model.StateDict(), last);
        (lastEpoch, statistics) = (epoch.Epoch, trainer.Training.Dataset.Statistics);
        var score = trainer.Score.Of(epoch);
        // The first of a run is its best so far, also where it has no score.
        if (epoch.Epoch > 0 && best.Count > 0 && !trainer.Score.IsBetter(score, bestScore)) return;
        (bestScore, bestEpoch) = (score, epoch.Epoch);
        Copy(last, best);
    }

    /// <summary>Writes both files, each whole or not at all; none before the first epoch was measured.</summary>
    public void Write()
    {
        if (best.Count == 0) return;
        SafeTensors.Save(Path.Combine(folder, "best.safetensors"), best, Metadata(bestEpoch));
        SafeTensors.Save(Path.Combine(folder, "last.safetensors"), last, Metadata(lastEpoch));
    }

    /// <inheritdoc/>
    public override void Save(TrainingState state)
    {
        state.Set("best", [bestScore, bestEpoch, lastEpoch]);
        state.Add("best", best);
        state.Add("last", last);
    }

    /// <inheritdoc/>
    public override void Load(Trainer trainer, TrainingState state)
    {
        var numbers = state.Numbers("best", 3);
        bestScore = numbers[0];
        bestEpoch = TrainingState.Integer("best", numbers[1], trainer.Results.Count - 1);
        lastEpoch = TrainingState.Integer("best", numbers[2], trainer.Results.Count - 1);
        Copy(Part("best"), best);
        Copy(Part("last"), last);
        statistics = trainer.Training.Dataset.Statistics;

        IReadOnlyDictionary<string, Tensor> Part(string name)
        {
            var part = state.TensorsOf(name);
            foreach (var (tensor, own) in trainer.Model.StateDict())
                if (!part.TryGetValue(tensor, out var value) || value.Shape != own.Shape || value.DType != own.DType)
                    throw new AdjointException(
                        $"ModelCheckpoint: {name}/{tensor} must be {own.Shape} {own.DType.Label()}: "
                        + $"found {(value is null ? "none" : $"{value.Shape} {value.DType.Label()}")}");
            return part;
        }
    }

    // Into the tensors that are there already, unless the model was converted: an epoch allocates nothing.
    private static void Copy(IReadOnlyDictionary<string, Tensor> from, Dictionary<string, Tensor> to)
    {
        using var _ = new NoGrad();
        foreach (var (name, value) in from)
            if (to.TryGetValue(name, out var own) && own.DType == value.DType && own.Device == value.Device)
                Backend.Run(new Copy(), value, own);
            else to[name] = value.Detach().Clone().Keep();
    }

    private Dictionary<string, string> Metadata(int epoch)
    {
        var result = new Dictionary<string, string> { ["epoch"] = epoch.ToString(CultureInfo.InvariantCulture) };
        if (statistics is { } own)
            foreach (var (key, value) in Standardize.Metadata(own)) result.Add(key, value);
        return result;
    }
}
