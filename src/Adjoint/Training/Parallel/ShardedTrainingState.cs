using Adjoint.Distributed;

namespace Adjoint.Training;

/// <content>The state of a run: rank 0 alone writes it, and any number of ranks goes on from it.</content>
internal sealed partial class ShardedTraining
{
    private const string Note = "shards";

    internal override IReadOnlyDictionary<string, Tensor> OptimizerState()
    {
        var state = Trainer.Optimizer.StateDict();
        if (!options.ShardOptimizer) return state;
        // The number of steps is everybody's.
        return TensorMessages.Collect(communicator, "checkpoint: states of the optimizer",
            state.Where(entry => communicator.Rank == 0 || entry.Key != "steps")
                .ToDictionary(entry => entry.Key, entry => entry.Value));
    }

    internal override void LoadOptimizer(IReadOnlyDictionary<string, Tensor> state)
    {
        exchange = NewExchange();
        if (options.ShardOptimizer)
        {
            var (owned, all) = (exchange.Owned.ToHashSet(), OptimizerParameters().ToArray());
            state = state.Where(entry => !int.TryParse(entry.Key.Split('.')[0], out var at) || at < 0
                || at >= all.Length || owned.Contains(all[at])).ToDictionary(entry => entry.Key, entry => entry.Value);
        }
        Trainer.Optimizer.LoadStateDict(state);
    }

    internal override ulong PositionOf(Generator stream) => streams.PositionOf(done, shard: 0);

    internal override void SaveGradients(TrainingState state)
    {
        state.Set(Note, shards);
        if (Trainer.BatchesPerStep == 1) return;
        state.Set(GradientSum.Note, Trainer.BatchesPerStep, 1, stepWeight);
        state.Add(GradientSum.Note, TensorMessages.Collect(communicator, "checkpoint: accumulated gradients",
            exchange?.Accumulated.ToDictionary(one => $"{one.Shard}.{one.Parameter}", one => one.Sum) ?? []));
    }

    internal override void LoadGradients(TrainingState state)
    {
        RequireShards(state, shards);
        GradientSum.RequireAlike(state, Trainer.BatchesPerStep);
        done = state.Integer("steps");
        stepWeight = Trainer.BatchesPerStep == 1 ? 0 : state.Numbers(GradientSum.Note, 3)[2];
        clock.Clear();
        foreach (var (name, sum) in state.TensorsOf(GradientSum.Note))
            if (name.Split('.') is [var shard, var parameter] && int.TryParse(shard, out var s)
                && int.TryParse(parameter, out var p))
                exchange!.Accumulate(s, p, sum);
            else throw new AdjointException($"Trainer.Load: '{name}' is no accumulated gradient of a shard");
    }

    internal override void WriteCheckpoint()
    {
        if (communicator.Rank == 0) Trainer.Checkpoints!.Write(Trainer.Save);
        else Trainer.Save();
    }

    internal override TrainingState Share(TrainingState state) => ShareOrNone(state)!;

    /// <summary>The state of rank 0 on all ranks; null where it has none.</summary>
    internal TrainingState? ShareOrNone(TrainingState? state) =>
        TensorMessages.Broadcast(communicator, "state to resume from",
            state is null ? null : (state.Tensors, state.Notes)) is { } shared
            ? new(shared.Tensors, shared.Notes)
            : null;

    /// <summary>Refuses a state that was saved with another number of shards.</summary>
    internal static void RequireShards(TrainingState state, int shards)
    {
        var saved = state.Notes.ContainsKey(Note) ? state.Integer(Note) : 1;
        if (saved != shards)
            throw new AdjointException(
                $"Trainer.Load: the state was saved with {saved} shards of each batch: found {shards} here; the number "
                + $"of ranks may change, but go on with DataParallelOptions.Shards = {saved}");
    }
}
