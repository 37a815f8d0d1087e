using System.CommandLine;
using System.Globalization;
using Adjoint.Data;
using Adjoint.Experiments;
using Adjoint.IO;

namespace Adjoint.Cli.Commands;

/// <summary><c>adjoint experiment</c>: sweeps over settings and seeds, from a JSON file.</summary>
internal static class ExperimentCommand
{
    internal static Command Create(TextWriter output, TextWriter error)
    {
        var file = new Argument<string>("file") { Description = "The experiment, a JSON file." };
        var folder = SettingOption.Of(RunSettings.Out("Folder of the trials and the report.", "runs/NAME"));
        var dataDir = SettingOption.Of(TrainSettings.DataDir);
        var tensorBoard = SettingOption.Of(TrainSettings.TensorBoard);
        var engine = new EngineOptions();
        var quiet = SettingOption.Of(RunSettings.Quiet);
        var every = SettingOption.Of(RunSettings.CheckpointEvery);

        (Study Study, string Folder, ITrialProgram Program) Open(ParseResult parsed)
        {
            var program = new TrainProgram(parsed.GetValue(dataDir), TimeSpan.FromSeconds(parsed.GetValue(every)),
                parsed.GetValue(tensorBoard));
            var experiment = ExperimentReader.Read(parsed.GetValue(file)!, program);
            var path = parsed.GetValue(folder) ?? Path.Combine("runs", experiment.Name);
            return (new(experiment.Title, [experiment], program, path), path, program);
        }

        string HowToRun(ParseResult parsed) => $"adjoint experiment run {ShellWord.Quote(parsed.GetValue(file)!)}";

        int Go(ParseResult parsed)
        {
            var (study, path, program) = Open(parsed);
            var how = engine.Read(parsed, program, path, study.Trials, () => Worker(parsed, path));
            return study.Run(how, parsed.GetValue(quiet), output, error);
        }

        // Workers read a copy: the file may change while they wait for their turn.
        IReadOnlyList<string> Worker(ParseResult parsed, string path)
        {
            var copy = Path.Combine(Path.GetFullPath(path), "slurm", "experiment.json");
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            AtomicFile.Write(copy, stream => stream.Write(File.ReadAllBytes(parsed.GetValue(file)!)));
            return ["experiment", "run", copy, "--out", Path.GetFullPath(path),
                .. EngineOptions.Given(parsed, dataDir, every, tensorBoard)];
        }

        OptionGroup[] groups =
            [new("Run", [folder, dataDir, engine.Jobs, every, tensorBoard, quiet]), engine.Group];
        var run = new GuidedCommand("run", "Run what is not complete, and write the report. Ctrl-C keeps everything.",
            [
                ("adjoint experiment run samples/sweep.json", "The repository's example."),
                ("adjoint experiment run samples/sweep.json --engine slurm --max-jobs 8", "On a cluster."),
            ], groups) { file };
        run.SetAction(Go);
        var resume = new GuidedCommand("resume", "Go on with an experiment that was interrupted.",
            [("adjoint experiment resume samples/sweep.json", "After Ctrl-C.")], groups) { file };
        resume.SetAction(parsed => Directory.Exists(Path.Combine(Open(parsed).Folder, "trials"))
            ? Go(parsed)
            : throw new AdjointException(
                $"{Open(parsed).Folder}: nothing was begun there; {HowToRun(parsed)} begins it"));
        var status = new GuidedCommand("status", "Show the state of each trial.", [],
            new OptionGroup("Where", [folder])) { file };
        status.SetAction(parsed =>
        {
            Open(parsed).Study.Status(output);
            return 0;
        });
        var report = new GuidedCommand("report", "Write the report of what is complete.", [],
            new OptionGroup("Where", [folder])) { file };
        report.SetAction(parsed => Open(parsed).Study.Report(HowToRun(parsed), output, error));
        var schema = new Command("schema",
            "Print the JSON schema of experiment files; save it beside yours and name it under $schema.");
        schema.SetAction(_ =>
        {
            output.Write(ExperimentSchema.For(new TrainProgram(null, TimeSpan.Zero)));
            return 0;
        });
        return new GuidedCommand("experiment", "Run sweeps over settings and seeds, from a JSON file.",
        [
            ("adjoint experiment run samples/sweep.json", "Run a sweep; again after Ctrl-C, to go on."),
            ("adjoint experiment status samples/sweep.json", "See how far it is."),
            ("adjoint experiment schema", "The schema of the file, for an editor."),
        ]) { run, resume, status, report, schema };
    }
}
