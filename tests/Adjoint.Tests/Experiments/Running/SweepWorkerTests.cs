using Adjoint.Experiments;
using Adjoint.Training;

namespace Adjoint.Tests.Experiments;

/// <summary>Workers share the trials of a folder; what fails there stops one of them, not the others.</summary>
public sealed class SweepWorkerTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Each_trial_is_run_once_by_one_of_them()
    {
        var program = new Program();
        var trials = program.Trials(12);
        var summaries = new SweepSummary[4];
        Parallel.For(0, 4, worker => summaries[worker] = new SweepWorker(program, folder).Run(trials));
        Assert.Equal(trials.Select(trial => trial.Seed), program.Ran.Order());
        Assert.All(summaries, summary => Assert.Empty(summary.Failures));
        Assert.Contains(summaries, summary => summary.Complete == 12);
        Assert.DoesNotContain(Directory.GetFiles(folder, "*", SearchOption.AllDirectories),
            path => Path.GetFileName(path).StartsWith('.'));
    }

    [Fact]
    public void A_trial_that_fails_ends_its_worker_and_is_left_alone_until_a_run_is_asked_for()
    {
        var program = new Program { Fails = 2 };
        var trials = program.Trials(4);
        var first = new SweepWorker(program, folder).Run(trials);
        Assert.Equal($"{trials[1].Key}: no luck", Assert.Single(first.Failures));
        Assert.Equal([1, 2], program.Ran);
        Assert.Equal((TrialState.Failed, $"{trials[1].Key}: no luck"), State(trials[1]));
        var second = new SweepWorker(program, folder).Run(trials);
        Assert.Empty(second.Failures);
        Assert.Equal([1, 2, 3, 4], program.Ran);
        Assert.Equal((3, 4), (second.Complete, second.Total));
        program.Fails = 0;
        var local = new ExperimentRunner(program, folder, 1).Run(trials);
        Assert.Equal((4, 4), (local.Complete, local.Total));
        Assert.Equal([1, 2, 3, 4, 2], program.Ran);
        Assert.Equal((TrialState.Complete, null), State(trials[1]));
    }

    [Fact]
    public void What_another_holds_is_not_touched()
    {
        var program = new Program();
        var trials = program.Trials(2);
        using (var held = TrialLease.TryTake(ExperimentRunner.FolderOf(folder, trials[0]), new()))
        {
            Assert.Equal(TrialState.Running, State(trials[0]).State);
            new SweepWorker(program, folder).Run(trials);
            Assert.Equal([2], program.Ran);
            // This process alone is to run all: it says who is in its way.
            Assert.Contains("in use by process", Assert.Single(new ExperimentRunner(program, folder, 1).Run(trials)
                .Failures), StringComparison.Ordinal);
        }
        // Held by somebody who did not begin it.
        Assert.Equal((TrialState.Waiting, null), State(trials[0]));
        Assert.Equal(2, new SweepWorker(program, folder).Run(trials).Complete);
    }

    [Fact]
    public void Who_is_stopped_gives_the_trial_back()
    {
        using var stop = new CancellationTokenSource();
        var program = new Program { OnRun = stop.Cancel };
        var trials = program.Trials(2);
        var summary = new SweepWorker(program, folder).Run(trials, stop.Token);
        Assert.Equal((0, 2), (summary.Complete, summary.Total));
        Assert.Equal([1], program.Ran);
        Assert.Equal((TrialState.Interrupted, null), State(trials[0]));
    }

    private (TrialState State, string? Message) State(Trial trial)
    {
        var progress = ExperimentRunner.Look(folder, trial);
        return (progress.State, progress.Message);
    }

    private sealed class Program : ITrialProgram
    {
        private readonly Lock gate = new();

        internal List<ulong> Ran { get; } = [];
        internal ulong Fails { get; set; }
        internal Action OnRun { get; init; } = () => Thread.Sleep(20);

        public IReadOnlyList<Setting> Settings => [];

        internal IReadOnlyList<Trial> Trials(int count) =>
        [
            .. Enumerable.Range(1, count).Select(seed => new Trial($"trial-{seed}",
                new Dictionary<string, string> { ["seed"] = $"{seed}" }, [], (ulong)seed)),
        ];

        public IReadOnlyList<(string Name, string Value)> Complete(IReadOnlyDictionary<string, string> settings) => [];

        public double Cost(IReadOnlyDictionary<string, string> settings) => 1;

        public int Epochs(IReadOnlyDictionary<string, string> settings) => 1;

        public string Command(IReadOnlyDictionary<string, string> settings) => "none";

        public TrialOutcome Run(TrialTask task)
        {
            var seed = ulong.Parse(task.Settings["seed"]);
            lock (gate) Ran.Add(seed);
            File.WriteAllText(Path.Combine(task.Folder, "settings.json"), "{}");
            OnRun();
            if (seed == Fails) throw new AdjointException("no luck");
            return new([new EpochResult(0, null, 1, new Dictionary<string, double>(), 0.1)],
                task.Cancellation.IsCancellationRequested, null, []);
        }

        public void Forget(string folder) { }
    }
}
