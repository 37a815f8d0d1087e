using Adjoint.Data;
using Adjoint.Distributed;

namespace Adjoint.Training;

/// <summary>
/// Measures a model on several ranks, to the same digits as on one: each computes the outputs of every N-th batch, and
/// all add up all batches in the loader's order. So a metric of any kind sees what it would see on one rank.
/// </summary>
internal static class SharedEvaluation
{
    private const string Call = "outputs of validation";

    /// <summary>Measures a model; all ranks call it with the same batches.</summary>
    /// <param name="communicator">The ranks.</param>
    /// <param name="trainer">Whose model is measured, for its task.</param>
    /// <param name="batches">The samples.</param>
    /// <param name="views">The views of each sample to average over.</param>
    /// <param name="place">Puts the random streams where they are for a batch of this number.</param>
    internal static Evaluation Run(Communicator communicator, Trainer trainer, DataLoader batches,
        TestTimeAugmentation views, Action<int> place)
    {
        using var recording = new NoGrad();
        using var use = trainer.Model.EvalScope();
        var (task, sums, group) = (trainer.Task, new Evaluation.Sums(trainer.Task), new List<Batch>());
        var done = 0;
        foreach (var batch in batches)
        {
            task.Check(batch);
            group.Add(batch);
            if (group.Count == communicator.Size) Add();
        }
        if (group.Count > 0) Add();
        return sums.Result();

        void Add()
        {
            var (total, output) = (0.0, (Tensor?)null);
            if (communicator.Rank < group.Count)
            {
                place(done + communicator.Rank);
                (total, output) = task.Measure(trainer.Model, group[communicator.Rank], views);
            }
            var all = TensorMessages.AllGather(communicator, Call, total, output);
            for (var i = 0; i < group.Count; i++) sums.Add(all[i].Number, all[i].Tensor, group[i]);
            done += group.Count;
            group.Clear();
        }
    }
}
