using Adjoint.Data;

namespace Adjoint.Training;

/// <summary>The training of one process, each batch as one.</summary>
internal sealed class LocalTraining(Trainer trainer) : TrainingStrategy(trainer)
{
    private TrainingStep? step;
    private GradientSum? sum;
    private CancellationToken cancellation;

    internal override CaptureReport? Report => step?.Report;

    internal override ShardRange Shards => ShardRange.Whole;

    internal override bool HasCheckpoints => Trainer.Checkpoints is not null;

    internal override bool IsCheckpointDue => Trainer.Checkpoints is { IsDue: true };

    internal override bool IsCanceled => cancellation.IsCancellationRequested;

    internal override void Begin(bool isNewRun, int epochs, CancellationToken cancellation)
    {
        if (isNewRun) sum = NewSum();
        this.cancellation = cancellation;
    }

    internal override void BeginSteps() => step = new(Trainer);

    internal override void End() { }

    internal override void Fail(Exception error) { }

    internal override Batch Shown(ShardedBatch batch) => batch.Shards[0]!;

    internal override (double Total, double Weight) Learn(ShardedBatch batch, StepPlace place)
    {
        var whole = batch.Shards[0]!;
        var weight = Trainer.Task.Weight(whole);
        var loss = step!.Run(whole, sum?.FactorOf(weight));
        if (!double.IsFinite(loss)) throw new DivergedException(place.Epoch, place.Batch, loss, step.FindCause(whole));
        sum?.Add(weight);
        if (place.EndsStep) sum?.Take();
        return (TotalOf(loss, weight), weight);
    }

    internal override Evaluation Evaluate(DataLoader batches) =>
        Evaluation.Run(Trainer.Model, Trainer.Task, batches);

    internal override void EndEpoch(int epoch, double seconds) { }

    internal override void Agree() { }

    internal override IReadOnlyDictionary<string, Tensor> OptimizerState() => Trainer.Optimizer.StateDict();

    internal override void LoadOptimizer(IReadOnlyDictionary<string, Tensor> state) =>
        Trainer.Optimizer.LoadStateDict(state);

    internal override ulong PositionOf(Generator stream) => stream.Position;

    internal override void SaveGradients(TrainingState state) =>
        (sum ?? NewSum())?.Save(state, Trainer.BatchesPerStep);

    internal override void LoadGradients(TrainingState state)
    {
        sum = NewSum();
        ShardedTraining.RequireShards(state, 1);
        GradientSum.RequireAlike(state, Trainer.BatchesPerStep);
        sum?.Load(state);
    }

    internal override void WriteCheckpoint() => Trainer.Checkpoints!.Write(Trainer.Save);

    internal override TrainingState Share(TrainingState state) => state;

    private GradientSum? NewSum() =>
        Trainer.BatchesPerStep > 1 ? new(Trainer.Optimizer, Trainer.Task.Reduction) : null;
}
