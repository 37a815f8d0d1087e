using Adjoint.Data;
using Adjoint.Distributed;

namespace Adjoint.Training;

/// <summary>
/// Trains one model on several ranks, each of which computes the gradients of a part of each batch. Every rank runs the
/// same program: it makes the same model, data and trainer, and attaches this; <see cref="Trainer.Fit"/> is then that
/// of all ranks, and leaves the same model on each.
/// <code>
/// using var communicator = MpiCommunicator.Open();
/// var parallel = new DataParallel(trainer, communicator);
/// trainer.Fit(10);
/// </code>
/// </summary>
/// <remarks>
/// <para>
/// A batch is cut into logical shards (<see cref="DataParallelOptions.Shards"/>). Their gradients, weighted by what
/// their means are over, are added in a fixed order, and each shard has its own random numbers and its own statistics
/// of batch normalization, whose running means are averaged. So the bits of a run depend on the number of shards, and
/// neither on the number of ranks nor on that of threads. One shard gives the bits of a trainer without ranks.
/// </para>
/// <para>
/// Metrics are exact: all ranks see the outputs of all validation samples. Callbacks run on every rank, with the loss
/// of the whole batch; <see cref="Callback.BeforeBatch"/> gets the rank's first shard, and a
/// <see cref="StepCallback"/> sees each shard as a batch, whose gradients are then sent after the backward pass, not
/// during it. With <see cref="DataParallelOptions.ShardOptimizer"/>, and in the middle of a step of several batches,
/// all ranks call <see cref="Trainer.Save"/> or none. Rank 0 alone writes checkpoints, and decides by its clock
/// when; a callback that writes files belongs on one rank. A cancellation on one rank ends the run on all, after the
/// next batch. What all ranks find alike, such as a loss that is not finite, ends each of them with the exception of a
/// single process. If a rank fails or dies, the others throw a <see cref="RankFailureException"/> that names it.
/// </para>
/// </remarks>
public sealed class DataParallel
{
    private const int UsualShards = 12;
    private readonly ShardedTraining? sharded;

    /// <summary>Attaches to a trainer; all ranks do so with theirs.</summary>
    /// <param name="trainer">The trainer of this rank, before a run.</param>
    /// <param name="communicator">The ranks. It stays the caller's, to dispose of at the end.</param>
    /// <param name="options">How the work is divided; null: the defaults.</param>
    /// <exception cref="AdjointException">
    /// The number of shards is less than that of ranks or more than the batch size, or the trainer is data parallel
    /// already, or in a run.
    /// </exception>
    public DataParallel(Trainer trainer, Communicator communicator, DataParallelOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        ArgumentNullException.ThrowIfNull(communicator);
        options ??= new();
        var size = trainer.Training.BatchSize;
        (Trainer, Communicator) = (trainer, communicator);
        Shards = options.Shards
            ?? (communicator.Size == 1 ? 1 : Math.Min(Math.Max(UsualShards, communicator.Size), size));
        if (communicator.Size > size)
            throw new AdjointException(
                $"DataParallel: a batch needs a sample for each rank: found batches of {size} for {communicator.Size} "
                + "ranks; use larger batches or fewer ranks");
        if (Shards < communicator.Size || Shards > size)
            throw new AdjointException(
                $"DataParallel: the shards of a batch must be at least as many as the ranks, {communicator.Size}, and "
                + $"at most as many as its samples, {size}: found {Shards}; set Shards");
        trainer.RequireIdle("DataParallel");
        if (trainer.Strategy is not LocalTraining)
            throw new AdjointException(
                "DataParallel: the trainer has one already; make a new trainer for another division of the work");
        if (Shards > 1) trainer.Strategy = sharded = new(trainer, communicator, Shards, options);
    }

    /// <summary>The trainer of this rank.</summary>
    public Trainer Trainer { get; }

    /// <summary>What the ranks exchange bytes with.</summary>
    public Communicator Communicator { get; }

    /// <summary>The number of logical shards of each batch.</summary>
    public int Shards { get; }

    /// <summary>
    /// What each rank did in each epoch of the run so far, by epoch, then by rank, the same list on all ranks; it has
    /// those of an epoch before <see cref="Callback.AfterEpoch"/>. Empty with a single shard.
    /// </summary>
    public IReadOnlyList<RankEpoch> Ranks => sharded?.Ranks ?? [];

    /// <summary>
    /// Resumes all ranks from the state that rank 0 has, so that none goes on alone and the others need not reach its
    /// file. The number of shards must be that of the saved run; the number of ranks may differ. All ranks call it.
    /// </summary>
    /// <param name="state">On rank 0, the state, or null if there is none; elsewhere it is not looked at.</param>
    /// <returns>Whether there was a state.</returns>
    /// <exception cref="AdjointException">The state does not fit the trainer.</exception>
    /// <exception cref="RankFailureException">A rank failed.</exception>
    public bool Load(TrainingState? state)
    {
        if (sharded is null)
        {
            if (state is not null) Trainer.LoadShared(state);
            return state is not null;
        }
        return sharded.Telling(() =>
        {
            if (sharded.ShareOrNone(state) is not { } shared) return false;
            Trainer.LoadShared(shared);
            return true;
        });
    }

    /// <summary>
    /// Measures the model, or its <see cref="Trainer.Average"/> if there is one, with the digits of
    /// <see cref="Trainer.Evaluate"/>, each rank computing a part of the batches. All ranks call it with the same data.
    /// </summary>
    /// <param name="batches">The samples to measure on.</param>
    /// <param name="views">The views of each sample to average over; null: the sample itself.</param>
    /// <returns>Loss and metrics, the same on all ranks.</returns>
    /// <exception cref="AdjointException">The samples do not fit the task, or not the model.</exception>
    /// <exception cref="RankFailureException">A rank failed.</exception>
    public Evaluation Evaluate(DataLoader batches, TestTimeAugmentation? views = null)
    {
        if (sharded is null) return Trainer.Evaluate(batches, views);
        using var _ = Trainer.Average?.Swap();
        return sharded.Telling(() => sharded.Evaluate(batches, views ?? TestTimeAugmentation.None));
    }
}
