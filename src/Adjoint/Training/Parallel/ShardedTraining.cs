using System.Diagnostics;
using Adjoint.Data;
using Adjoint.Distributed;
using Adjoint.Optim;

namespace Adjoint.Training;

/// <summary>
/// The training of one rank of several, or of one rank that computes as several would: the shards of a batch one after
/// the other, and their gradients added in an order that no rank decides.
/// </summary>
internal sealed class ShardedTraining : TrainingStrategy
{
    private const string Note = "shards";
    // Random numbers that one shard may draw before it meets those of the next.
    private const int PositionBits = 36;
    // Validation draws from the other half.
    private const ulong OfValidation = 1ul << 63;
    private readonly Communicator communicator;
    private readonly DataParallelOptions options;
    private readonly int shards;
    private readonly RankClock clock;
    private GradientExchange? exchange;
    private TrainingStep? step;
    private CancellationToken cancellation;
    private Exception? agreed;
    private bool? hasCheckpoints;
    private bool isDue, isCanceled, isObserved;
    // Batches of the run so far, and what those of the step under way weigh.
    private int done;
    private double stepWeight;
    // Of the run: looked for once, since each shard needs them.
    private Generator[] streams = [];
    private Tensor[] unowned = [], unstepped = [];
    private bool isSynchronized;

    internal ShardedTraining(Trainer trainer, Communicator communicator, int shards, DataParallelOptions options)
        : base(trainer)
    {
        (this.communicator, this.shards, this.options) = (communicator, shards, options);
        Shards = ShardRange.Of(communicator.Rank, communicator.Size, shards);
        clock = new(communicator);
    }

    /// <summary>What each rank did in each epoch of the run.</summary>
    internal IReadOnlyList<RankEpoch> Ranks => clock.Epochs;

    /// <summary>Whether this rank has the optimizer's states of its own parameters alone.</summary>
    internal bool KeepsOnlyOwnStates => options.ShardOptimizer && communicator.Rank > 0;

    internal override CaptureReport? Report => step?.Report;

    internal override ShardRange Shards { get; }

    // Rank 0's, which alone writes.
    internal override bool HasCheckpoints => hasCheckpoints ??= communicator.Broadcast(
        "checkpoints", communicator.Rank > 0 ? [] : [(byte)(Trainer.Checkpoints is null ? 0 : 1)])[0] == 1;

    internal override bool IsCheckpointDue => isDue;

    internal override bool IsCanceled => isCanceled;

    private bool IsMean => Trainer.Task.Reduction == Reduction.Mean;

    internal override void Begin(bool isNewRun, int epochs, CancellationToken cancellation)
    {
        (this.cancellation, isDue, isCanceled, agreed) = (cancellation, false, false, null);
        if (isNewRun)
        {
            (done, stepWeight) = (0, 0);
            exchange = NewExchange();
            clock.Clear();
        }
        communicator.Step = done;
        streams = [.. Trainer.Streams().Select(entry => entry.Value).Distinct()];
        unowned = [.. Parameters().Except(exchange!.Owned)];
        unstepped = [.. Trainer.Model.Parameters().Except(OptimizerParameters())];
        isSynchronized = SyncBatchNorm.IsIn(Trainer.Model);
        if (isSynchronized) RequireShardPerRank();
        Trainer.Optimizer.Forget(unowned);
        var facts = TrainingFacts.Of(Trainer, options, shards, epochs, done);
        try
        {
            communicator.RequireAlike(facts);
        }
        catch (AdjointException error) when (error is not RankFailureException)
        {
            agreed = error;
            throw;
        }
    }

    internal override void BeginSteps()
    {
        step = new(Trainer);
        isObserved = Trainer.Callbacks.OfType<StepCallback>().Any();
    }

    // Whoever ends first waits, so that nobody finds a rank missing.
    internal override void End() => communicator.Barrier("end of training");

    internal override void Fail(Exception error)
    {
        exchange?.Dispose();
        if (error != agreed && error is not RankFailureException) communicator.Fail(error);
    }

    /// <summary>Does what all ranks do outside a run: what one throws ends all.</summary>
    internal T Telling<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception error) when (error is not RankFailureException)
        {
            communicator.Fail(error);
            throw;
        }
    }

    internal override Batch Shown(ShardedBatch batch) =>
        batch.Shards.FirstOrDefault(shard => shard is not null) ?? new(Trainer.Training.Fields.Select(field =>
            (field.Name, Tensor.Empty([0, .. field.Shape.Sizes], field.DType, Device.Cpu))));

    internal override (double Total, double Weight) Learn(ShardedBatch batch, StepPlace place)
    {
        communicator.Step = place.Batches + 1;
        clock.BeginBatch();
        exchange!.BeginBatch(place.EndsStep);
        var own = new BatchReport
        {
            IsEnding = cancellation.IsCancellationRequested,
            IsDue = Trainer.Checkpoints is { IsDue: true },
            RateFactor = Trainer.RateFactor,
        };
        for (var i = 0; i < batch.Shards.Length; i++)
            if (batch.Shards[i] is { } shard) Learn(shard, Shards.First + i, place, own);
        exchange.EndBatch();
        var all = BatchReport.Exchange(communicator, own);
        (isCanceled, isDue, done) = (all.Any(report => report.IsEnding), all[0].IsDue, place.Batches + 1);
        if (Trainer.RateFactor != all[0].RateFactor) Trainer.ChangeRateFactor(all[0].RateFactor);
        var (total, weight) = (0.0, 0.0);
        foreach (var (loss, shardWeight) in all.SelectMany(report => report.Losses))
            (total, weight) = (total + TotalOf(loss, shardWeight), weight + shardWeight);
        stepWeight += weight;
        if (place.EndsStep)
        {
            exchange.Finish(IsMean ? 1 / stepWeight : 1);
            stepWeight = 0;
        }
        Place((ulong)done * (ulong)shards);
        // Of several ranks, one that found the cause.
        if (all.Where(report => report.Cause is not null).OrderBy(report => report.Cause == TrainingStep.NotGiven)
            .FirstOrDefault() is { } diverged)
            throw agreed = new DivergedException(place.Epoch, place.Batch, diverged.Bad, diverged.Cause!);
        if (weight == 0)
            throw agreed = new AdjointException(
                $"{Trainer.Task.Name}: the targets of all {batch.Count} samples of batch {place.Batch} of epoch "
                + $"{place.Epoch} are missing or weigh 0, so it has no mean; leave such samples out, or use larger "
                + "batches");
        clock.EndBatch(batch.Shards.Sum(shard => shard?.Count ?? 0));
        return (total, weight);
    }

    internal override void StepOptimizer()
    {
        foreach (var parameter in unowned) parameter.ZeroGrad();
        base.StepOptimizer();
        if (options.ShardOptimizer) exchange!.GatherParameters();
        clock.EndStep();
    }

    internal override Evaluation Evaluate(DataLoader batches) => Evaluate(batches, TestTimeAugmentation.None);

    internal Evaluation Evaluate(DataLoader batches, TestTimeAugmentation views)
    {
        if (streams.Length == 0) streams = [.. Trainer.Streams().Select(entry => entry.Value).Distinct()];
        var result = SharedEvaluation.Run(
            communicator, Trainer, batches, views, batch => MoveStreams(OfValidation + ((ulong)batch << PositionBits)));
        Place((ulong)done * (ulong)shards);
        return result;
    }

    internal override void EndEpoch(int epoch, double seconds)
    {
        if (clock.EndEpoch(epoch, TensorMessages.DigestOf(Trainer.Model.StateDict().Values)) is { } drifted)
            throw agreed = drifted;
    }

    internal override void Agree()
    {
        var all = BatchReport.Exchange(communicator, new()
        {
            IsEnding = Trainer.ShouldStop,
            IsDue = Trainer.Checkpoints is { IsDue: true },
            RateFactor = Trainer.RateFactor,
        });
        Trainer.ShouldStop = all.Any(report => report.IsEnding);
        if (Trainer.RateFactor != all[0].RateFactor) Trainer.ChangeRateFactor(all[0].RateFactor);
        isDue = all[0].IsDue;
    }

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

    internal override ulong PositionOf(Generator stream) => PositionOf((ulong)done * (ulong)shards);

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

    private void Learn(Batch shard, int number, StepPlace place, BatchReport report)
    {
        var weight = Trainer.Task.Weight(shard);
        // Not a mean over nothing: other shards of the batch have something. Weights of both signs are none.
        if (weight == 0 && !isSynchronized
            && (shard.Weights is not { } weights || BatchRules.Numbers(weights).All(one => one == 0)))
            return;
        Place((ulong)place.Batches * (ulong)shards + (ulong)number);
        foreach (var parameter in unstepped) parameter.ZeroGrad();
        // Where gradients cross from rank to rank within the step, they are to be weighted before.
        exchange!.BeginShard(number, IsMean && !isSynchronized ? weight : 1, isObserved);
        var began = Stopwatch.GetTimestamp();
        var loss = step!.Run(shard, IsMean && isSynchronized ? weight : null);
        clock.Computed(Stopwatch.GetElapsedTime(began));
        exchange.EndShard();
        report.Losses.Add((loss, weight));
        if (double.IsFinite(loss) || report.Cause is not null) return;
        // Nothing is computed again that the other ranks would have to take part in.
        (report.Bad, report.Cause) = (loss, step.FindCause(shard, canCompute: !isSynchronized));
    }

    // Each layer waits for all ranks, so each is to come to it, once per batch.
    private void RequireShardPerRank()
    {
        if (shards != communicator.Size)
            throw agreed = new AdjointException(
                "DataParallel: SyncBatchNorm takes its statistics over one part of each batch per rank: found "
                + $"{shards} shards on {communicator.Size} ranks; set Shards = {communicator.Size}, or normalize by "
                + "shard");
        var last = Trainer.Training.SampleCount % Trainer.Training.BatchSize;
        if (last > 0 && last < shards)
            throw agreed = new AdjointException(
                $"DataParallel: with SyncBatchNorm, every rank needs a part of each batch: found {last} samples in "
                + $"batch {Trainer.Training.Count} for {shards} ranks; use another batch size, leave out the smaller "
                + "last batch (DropLast), or normalize by shard");
    }

    // The numbers that a shard draws depend on where it stands in the run alone.
    private void Place(ulong number) => MoveStreams(PositionOf(number));

    private static ulong PositionOf(ulong number) => unchecked((1 + number) << PositionBits);

    private void MoveStreams(ulong position)
    {
        foreach (var stream in streams) stream.Position = position;
    }

    private IEnumerable<Tensor> OptimizerParameters() => Trainer.Optimizer.Groups.SelectMany(group => group.Parameters);

    private IEnumerable<Tensor> Parameters() => OptimizerParameters().Union(Trainer.Model.Parameters());

    private GradientExchange NewExchange() =>
        new(communicator, [.. Parameters()],
            [.. Trainer.Model.NamedState().Select(entry => entry.Value).Distinct().Except(Parameters())], shards,
            new()
            {
                BucketBytes = options.BucketBytes,
                OwnsWholeParameters = options.ShardOptimizer,
                GathersGradients = !options.ShardOptimizer
                    || Trainer.MaxGradientNorm < double.PositiveInfinity,
            });
}
