using System.CommandLine;
using Adjoint.Data;
using Adjoint.Experiments;
using Adjoint.IO;
using Adjoint.Kernels;
using Adjoint.Training;

namespace Adjoint.Cli.Commands;

/// <summary><c>adjoint train</c>: trains a network, keeps what is needed to repeat it, and writes a report.</summary>
internal static class TrainCommand
{
    internal const string Name = "train";

    internal static Command Create(TextWriter output, TextWriter error)
    {
        var options = new SettingOptions(TrainSettings.Table.Rows);
        var folder = SettingOption.Of(RunSettings.Out("Folder of the run.", "a new one under runs/"));
        var resume = SettingOption.Of(new TextSetting("resume")
        {
            Help = "Resume the run of this folder with its settings, from its last checkpoint; "
                + "the result is that of a run never interrupted.",
            ValueName = "folder",
        });
        var every = SettingOption.Of(RunSettings.CheckpointEvery);
        var launch = new LaunchOptions();
        var final = Flag("final", "Measure the best model on the test set, once, at the very end.");
        var open = Flag("open", "Open the report in the browser at the end.");
        var quiet = SettingOption.Of(RunSettings.Quiet);
        var asJson = Flag("json", "Print the result as one JSON object on stdout.");
        var profile = Flag("profile",
            "Time every op: a table at the end, trace.json in the run's folder. With --eager, op by op.");
        var dryRun = Flag("dry-run",
            "Only show what would be trained: columns, types, classes, parts, network, steps, time. "
                + "Nothing is written.");
        var eager = Flag("eager", "Do not capture training steps; the result is the same.");
        var command = new GuidedCommand(Name, "Train a network and write a report.",
        [
            ("adjoint train", "A first look: two features, made on the spot."),
            ("adjoint train --dataset mnist --epochs 3", "Digits; after adjoint data fetch mnist."),
            ("adjoint train --dataset cifar10 --model lenet --batch-size 50 --open",
                "Photographs, and the report in the browser."),
            ("adjoint train --data houses.csv --target price", "A table of your own; --dry-run shows what is in it."),
            ("adjoint train --data photos/", "Photographs of your own, a folder for each class."),
            ("adjoint train --model gpt", "A language model of nested brackets, made on the spot."),
            ("adjoint train --data book.txt", "A language model of a text of your own."),
            ("adjoint train --data photos/ --model resnet18 --weights resnet18.pt",
                "The same, from weights of PyTorch."),
            ("adjoint train --optimizer sgd --momentum 0.9 --lr 0.1 --schedule cosine",
                "Settings of your own."),
            ("adjoint train --dataset cifar10 --model lenet --ranks 4 --restarts 3",
                "On four processes by MPI; mpirun -n 4 adjoint train does the same."),
        ],
        [
            .. options.Groups.Select(group => new OptionGroup(group, group switch
            {
                TrainSettings.Run => [folder, resume, every, .. options.In(group)],
                TrainSettings.Ranks => [.. launch.All, launch.Timeout, .. options.In(group)],
                _ => options.In(group),
            })),
            new("Result", [final, open, quiet, asJson, profile, eager, dryRun]),
        ]);
        command.SetAction(parsed =>
        {
            var from = parsed.GetValue(resume);
            if (World.Current.Together("options", () => launch.IsLaunch(parsed)))
            {
                var how = launch.Read(parsed);
                RefuseKept(parsed);
                RefuseRanks(parsed, how.Ranks);
                return new Launcher(how, launch.Arguments(parsed, _ => true), launch.Arguments(parsed, CanBeGivenAnew),
                    output, error).Run(from);
            }
            var world = World.Current;
            // Of several ranks the first speaks.
            var (say, result) = world.IsFirst ? (error, output) : (TextWriter.Null, TextWriter.Null);
            var (isQuiet, isJson) = (parsed.GetValue(quiet), parsed.GetValue(asJson));
            world.Together("options", () => RefuseKept(parsed));
            var noted = from is null ? null : world.FromFirst("settings of the run", () => RunFolder.Noted(from));
            var isFinal = parsed.GetValue(final) || noted is not null && RunFolder.IsFinal(noted);
            var (settings, own) = world.Together("settings", () => Read(parsed, from, noted));
            var dataset = settings.Get(TrainSettings.Dataset);
            if (!options[TrainSettings.Threads].IsGiven(parsed))
                settings = settings.With(TrainSettings.Threads,
                    world.ShareOfThreads(settings.Get(TrainSettings.Threads)));
            Workers.ThreadCount = settings.Get(TrainSettings.Threads);
            world.RequireOneInstructionSet();
            var data = world.Together("data", () =>
            {
                if (isFinal && !settings.HasTest())
                    throw new UsageException($"--final: {dataset} has no test set; "
                        + (own is null ? "leave it out" : "keep some back with --test"));
                return settings.LoadData(own, line =>
                {
                    if (!isQuiet) say.WriteLine(Printable.Line(line));
                });
            });
            if (parsed.GetValue(dryRun))
            {
                if (world.IsFirst) DryRun.Show(settings, own, data, output);
                return 0;
            }
            world.RequireAlike(settings, data);
            // What does not fit is refused before there is a folder.
            world.Together("weights", () =>
            {
                if (from is null && settings.Get(TrainSettings.Weights) is not null)
                    StartingWeights.Load(settings, settings.CreateModel(data.Train));
            });
            FolderLock? held = null;
            var path = from ?? "";
            try
            {
                world.Together("folder", () =>
                {
                    if (!world.IsFirst) return;
                    path = from ?? RunFolder.Create(parsed.GetValue(folder), dataset);
                    held = FolderLock.Take(path);
                    if (from is null || parsed.GetValue(final))
                        RunFolder.WriteSettings(path, settings, isFinal, world.Size > 1 ? world.Description : null);
                    world.Tell(RankEvent.Folder, Path.GetFullPath(path));
                });
                var run = world.Together("network", () => new TrainingRun(settings, data, path,
                    TimeSpan.FromSeconds(parsed.GetValue(every)), parsed.GetValue(eager),
                    parsed.GetValue(profile) && world.IsFirst ? new Profile() : null));
                var code = Run(run, from is not null, isFinal, isQuiet || !world.IsFirst, isJson, result, say);
                if (parsed.GetValue(open) && code == 0 && world.IsFirst)
                    Browser.Open(Path.GetFullPath(Path.Combine(path, "report.html")), error);
                return code;
            }
            finally
            {
                held?.Dispose();
            }
        });
        return command;

        static Option<bool> Flag(string name, string help) => SettingOption.Of(new FlagSetting(name) { Help = help });

        // A run that goes on keeps its settings; only what its result does not depend on can be given anew.
        void RefuseKept(ParseResult parsed)
        {
            if (!resume.IsGiven(parsed)) return;
            var kept = options.Given(parsed).Select(one => TrainSettings.Table.Find(one.Key))
                .FirstOrDefault(row => row.AffectsResult);
            if ((kept?.Name ?? (folder.IsGiven(parsed) ? "out" : null)) is { } name)
                throw new UsageException($"--{name}: --resume takes the settings of the run's folder; leave it out");
        }

        (SettingValues, OwnData?) Read(ParseResult parsed, string? from, IReadOnlyDictionary<string, string>? noted)
        {
            var given = options.Given(parsed);
            if (from is null)
            {
                var own = OwnData.Open(given);
                var settings = TrainSettings.Table.Read(own is null ? given : own.Complete(given));
                return (settings.ForRanks(World.Current.Size, options[TrainSettings.Shards].IsGiven(parsed)), own);
            }
            var data = OwnData.Open(noted!);
            var resumed = RunFolder.ReadSettings(from, noted!, given);
            resumed.RefuseIdle(given.Select(one => one.Key));
            return (resumed.ForRanks(World.Current.Size, hasShards: true), data);
        }

        // Before so many processes are started. Own data may be on other machines only.
        void RefuseRanks(ParseResult parsed, int ranks)
        {
            var given = options.Given(parsed);
            if (resume.IsGiven(parsed) || given.Any(one => one.Key == TrainSettings.Source.Name)) return;
            TrainSettings.Table.Read(given).ForRanks(ranks, options[TrainSettings.Shards].IsGiven(parsed));
        }

        bool CanBeGivenAnew(Option option) => option != folder && option != resume
            && (option is not ISettingOption { Setting: var setting } || !TrainSettings.Table.Rows.Contains(setting)
                || !setting.AffectsResult);
    }

    private static int Run(TrainingRun run, bool resume, bool final, bool quiet, bool asJson, TextWriter output,
        TextWriter error)
    {
        var (settings, data, model) = (run.Settings, run.Data, run.Trainer.Model);
        var report = Path.Combine(run.Folder, "report.html");
        var parameters = model.Parameters().Sum(parameter => (long)parameter.Length);
        var view = quiet ? null : new ProgressView(error, settings.Get(TrainSettings.Epochs), !asJson);
        if (!quiet)
        {
            var (train, validation) = (data.Train.Count, data.Validation.Count);
            var (dataset, network) = (run.DataName, settings.Get(TrainSettings.Model));
            var threads = settings.Get(TrainSettings.Threads);
            error.WriteLine(Printable.Line(FormattableString.Invariant(
                $"{dataset}: {train:N0} training and {validation:N0} validation samples; {run.Purpose}")));
            var ranks = World.Current.Size == 1 ? ""
                : $"{World.Current.Description}, {settings.Get(TrainSettings.Shards)} shards; each with ";
            error.WriteLine(
                $"{network}: {parameters:N0} parameters; {ranks}{threads} thread{(threads == 1 ? "" : "s")}");
            if (!resume && run.Weights is { } weights)
                foreach (var line in StartingWeights.Lines(weights)) error.WriteLine(line);
        }
        if (view is not null) run.Trainer.Callbacks.Add(view);
        var isFirst = World.Current.IsFirst;
        using var interrupt = new Interrupt();
        TrainingResult result;
        try
        {
            result = run.Train(resume, warning =>
            {
                view?.Close();
                error.WriteLine($"adjoint: {Printable.Line(warning)}");
            }, interrupt.Token);
            view?.Finish();
        }
        // Of several ranks the first writes what came of it.
        catch (DivergedException problem) when (isFirst)
        {
            view?.Finish();
            result = run.WriteDiverged(problem);
            if (!quiet) error.WriteLine($"report: {Printable.Line(report)}");
            if (asJson) output.WriteLine(TrainJson.Of(run, parameters, result, null, problem.Message));
            throw;
        }
        finally
        {
            view?.Close();
        }
        if (!isFirst) return result.WasCanceled ? Tool.Interrupted : 0;
        var test = final && !result.WasCanceled ? run.Test(result) : null;
        run.WriteReport(result, test);
        if (!quiet)
        {
            var best = ScoreText.Of(result.Score.Name, result.Score.Of(result.Best));
            var place = Printable.Line(report);
            var events = run.EventFolder is null ? ""
                : $"; events: tensorboard --logdir {Printable.Line(ShellWord.Quote(run.EventFolder))}";
            error.WriteLine(
                $"best validation {result.Score.Name} {best} after epoch {result.Best.Epoch}; report: {place}{events}");
            if (result.WasCanceled)
            {
                var again = Printable.Line(ShellWord.Quote(run.Folder));
                var by = LaunchedRank.HasLauncher ? $" --ranks {World.Current.Size}" : "";
                error.WriteLine($"interrupted; to go on: adjoint train --resume {again}{by}");
            }
            if (result.Capture is { Plans: 0, Refusal: not null } eager)
                error.WriteLine($"steps {Printable.Line($"{eager}")}");
            if (test is not null)
                foreach (var (name, value) in test.Metrics)
                    error.WriteLine($"test {name} of that model: {ScoreText.Of(name, value)}");
        }
        if (run.Profile is { } profile)
        {
            AtomicFile.Write(Path.Combine(run.Folder, "trace.json"), profile.WriteTrace);
            error.Write(profile.ToTable());
            error.WriteLine(
                $"steps {(result.Capture is { } how ? Printable.Line($"{how}") : "eager: as --eager asks")}");
        }
        if (!result.WasCanceled) run.Complete();
        if (asJson) output.WriteLine(TrainJson.Of(run, parameters, result, test, null));
        return result.WasCanceled ? Tool.Interrupted : 0;
    }
}
