using Adjoint.Distributed;
using Adjoint.IO;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Tests.Distributed;
using Adjoint.Training;
using static Adjoint.Tests.Training.ParallelRuns;

namespace Adjoint.Tests.Training;

/// <summary>Checkpoints of several ranks: written by one, for any number.</summary>
public sealed class ParallelResumeTests : IDisposable
{
    private const int Epochs = 3;
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    // Stopped within an epoch, between two, and in the middle of a step of several batches.
    [Theory]
    [InlineData(1, false)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    [InlineData(2, true)]
    public void A_run_goes_on_with_another_number_of_ranks(int batchesPerStep, bool shardOptimizer)
    {
        var options = new DataParallelOptions { Shards = Shards, ShardOptimizer = shardOptimizer };
        var whole = Train(1, () => New(batchesPerStep), Epochs)[0];
        Assert.All(Go(4, stopAt: 1), Assert.Empty);
        Assert.All(Go(2, stopAt: 5), Assert.Empty);
        Assert.Equal(whole, Go(3, stopAt: int.MaxValue)[0]);

        string[] Go(int ranks, int stopAt) => Ranks.Run(ranks, communicator =>
        {
            // Only rank 0 reaches the folder.
            var checkpoints = communicator.Rank > 0
                ? null
                : new Checkpoints(new CheckpointStore(folder), TimeSpan.FromHours(1));
            var trainer = New(batchesPerStep, checkpoints);
            var parallel = new DataParallel(trainer, communicator, options);
            using var cancel = new CancellationTokenSource();
            // Any rank may ask for the end; it comes with the next batch.
            if (communicator.Rank == ranks - 1) trainer.Callbacks.Add(new StopAt(stopAt, cancel));
            Assert.Equal(ranks < 4, parallel.Load(checkpoints?.Latest(Assert.Fail)));
            var result = trainer.Fit(Epochs, cancel.Token);
            return result.WasCanceled ? "" : DigestOf(trainer, result);
        }, ParallelRuns.Timeout);
    }

    [Fact]
    public void Each_rank_takes_part_when_rank_0_finds_it_time()
    {
        var seen = Ranks.Run(3, communicator =>
        {
            var own = Directory.CreateDirectory(Path.Combine(folder, $"{communicator.Rank}"));
            var store = new CheckpointStore(own.FullName);
            // Each step is due for rank 0, and none for the others.
            var trainer = Perceptron(checkpoints: new(store,
                communicator.Rank == 0 ? TimeSpan.Zero : TimeSpan.FromHours(1)));
            var saves = new CountSaves();
            trainer.Callbacks.Add(saves);
            _ = new DataParallel(trainer, communicator, new() { Shards = Shards });
            trainer.Fit(1);
            return (saves.Count, store.HasStates);
        }, ParallelRuns.Timeout);
        Assert.Equal([(3, true), (3, false), (3, false)], seen);
    }

    [Fact]
    public void What_a_callback_of_rank_0_alone_decided_holds_after_resuming()
    {
        Trainer New(bool decides)
        {
            var trainer = Perceptron();
            // Never is an epoch so much better: each halves the rate.
            if (decides) trainer.Callbacks.Add(new PlateauSchedule(0.5, patience: 0, threshold: 10));
            return trainer;
        }
        var whole = Train(1, () => New(decides: true), epochs: 4)[0];
        var begun = New(decides: true);
        _ = new DataParallel(begun, Communicator.Alone, new() { Shards = Shards });
        begun.Fit(2);
        var state = begun.Save();
        var ends = Ranks.Run(2, communicator =>
        {
            var trainer = New(communicator.Rank == 0);
            var parallel = new DataParallel(trainer, communicator, new() { Shards = Shards });
            Assert.True(parallel.Load(communicator.Rank == 0 ? state : null));
            return DigestOf(trainer, trainer.Fit(4));
        }, ParallelRuns.Timeout);
        Assert.All(ends, end => Assert.Equal(whole, end));
    }

    [Fact]
    public void A_state_of_another_number_of_shards_is_refused()
    {
        var trainer = Perceptron();
        _ = new DataParallel(trainer, Communicator.Alone, new() { Shards = 4 });
        trainer.Fit(1);
        var state = trainer.Save();
        Assert.Contains("saved with 4 shards of each batch: found 1 here",
            Assert.Throws<AdjointException>(() => Perceptron().Load(state)).Message, StringComparison.Ordinal);
        var other = Perceptron();
        _ = new DataParallel(other, Communicator.Alone, new() { Shards = 6 });
        Assert.Contains("found 6 here; the number of ranks may change, but go on with DataParallelOptions.Shards = 4",
            Assert.Throws<AdjointException>(() => other.Load(state)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void One_rank_cannot_resume_alone()
    {
        var whole = Perceptron();
        _ = new DataParallel(whole, Communicator.Alone, new() { Shards = Shards });
        whole.Fit(1);
        var state = whole.Save();
        var errors = Ranks.Failures(2, communicator =>
        {
            var trainer = Perceptron();
            _ = new DataParallel(trainer, communicator, new() { Shards = Shards });
            if (communicator.Rank == 1) trainer.Load(state);
            trainer.Fit(1);
        }, ParallelRuns.Timeout);
        Assert.All(errors, error => Assert.Contains("'state to resume from'",
            Assert.IsType<RankFailureException>(error).Message, StringComparison.Ordinal));
    }

    [Fact]
    public void A_disk_that_is_full_ends_all_ranks_with_that_message()
    {
        // A file stands where the folder would be.
        var path = Path.Combine(folder, "taken");
        File.WriteAllText(path, "");
        var errors = Ranks.Failures(3, communicator =>
        {
            var trainer = Perceptron(checkpoints: communicator.Rank > 0
                ? null
                : new(new CheckpointStore(path), TimeSpan.Zero));
            _ = new DataParallel(trainer, communicator, new() { Shards = Shards });
            trainer.Fit(1);
        }, ParallelRuns.Timeout);
        var first = Assert.IsAssignableFrom<IOException>(errors[0]);
        foreach (var error in errors[1..])
        {
            var failure = Assert.IsType<RankFailureException>(error);
            Assert.Equal(0, failure.Rank);
            Assert.Contains(first.Message, failure.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_rank_keeps_the_states_of_its_own_parameters_alone()
    {
        var kept = Ranks.Run(3, communicator =>
        {
            // A step before, by which it has the states of all.
            var trainer = Perceptron(model => new Adam(model.Parameters(), 0.01));
            trainer.Fit(1);
            Assert.Equal(9, trainer.Optimizer.StateDict().Count);
            _ = new DataParallel(trainer, communicator, new() { Shards = Shards, ShardOptimizer = true });
            trainer.Fit(1);
            return trainer.Optimizer.StateDict().Keys.Where(name => name != "steps").ToArray();
        }, ParallelRuns.Timeout);
        // Four parameters with two moments each: every one at one rank.
        Assert.Equal(["0.0", "0.1", "1.0", "1.1", "2.0", "2.1", "3.0", "3.1"], kept.SelectMany(names => names).Order());
        Assert.All(kept, names => Assert.InRange(names.Length, 2, 4));
    }

    private static Trainer New(int batchesPerStep, Checkpoints? checkpoints = null)
    {
        var trainer = Perceptron(batchesPerStep: batchesPerStep, checkpoints: checkpoints);
        trainer.Callbacks.Add(new EarlyStopping(patience: 5));
        return trainer;
    }

    private sealed class CountSaves : Callback
    {
        internal int Count { get; private set; }

        public override void AfterSave(Trainer trainer) => Count++;
    }
}
