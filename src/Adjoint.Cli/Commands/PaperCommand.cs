using System.CommandLine;
using Adjoint.Data;
using Adjoint.Experiments;

namespace Adjoint.Cli.Commands;

/// <summary>
/// <c>adjoint paper</c>: draws the figures of the course report again, over several seeds, and says which of its claims
/// hold.
/// </summary>
internal static class PaperCommand
{
    private const string Quick = "Quick look: 2 epochs on a twenty-fifth of the data. It shows that everything works, "
        + "and says nothing about the claims.";

    internal static Command Create(TextWriter output, TextWriter error)
    {
        var seeds = SettingOption.Of(new NumberSetting<int>("seeds")
        {
            Help = "Number of seeds; 3 prove little, 10 more.",
            Range = new() { AtLeast = 1, AtMost = 1000 },
            Default = 3,
        });
        var only = SettingOption.Of(new TextSetting("only")
        {
            Help = "Some of the figures, such as 1,4b; a b is the other reading of what the course report leaves open.",
            ValueName = "figures",
        });
        var quick = SettingOption.Of(new FlagSetting("quick")
        {
            Help = "All steps in under two minutes, with few epochs and little data; marked as such everywhere.",
        });
        var engine = new EngineOptions();
        var folder = SettingOption.Of(RunSettings.Out(
            "Folder of the trials and the report; complete trials there are not run again.", "runs/paper"));
        var dataDir = SettingOption.Of(TrainSettings.DataDir);
        var quiet = SettingOption.Of(RunSettings.Quiet);
        var every = SettingOption.Of(RunSettings.CheckpointEvery);
        var report = SettingOption.Of(
            new FlagSetting("report") { Help = "Run nothing; write the report of what is complete." });
        var command = new GuidedCommand("paper", "Redraw the course report's figures and judge its claims.",
        [
            ("adjoint paper --quick", "See that everything works."),
            ("adjoint paper", "All figures, three seeds: some hours."),
            ("adjoint paper --only 1,4 --seeds 10", "Two of them, with more seeds."),
        ],
        new("What", [only, seeds, quick, report]), new("Run", [engine.Jobs, folder, dataDir, every, quiet]),
            engine.Group);
        command.SetAction(parsed =>
        {
            var count = parsed.GetValue(seeds);
            Option[] running = [engine.Jobs, every, quiet, .. engine.Group.Options];
            if (parsed.GetValue(report) && running.FirstOrDefault(option => option.IsGiven(parsed)) is { } idle)
                throw new UsageException($"{idle.Name}: does nothing beside --report, which runs none; leave it out");
            ulong[] all = [.. Enumerable.Range(1, count).Select(seed => (ulong)seed)];
            var isQuick = parsed.GetValue(quick);
            var wanted = Select(parsed.GetValue(only), isQuick).Select(one => one with { Seeds = all }).ToArray();
            var source = parsed.GetValue(dataDir);
            var program = new TrainProgram(source, TimeSpan.FromSeconds(parsed.GetValue(every)));
            // The first thing that could be missing is said before the first trial.
            if (!parsed.GetValue(report))
                foreach (var dataset in wanted.Select(one => one.Base["dataset"]).Distinct())
                    DataFolder.Locate(source, dataset);
            var path = parsed.GetValue(folder) ?? Path.Combine("runs", isQuick ? "paper-quick" : "paper");
            var study = new Study("The course report, redrawn", wanted, program, path, isQuick ? Quick : null);
            if (parsed.GetValue(report)) return study.Report("adjoint paper", output, error);
            var how = engine.Read(parsed, program, path, study.Trials, () => ["paper", "--out", Path.GetFullPath(path),
                .. EngineOptions.Given(parsed, only, seeds, quick, dataDir, every)]);
            return study.Run(how, parsed.GetValue(quiet), output, error);
        });
        return command;
    }

    private static IReadOnlyList<Experiment> Select(string? only, bool quick)
    {
        var all = CourseReport.Experiments;
        if (only is not null)
        {
            // 8 stands beside 7.
            var names = all.SelectMany(one => one.Plots.Select(plot => plot.Number)).ToArray();
            var numbers = only.Split(',', StringSplitOptions.TrimEntries);
            foreach (var number in numbers)
                if (!names.Contains(number)) throw UsageException.OneOf("--only", number, names);
            all = [.. all.Where(one => one.Plots.Any(plot => numbers.Contains(plot.Number)))];
        }
        return quick ? [.. all.Select(Shorten)] : all;
    }
    private static Experiment Shorten(Experiment one) => one with
    {
        Title = $"{one.Title} (quick)",
        Base = new Dictionary<string, string>(one.Base)
        {
            [TrainSettings.Epochs.Name] = "2",
            [TrainSettings.DataShare.Name] = "0.04",
        },
    };
}
