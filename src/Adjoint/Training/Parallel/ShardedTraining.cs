using System.Diagnostics;
using Adjoint.Data;
using Adjoint.Distributed;
using Adjoint.Optim;

namespace Adjoint.Training;

/// <summary>
/// The training of one rank of several, or of one rank that computes as several would: the shards of a batch one after
/// the other, and their gradients added in an order that no rank decides.
/// </summary>
internal sealed partial class ShardedTraining : TrainingStrategy
{
    private readonly Communicator communicator;
    private readonly DataParallelOptions options;
    private readonly int shards;
    private readonly RankClock clock;
    private readonly ShardStreams streams;
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
    private Tensor[] unowned = [], unstepped = [];
    private bool isSynchronized;

    internal ShardedTraining(Trainer trainer, Communicator communicator, int shards, DataParallelOptions options)
        : base(trainer)
    {
        (this.communicator, this.shards, this.options) = (communicator, shards, options);
        Shards = ShardRange.Of(communicator.Rank, communicator.Size, shards);
        (clock, streams) = (new(communicator), new(trainer, shards));
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
        streams.Find();
        unowned = [.. Parameters().Except(exchange!.Owned)];
        unstepped = [.. Trainer.Model.Parameters().Except(OptimizerParameters())];
        isSynchronized = SyncBatchNorm.IsIn(Trainer.Model);
        if (isSynchronized) RequireShardPerRank();
        Trainer.Optimizer.Forget(unowned);
        Alike(() => communicator.RequireAlike(TrainingFacts.Of(Trainer, options, shards, epochs, done)));
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
        streams.MoveTo(done, shard: 0);
        if (all.FirstOrDefault(report => report.Bad is not null) is { } diverged)
            throw agreed = new DivergedException(place.Epoch, place.Batch, diverged.Bad!.Value,
                all.FirstOrDefault(report => report.Cause is not null)?.Cause ?? FindOp(batch, place));
        if (weight == 0)
            throw agreed = new AdjointException(
                $"{Trainer.Task.Name}: the targets of all {batch.Count} samples of batch {place.Batch} of epoch "
                + $"{place.Epoch} are missing or weigh 0, so it has no mean; leave such samples out, or use larger "
                + "batches");
        clock.EndBatch(batch.Shards.Sum(shard => shard?.Count ?? 0));
        return (total, weight);
    }

    // All ranks have the gradients that count in the norm.
    internal override void ClipGradients() => Alike(base.ClipGradients);

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
        var result = SharedEvaluation.Run(communicator, Trainer, batches, views, streams.MoveToValidation);
        streams.MoveTo(done, shard: 0);
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

    private void Learn(Batch shard, int number, StepPlace place, BatchReport report)
    {
        var weight = Trainer.Task.Weight(shard);
        var isIdle = IsIdle(shard, weight);
        if (isIdle && !isSynchronized) return;
        var given = isIdle ? Neutral(shard) : shard;
        streams.MoveTo(place.Batches, number);
        foreach (var parameter in unstepped) parameter.ZeroGrad();
        // Where gradients cross from rank to rank within the step, they are to be weighted before.
        exchange!.BeginShard(number, IsMean && !isSynchronized ? weight : 1, isObserved);
        var began = Stopwatch.GetTimestamp();
        var loss = step!.Run(given, !isSynchronized ? null : isIdle ? 0 : IsMean ? weight : 1);
        clock.Computed(Stopwatch.GetElapsedTime(began));
        exchange.EndShard();
        report.Losses.Add((isIdle ? 0 : loss, weight));
        if (double.IsFinite(loss) || report.Bad is not null) return;
        (report.Bad, report.Cause) = (loss, isSynchronized ? step.FindGiven(given) : step.FindCause(given));
    }

    // Whether no sample of a shard has a weight and a target. Negative weights, which may add up to 0, are refused with
    // the shard.
    private static bool IsIdle(Batch shard, double weight) => weight == 0
        && (shard.Weights is not { } weights || BatchRules.Numbers(weights).All(one => one >= 0));

    // The samples of an idle shard count in the statistics of the batch: it needs some loss, which is multiplied by 0.
    private Batch Neutral(Batch shard)
    {
        if (shard.Weights is { } weights) shard = shard.With(Field.Weights, weights * 0 + 1);
        return Trainer.Task.Weight(shard) == 0 && shard.Has(Field.Targets)
            ? shard.With(Field.Targets, shard.Targets * 0)
            : shard;
    }

    // With synchronized layers, each rank has one shard.
    private string FindOp(ShardedBatch batch, StepPlace place)
    {
        var shard = batch.Shards.Single()!;
        var given = IsIdle(shard, Trainer.Task.Weight(shard)) ? Neutral(shard) : shard;
        return SynchronizedCause.Find(communicator, Trainer.Model,
            () =>
            {
                streams.MoveTo(place.Batches, Shards.First);
                Trainer.Task.Loss(Trainer.Model, given);
            },
            () =>
            {
                streams.MoveTo(place.Batches, Shards.First);
                return step!.FindOp(given);
            }) ?? TrainingStep.NoOp;
    }

    /// <summary>Does what ends all ranks by the same exception: nobody has to be told.</summary>
    private void Alike(Action work)
    {
        try
        {
            work();
        }
        catch (AdjointException error) when (error is not RankFailureException)
        {
            agreed = error;
            throw;
        }
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
