using Adjoint.Data.Tables;
using Adjoint.IO;
using Adjoint.Nn;
using Adjoint.Primitives;

namespace Adjoint.Training;

/// <summary>
/// Keeps the best model (by the trainer's <see cref="Trainer.Score"/>; the earlier of equal ones) and the last one of a
/// run. They stay in memory during training, and in checkpoints; <see cref="Write"/> writes them to files,
/// <c>best.safetensors</c> and <c>last.safetensors</c>. These are model files (<see cref="ModelFile"/>), which say what
/// the model is for, of which epoch it is, and how samples were prepared; <see cref="Predictor.Load"/> uses them. Of a
/// model that has modules without a description (<see cref="ISavableModule{TSelf}"/>) they hold the tensors alone, and
/// the reason.
/// </summary>
/// <param name="folder">The folder for the files.</param>
public sealed class ModelCheckpoint(string folder) : Callback
{
    private readonly Dictionary<string, Tensor> best = [], last = [];
    private double bestScore = double.NaN;
    private int bestEpoch, lastEpoch;
    private Trainer? owner;

    /// <inheritdoc/>
    public override void AfterEpoch(Trainer trainer, EpochResult epoch)
    {
        Copy(trainer.Model.StateDict(), last);
        (lastEpoch, owner) = (epoch.Epoch, trainer);
        var score = trainer.Score.Of(epoch);
        // The first of a run is its best so far, also where it has no score.
        if (epoch.Epoch > 0 && best.Count > 0 && !trainer.Score.IsBetter(score, bestScore)) return;
        (bestScore, bestEpoch) = (score, epoch.Epoch);
        Copy(last, best);
    }

    /// <summary>Writes both files, each whole or not at all; none before the first epoch was measured.</summary>
    public void Write()
    {
        if (owner is null || best.Count == 0) return;
        Write("best.safetensors", best, bestEpoch);
        Write("last.safetensors", last, lastEpoch);

        void Write(string name, Dictionary<string, Tensor> state, int epoch) => ModelFile.WriteAtLeastTensors(
            Path.Combine(folder, name), owner.Model, state, InfoOf(owner, epoch));
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
        owner = trainer;

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

    private static ModelInfo InfoOf(Trainer trainer, int epoch)
    {
        var data = trainer.Training.Dataset;
        var measures = trainer.Results.FirstOrDefault(result => result.Epoch == epoch);
        var metrics = measures is null ? [] : measures.Metrics.ToDictionary(one => one.Key, one => one.Value);
        if (measures is not null) metrics.TryAdd(MonitoredMetric.Loss, measures.ValidationLoss);
        return new()
        {
            Task = trainer.Task.Name,
            ClassNames = data.ClassNames,
            Metrics = metrics,
            // What augments the training samples need not do so later.
            Fields = (trainer.Validation ?? trainer.Training).Fields,
            TargetNames = data.Preprocessing is TableEncoder { Task: TargetKind.Regression } table
                ? [.. table.Targets.Select(target => target.Name)]
                : [],
            Preprocessing = data.Preprocessing,
            Statistics = data.Statistics,
            Score = trainer.Score.Name,
            Epoch = epoch,
        };
    }
}
