using System.CommandLine;
using Adjoint.Experiments;

namespace Adjoint.Cli.Commands;

/// <summary><c>adjoint paper</c>: draws the figures of the course report again, over several seeds, and says which of its claims hold.</summary>
internal static class PaperCommand
{
    private const string Quick = "Quick look: 2 epochs on a twenty-fifth of the data. It shows that everything works, and says nothing about the claims.";

    internal static Command Create(TextWriter output, TextWriter error)
    {
        var seeds = NumberOption.Of("--seeds", "How many seeds; 3 prove little, 10 more.", 3);
        var only = TextOption.Optional("--only",
            "Some of the figures: 1,4b. A b is the other way to read what the report leaves open.", "figures");
        var quick = NumberOption.Flag("--quick",
            "The whole path in under two minutes, on a small share of epochs and data; marked as such everywhere.");
        var jobs = NumberOption.Optional<int>("--jobs", "Trials at once; by default one for each core.");
        var folder = TextOption.Optional("--out",
            "Where everything goes, runs/paper by default; what is complete there is not run again.", "folder");
        var dataDir = TextOption.DataDir();
        var quiet = NumberOption.Flag("--quiet", "No progress.");
        var every = NumberOption.Of("--checkpoint-every", "Seconds between a trial's checkpoints.", 60.0);
        var report = NumberOption.Flag("--report", "Run nothing: write the report of what is complete.");
        var command = new GuidedCommand("paper", "Redraw the course report's figures and judge its claims.",
        [
            ("adjoint paper --quick", "See that everything works."),
            ("adjoint paper", "All figures, three seeds: some hours."),
            ("adjoint paper --only 1,4 --seeds 10", "Two of them, with more seeds."),
        ],
        new("What", [only, seeds, quick, report]), new("Run", [jobs, folder, dataDir, every, quiet]));
        command.SetAction(parsed =>
        {
            var count = parsed.GetValue(seeds);
            Option[] running = [jobs, every, quiet];
            if (parsed.GetValue(report) && running.FirstOrDefault(option => option.IsGiven(parsed)) is { } idle)
                throw new UsageException($"{idle.Name}: does nothing beside --report, which runs none; leave it out");
            if (count is < 1 or > 1000) throw new UsageException($"--seeds: {count} is out of range; use 1 to 1000");
            var wanted = Select(parsed.GetValue(only), parsed.GetValue(quick)).Select(one => one with { Seeds = [.. Enumerable.Range(1, count).Select(seed => (ulong)seed)] }).ToArray();
            var program = new TrainProgram(parsed.GetValue(dataDir), ExperimentCommand.Seconds(parsed.GetValue(every)));
            // The first thing that could be missing is said before the first trial.
            if (!parsed.GetValue(report))
                foreach (var dataset in wanted.Select(one => one.Base["dataset"]).Distinct()) Data.DataFolder.Locate(parsed.GetValue(dataDir), dataset);
            var study = new Study("The course report, redrawn", wanted, program, parsed.GetValue(folder) ?? Path.Combine("runs", parsed.GetValue(quick) ? "paper-quick" : "paper"), parsed.GetValue(quick) ? Quick : null);
            if (parsed.GetValue(report)) return study.Report("adjoint paper", output, error);
            return study.Run(ExperimentCommand.Jobs(parsed.GetValue(jobs)), parsed.GetValue(quiet), output, error);
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
        return quick ? [.. all.Select(one => one with { Title = one.Title + " (quick)", Base = new Dictionary<string, string>(one.Base) { ["epochs"] = "2", ["data-share"] = "0.04" } })] : all;
    }
}
