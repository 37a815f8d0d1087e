using System.CommandLine;
using System.Text;
using System.Text.Json;
using Adjoint.Data;
using Adjoint.IO;
using Adjoint.Kernels;
using Adjoint.Training;

namespace Adjoint.Cli.Commands;

/// <summary><c>adjoint train</c>: trains a network, keeps what is needed to repeat it, and writes a report.</summary>
internal static class TrainCommand
{
    internal static Command Create(TextWriter output, TextWriter error)
    {
        var options = new SettingOptions();
        var threads = new Option<int?>("--threads") { Description = "Threads; the result does not depend on it." };
        var dataDir = new Option<string?>("--data-dir") { Description = "Where the data sets lie; else ADJOINT_DATA, else the user's cache." };
        var folder = new Option<string?>("--out") { Description = "The run's folder; by default a new one under runs/." };
        var resume = new Option<string?>("--resume") { Description = "Go on with the run of this folder, with its settings, from its last checkpoint; the result is that of a run never interrupted." };
        var every = new Option<double>("--checkpoint-every") { Description = "Seconds between checkpoints.", DefaultValueFactory = _ => 60 };
        var final = new Option<bool>("--final") { Description = "Measure the best model on the test set, once, at the very end." };
        var quiet = new Option<bool>("--quiet") { Description = "No progress." };
        var eager = new Option<bool>("--eager") { Description = "Do not capture training steps; the result is the same." };
        var profile = new Option<bool>("--profile") { Description = "Time every op: a table at the end, trace.json in the run's folder. Implies --eager." };
        var asJson = new Option<bool>("--json") { Description = "Print the result as one JSON object on stdout." };
        var command = new Command("train", "Train a network and write a report.");
        foreach (var option in (IEnumerable<Option>)[.. options.All, threads, dataDir, folder, resume, every, final, quiet, asJson, eager, profile]) command.Options.Add(option);
        command.SetAction(parsed =>
        {
            var interval = ExperimentCommand.Seconds(parsed.GetValue(every));
            var from = parsed.GetValue(resume);
            if (from is not null && options.All.Concat([folder]).FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false }) is { } other)
                throw new UsageException($"{other.Name}: --resume takes the settings of the run's folder; leave it out");
            var settings = from is null
                ? options.Read(parsed, parsed.GetValue(threads), parsed.GetValue(dataDir))
                : SettingOptions.Read(RunFolder.ReadSettings(from), parsed.GetValue(threads), parsed.GetValue(dataDir));
            Workers.ThreadCount = settings.Threads;
            var data = settings.LoadData();
            var path = from ?? RunFolder.Create(parsed.GetValue(folder), settings.Dataset);
            using var held = FolderLock.Take(path);
            if (from is null) RunFolder.WriteSettings(path, settings);
            var run = new TrainingRun(settings, data, path, interval, parsed.GetValue(eager), parsed.GetValue(profile) ? new Profile() : null);
            return Run(run, from is not null, parsed.GetValue(final), parsed.GetValue(quiet), parsed.GetValue(asJson), output, error);
        });
        return command;
    }

    private static int Run(TrainingRun run, bool resume, bool final, bool quiet, bool asJson, TextWriter output, TextWriter error)
    {
        var (settings, data, folder, model) = (run.Settings, run.Data, run.Folder, run.Trainer.Model);
        if (!quiet)
            error.WriteLine($"{settings.Dataset}: {data.Train.Count:N0} training and {data.Validation.Count:N0} validation samples; {settings.Model} with {model.Parameters().Sum(parameter => parameter.Length):N0} parameters; {settings.Threads} thread{(settings.Threads == 1 ? "" : "s")}");
        if (!quiet) run.Trainer.Callbacks.Add(new ProgressView(error, settings.Epochs));
        using var interrupt = new Interrupt();
        var result = run.Train(resume, warning => error.WriteLine($"adjoint: {warning}"), interrupt.Token);
        run.WriteReport(result);
        var test = final && data.Test is { } samples ? Evaluation.Run(model, new DataLoader(samples, 1000), settings.Views) : null;
        if (!quiet)
        {
            error.WriteLine(FormattableString.Invariant($"best validation accuracy {result.Best.ValidationAccuracy:P2} after epoch {result.Best.Epoch}; report: {Path.Combine(folder, "report.html")}"));
            if (result.WasCancelled) error.WriteLine($"interrupted; to go on: adjoint train --resume {folder}");
            if (test is not null) error.WriteLine(FormattableString.Invariant($"test accuracy of that model: {test.Accuracy:P2}"));
            else if (final) error.WriteLine($"--final: {settings.Dataset} has no test set");
        }
        if (run.Profile is { } profile)
        {
            AtomicFile.Write(Path.Combine(folder, "trace.json"), profile.WriteTrace);
            error.Write(profile.ToTable());
        }
        if (!result.WasCancelled) run.Complete();
        if (asJson) output.WriteLine(ToJson(settings, model.Parameters().Sum(parameter => (long)parameter.Length), folder, result, test));
        return result.WasCancelled ? Tool.Interrupted : 0;
    }

    private static string ToJson(TrainSettings settings, long parameters, string folder, TrainingResult result, Evaluation? test)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("dataset", settings.Dataset);
            json.WriteString("model", settings.Model);
            json.WriteNumber("parameters", parameters);
            json.WriteNumber("seed", settings.Seed);
            json.WriteNumber("threads", settings.Threads);
            json.WriteString("runDirectory", folder);
            json.WriteStartArray("epochs");
            foreach (var epoch in result.Epochs) MetricLog.Write(json, epoch);
            json.WriteEndArray();
            Short(json, "best", result.Best);
            Short(json, "final", result.Final);
            if (test is not null) json.WriteNumber("testAccuracy", test.Accuracy);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static void Short(Utf8JsonWriter json, string name, EpochResult epoch)
    {
        json.WriteStartObject(name);
        json.WriteNumber("epoch", epoch.Epoch);
        json.WriteNumber("validationAccuracy", epoch.ValidationAccuracy);
        json.WriteEndObject();
    }
}
