using System.CommandLine;
using System.CommandLine.Parsing;
using Adjoint.Data;
using Adjoint.Experiments;

namespace Adjoint.Cli;

/// <summary>The options that say what runs the trials of a sweep: this process, workers, or Slurm.</summary>
internal sealed class EngineOptions
{
    // Options of sbatch by which a sweep knows its jobs, and what these run.
    private static readonly string[] Own =
    [
        "--job-name", "-J", "--array", "-a", "--clusters", "-M", "--wait", "-W", "--wrap", "--chdir", "-D",
        "--test-only",
    ];

    private const string Local = "local", Slurm = "slurm", Worker = "worker";

    private readonly Option<string> engine = SettingOption.Of(new TextSetting("engine")
    {
        Help = "What runs the trials: local, this process; slurm, a job array of a cluster; worker, this process "
            + "beside others in the same folder, on any machine that shares it.",
        Choices = [Local, Slurm, Worker],
        Default = Local,
    });
    private readonly Option<int> jobs = SettingOption.Of(RunSettings.Jobs);
    private readonly Option<string> partition = SettingOption.Of(new TextSetting("partition")
    {
        Help = "Slurm: the partition; the cluster's default unless given.",
    });
    private readonly Option<string> time = SettingOption.Of(new TextSetting("time")
    {
        Help = "Slurm: time limit of a worker, such as 30 (minutes) or 1-12:00:00; "
            + "a trial that it interrupts goes on in another.",
        ValueName = "limit",
    });
    private readonly Option<int> maxJobs = SettingOption.Of(new NumberSetting<int>("max-jobs")
    {
        Help = "Slurm: workers that run at once, at most.",
        Range = new() { AtLeast = 1, AtMost = 1_000_000 },
    });
    private readonly Option<string> others = SettingOption.Of(new TextSetting("slurm")
    {
        Help = "Slurm: other options of sbatch, passed on: \"--account=x --cpus-per-task=4 --mem=4G\".",
        ValueName = "options",
    });
    private readonly Option<bool> noWait = SettingOption.Of(new FlagSetting("no-wait")
    {
        Help = "Slurm: end when the jobs are submitted; status and resume look on from anywhere.",
    });

    private readonly Option<int> ranks = SettingOption.Of(new NumberSetting<int>(RunSettings.Ranks.Name)
    {
        Help = "Slurm: ranks that run each trial together, by MPI; the experiment's shards are as many or more. For a "
            + "worker, the ranks that mpirun started.",
        Range = new() { AtLeast = 2, AtMost = 65_536 },
    });
    private readonly Option<string> mpirun = SettingOption.Of(new TextSetting(RunSettings.Mpirun.Name)
    {
        Help = "Slurm: how --ranks are started, with options of its own.",
        ValueName = "command",
        Default = "mpirun",
    });

    /// <summary>The number of trials at once, an option of this process alone.</summary>
    internal Option Jobs => jobs;

    /// <summary>The other options.</summary>
    internal OptionGroup Group => new("Engine", [engine, partition, time, maxJobs, others, noWait, ranks, mpirun]);

    /// <summary>Whether the command line asks for a worker of several ranks, which join a world.</summary>
    internal static bool IsRank(ParseResult parsed) =>
        Find(parsed, $"--{RunSettings.Ranks.Name}") is not null
        && Find(parsed, "--engine") is { } engine && engine.Text(parsed) == Worker;

    private static Option? Find(ParseResult parsed, string name) => parsed.CommandResult.Command.Options
        .FirstOrDefault(option => option.Name == name && option.IsGiven(parsed));

    private Option[] OfSlurm => [partition, time, maxJobs, others, noWait, mpirun];

    /// <summary>The engine that the command line asks for.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="program">What runs a trial.</param>
    /// <param name="folder">The folder of the sweep.</param>
    /// <param name="trials">Its trials.</param>
    /// <param name="worker">
    /// The arguments with which the tool, on another machine, is given the same trials: command and options.
    /// </param>
    /// <exception cref="UsageException">An option does nothing with this engine.</exception>
    internal Func<SweepView, ISweepEngine> Read(ParseResult parsed, ITrialProgram program, string folder,
        IReadOnlyList<Trial> trials, Func<IReadOnlyList<string>> worker)
    {
        var world = World.Current;
        int? count = ranks.IsGiven(parsed) ? parsed.GetValue(ranks) : null;
        var name = parsed.GetValue(engine)!;
        Option[] idle = name switch
        {
            Local => [.. OfSlurm, ranks],
            Slurm => [jobs],
            _ => [jobs, .. OfSlurm],
        };
        if (idle.FirstOrDefault(option => option.IsGiven(parsed)) is { } option)
        {
            var remedy = option != jobs ? ", or use --engine slurm"
                : name == Slurm ? ", or limit the workers with --max-jobs" : "";
            throw new UsageException($"{option.Name}: does nothing with --engine {name}; leave it out{remedy}");
        }
        if (count is > 1 && trials.Select(one => TrainSettings.Table.Read(one.Settings))
            .FirstOrDefault(one => one.Get(TrainSettings.Shards) < count) is { } few)
            throw new UsageException($"--ranks: {count} ranks cannot share the {few.Get(TrainSettings.Shards)} shards "
                + "of a batch; give the experiment \"shards\" among its settings, such as 12");
        if (name == Worker && (count ?? 1) != world.Size)
            throw new UsageException($"--ranks: {count} are asked for, and mpirun started {world.Size}; start it by "
                + $"mpirun -n {count}");
        var words = parsed.GetValue(others) is { } text ? QuotedWords.Split(text, others.Name) : [];
        if (words.Select(word => word.Split('=')[0]).FirstOrDefault(Own.Contains) is { } own)
            throw new UsageException($"--slurm: {own} is chosen by the sweep; leave it out");
        return name switch
        {
            Slurm => view => new SlurmEngine(program, folder, new([.. Tool.Command, .. worker(), "--engine", Worker,
                .. Given(parsed, ranks)])
            {
                Ranks = count,
                Mpirun = parsed.GetValue(mpirun)!,
                Partition = parsed.GetValue(partition),
                Time = parsed.GetValue(time),
                MaxJobs = maxJobs.IsGiven(parsed) ? parsed.GetValue(maxJobs) : null,
                Others = words,
                NoWait = parsed.GetValue(noWait),
            })
            {
                OnProgress = view.Show,
                Warn = view.Warn,
                Note = view.Note,
            },
            Worker => view => new SweepWorker(program, folder)
            {
                OnProgress = view.Show,
                Warn = view.Warn,
                FromFirst = world.FromFirst,
                IsFirst = world.IsFirst,
            },
            _ => view => new ExperimentRunner(program, folder, parsed.GetValue(jobs))
            {
                OnProgress = view.Show,
                Warn = view.Warn,
            },
        };
    }

    /// <summary>Options as they stand on the command line, those alone that are given.</summary>
    internal static IEnumerable<string> Given(ParseResult parsed, params IEnumerable<Option> options) =>
        options.Where(option => option.IsGiven(parsed)).SelectMany(option =>
            option is Option<bool> ? [option.Name] : (string[])[option.Name, option.Text(parsed)]);
}
