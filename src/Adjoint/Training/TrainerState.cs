namespace Adjoint.Training;

/// <content>The state of a run: checkpoints, saving and loading.</content>
public sealed partial class Trainer
{
    /// <summary>Writes a checkpoint now, to <see cref="Checkpoints"/>.</summary>
    /// <exception cref="AdjointException">The trainer has no checkpoints.</exception>
    /// <exception cref="IOException">The disk is full, or may not be written to.</exception>
    public void WriteCheckpoint()
    {
        if (!Strategy.HasCheckpoints)
            throw new AdjointException("Trainer: it has no Checkpoints to write to; set them when it is created");
        foreach (var callback in Callbacks) callback.BeforeSave(this);
        Strategy.WriteCheckpoint();
        foreach (var callback in Callbacks) callback.AfterSave(this);
    }

    /// <summary>
    /// Everything needed to resume from here, bit for bit: model, optimizer, average, position in the schedule and in
    /// the data, gradients that are being accumulated, random streams, measures, and the state of callbacks. The
    /// tensors are the trainer's own: write them before the next step.
    /// </summary>
    /// <returns>The state, to write or to <see cref="Load"/>.</returns>
    public TrainingState Save()
    {
        var state = new TrainingState();
        // A callback that saves at the end of an epoch finds the average in the model.
        using var own = Average?.Suspend();
        state.Add("model", Own(Model.StateDict()));
        state.Add("optimizer", Strategy.OptimizerState());
        if (Average is not null) state.Add("average", Own(Average.StateDict()));
        Strategy.SaveGradients(state);
        state.Set("batch", position.Batch);
        state.Set("steps", position.Steps);
        state.Set("samples", position.Weight);
        state.Set("loss-sum", position.LossSum);
        state.Set("seconds", position.Seconds);
        // While a pass is under way the loader counts it already.
        state.Set("pass", position.Batch > 0 ? Training.Epoch - 1 : Training.Epoch);
        state.Set("should-stop", ShouldStop ? 1 : 0);
        state.Set("base-rates", rates);
        state.Set("rates", Rates());
        foreach (var (name, generator) in Streams())
            state.Set($"stream.{name}", $"{generator.Seed} {generator.Stream} {Strategy.PositionOf(generator)}");
        state.Set("results", string.Join('\n', results.Select(Text)));
        foreach (var callback in Callbacks) callback.Save(state);
        return state;

        // What is exchanged again when this returns is copied.
        IReadOnlyDictionary<string, Tensor> Own(IReadOnlyDictionary<string, Tensor> tensors) =>
            own is null ? tensors : tensors.ToDictionary(entry => entry.Key, entry => entry.Value.Clone().Keep());
    }

    /// <summary>
    /// Resumes from what <see cref="Save"/> of a trainer with the same settings returned; <see cref="Fit"/> then
    /// continues from there.
    /// </summary>
    /// <param name="state">The state to resume from.</param>
    /// <exception cref="AdjointException">The state does not fit this trainer.</exception>
    public void Load(TrainingState state) => LoadShared(Strategy.Share(state));

    /// <summary>Resumes from a state that all ranks have.</summary>
    internal void LoadShared(TrainingState state)
    {
        foreach (var callback in Callbacks) callback.BeforeLoad(this, state);
        Model.LoadStateDict(state.TensorsOf("model"));
        Strategy.LoadOptimizer(state.TensorsOf("optimizer"));
        Average?.LoadStateDict(state.TensorsOf("average"));
        Strategy.LoadGradients(state);
        position = new(
            state.Integer("batch", Training.Count), state.Integer("steps"), Weight(), state.Number("loss-sum"),
            state.Number("seconds"));
        Training.Epoch = state.Integer("pass");
        ShouldStop = state.Number("should-stop") != 0;
        RateFactor = 1;
        rates = state.Numbers("base-rates", Optimizer.Groups.Count);
        foreach (var (group, rate) in Optimizer.Groups.Zip(state.Numbers("rates", Optimizer.Groups.Count)))
            group.LearningRate = rate;
        foreach (var (name, generator) in Streams())
        {
            var stream = state.Text($"stream.{name}").Split(' ');
            if (stream.Length != 3 || stream[0] != $"{generator.Seed}" || stream[1] != $"{generator.Stream}"
                || !ulong.TryParse(stream[2], out var at))
                throw new AdjointException(
                    $"Trainer.Load: random stream {name} is {generator.Seed} {generator.Stream} here: found "
                    + $"'{string.Join(' ', stream)}'; build the trainer with the settings it was saved with");
            generator.Position = at;
        }
        results.Clear();
        foreach (var line in state.Text("results").Split('\n')) results.Add(ResultOf(line, results.Count));
        foreach (var callback in Callbacks) callback.Load(this, state);
        isLoaded = true;
        foreach (var callback in Callbacks) callback.AfterLoad(this);

        double Weight() => state.Number("samples") is >= 0 and < double.PositiveInfinity and var weight
            ? weight
            : throw new AdjointException(
                $"TrainingState: entry 'samples' must be 0 or more: found {state.Number("samples")}");
    }

    /// <summary>All random streams that a step may draw from.</summary>
    internal IEnumerable<(string Name, Generator Value)> Streams() =>
        Model.NamedGenerators().Append(("default", Generator.Default));

    // Four numbers, and each metric as name=value.
    private static string Text(EpochResult epoch) => string.Join(' ',
        epoch.Metrics.Select(metric => $"{metric.Key}={TrainingState.Text(metric.Value)}").Prepend(TrainingState.Text(
            epoch.Epoch, epoch.TrainLoss ?? double.NaN, epoch.ValidationLoss, epoch.Seconds)));

    private static EpochResult ResultOf(string line, int expected)
    {
        var words = line.Split(' ');
        // Up to version 0.2: five numbers, the fourth of them the accuracy.
        if (words.Length == 5 && !line.Contains('=')) words = [.. words[..3], words[4], $"accuracy={words[3]}"];
        var row = TrainingState.Numbers("results", string.Join(' ', words.Take(4)), 4);
        var metrics = words.Skip(4).Select(word => word.Split('=') is [var name, var value]
            ? (name, TrainingState.Numbers("results", value, 1)[0])
            : throw new AdjointException(
                $"TrainingState: entry 'results' must have metrics as name=value: found '{word}'"));
        return new(
            TrainingState.Integer("results", row[0], expected) is var number && number == expected
                ? number
                : throw new AdjointException(
                    $"TrainingState: entry 'results' must have the epochs in order: found {row[0]} for {expected}"),
            double.IsNaN(row[1]) && row[0] == 0 ? null : row[1], row[2], new MetricValues(metrics), row[3]);
    }
}
