using System.CommandLine;
using Adjoint.Experiments;
using Adjoint.IO;

namespace Adjoint.Cli.Commands;

/// <summary><c>adjoint experiment</c>: sweeps of one's own, from a JSON file.</summary>
internal static class ExperimentCommand
{
    internal static Command Create(TextWriter output, TextWriter error)
    {
        var file = new Argument<string>("file") { Description = "The experiment, a JSON file." };
        var folder = new Option<string?>("--out") { Description = "Where everything goes; runs/NAME by default." };
        var dataDir = new Option<string?>("--data-dir") { Description = "Where the data sets lie; else ADJOINT_DATA, else the user's cache." };
        var jobs = new Option<int?>("--jobs") { Description = "Trials at once; by default one for each core." };
        var quiet = new Option<bool>("--quiet") { Description = "No progress." };
        var every = new Option<double>("--checkpoint-every") { Description = "Seconds between a trial's checkpoints.", DefaultValueFactory = _ => 60 };

        (Study Study, string Folder) Open(ParseResult parsed)
        {
            var program = new TrainProgram(parsed.GetValue(dataDir), Seconds(parsed.GetValue(every)));
            var experiment = ExperimentReader.Read(parsed.GetValue(file)!, program);
            var path = parsed.GetValue(folder) ?? Path.Combine("runs", experiment.Name);
            return (new(experiment.Title, [experiment], program, path), path);
        }

        int Go(ParseResult parsed) => Open(parsed).Study.Run(Jobs(parsed.GetValue(jobs)), parsed.GetValue(quiet), output, error);

        var run = new Command("run", "Run what is not complete, and write the report. Ctrl-C keeps everything.") { file, folder, dataDir, jobs, quiet, every };
        run.SetAction(Go);
        var resume = new Command("resume", "Go on with an experiment that was interrupted.") { file, folder, dataDir, jobs, quiet, every };
        resume.SetAction(parsed => Directory.Exists(Path.Combine(Open(parsed).Folder, "trials"))
            ? Go(parsed)
            : throw new AdjointException($"{Open(parsed).Folder}: nothing was begun there; adjoint experiment run {parsed.GetValue(file)}"));
        var status = new Command("status", "Say where each trial is.") { file, folder };
        status.SetAction(parsed =>
        {
            Open(parsed).Study.Status(output);
            return 0;
        });
        var report = new Command("report", "Write the report of what is complete.") { file, folder };
        report.SetAction(parsed => Open(parsed).Study.Report($"adjoint experiment run {parsed.GetValue(file)}", output, error));
        var schema = new Command("schema", "Print the JSON schema of experiment files; save it beside yours and name it under $schema.");
        schema.SetAction(_ =>
        {
            output.Write(ExperimentSchema.For(new TrainProgram(null, TimeSpan.Zero)));
            return 0;
        });
        return new Command("experiment", "Sweeps over settings and seeds, from a JSON file.") { run, resume, status, report, schema };
    }

    internal static TimeSpan Seconds(double every) => every is >= 0 and < 1e6 ? TimeSpan.FromSeconds(every) : throw new UsageException($"--checkpoint-every: {every} is out of range; use 0 or more");

    internal static int Jobs(int? wanted) => wanted is null or >= 1 and <= 256 ? wanted ?? Study.DefaultJobs : throw new UsageException($"--jobs: {wanted} is out of range; use 1 to 256");
}
