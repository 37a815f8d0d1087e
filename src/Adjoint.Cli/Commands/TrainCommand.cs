using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Adjoint.Data;
using Adjoint.Experiments;
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
        var threads = NumberOption.Optional<int>("--threads",
            "Threads, by default one for each core; the result does not depend on it.");
        var dataDir = TextOption.DataDir();
        var folder = TextOption.Optional("--out", "The run's folder; by default a new one under runs/.", "folder");
        var resume = TextOption.Optional("--resume",
            "Go on with the run of this folder, with its settings, from its last checkpoint; the result is that of a "
            + "run never interrupted.", "folder");
        var every = NumberOption.Of("--checkpoint-every", "Seconds between checkpoints.", 60.0);
        var final = NumberOption.Flag("--final", "Measure the best model on the test set, once, at the very end.");
        var quiet = NumberOption.Flag("--quiet", "No progress.");
        var open = NumberOption.Flag("--open", "Open the report in the browser at the end.");
        var eager = NumberOption.Flag("--eager", "Do not capture training steps; the result is the same.");
        var profile = NumberOption.Flag("--profile",
            "Time every op: a table at the end, trace.json in the run's folder. With --eager, op by op.");
        var asJson = NumberOption.Flag("--json", "Print the result as one JSON object on stdout.");
        var command = new GuidedCommand("train", "Train a network and write a report.",
        [
            ("adjoint train", "A first look: two features, made on the spot."),
            ("adjoint train --dataset mnist --epochs 3", "Digits; after adjoint data fetch mnist."),
            ("adjoint train --dataset cifar10 --model lenet --batch-size 50 --open",
                "Photographs, and the report in the browser."),
            ("adjoint train --epochs 5 --optimizer sgd --momentum 0.9 --lr 0.1 --schedule cosine",
                "Settings of one's own."),
        ],
        [.. options.Groups, new("Run", [folder, resume, every, threads, dataDir]),
            new("Result", [final, open, quiet, asJson, profile, eager])]);
        command.SetAction(parsed =>
        {
            var interval = ExperimentCommand.Seconds(parsed.GetValue(every));
            var from = parsed.GetValue(resume);
            var given = options.All.Append(folder).FirstOrDefault(option => option.IsGiven(parsed));
            if (from is not null && given is { } other)
                throw new UsageException($"{other.Name}: --resume takes the settings of the run's folder; leave it out");
            var settings = from is null
                ? options.Read(parsed, parsed.GetValue(threads), parsed.GetValue(dataDir))
                : RunFolder.ReadSettings(from, parsed.GetValue(threads), parsed.GetValue(dataDir));
            if (settings.DataDir is not null) settings.RefuseIdle(["data-dir"]);
            var isFinal = parsed.GetValue(final) || from is not null && RunFolder.IsFinal(from);
            if (isFinal && !settings.HasTest)
                throw new UsageException($"--final: {settings.Dataset} has no test set; leave it out");
            Workers.ThreadCount = settings.Threads;
            var data = settings.LoadData();
            var path = from ?? RunFolder.Create(parsed.GetValue(folder), settings.Dataset);
            using var held = FolderLock.Take(path);
            if (from is null || parsed.GetValue(final)) RunFolder.WriteSettings(path, settings, isFinal);
            var run = new TrainingRun(settings, data, path, interval, parsed.GetValue(eager), parsed.GetValue(profile) ? new Profile() : null);
            var (isQuiet, isJson) = (parsed.GetValue(quiet), parsed.GetValue(asJson));
            var code = Run(run, from is not null, isFinal, isQuiet, isJson, output, error);
            if (parsed.GetValue(open) && code == 0)
                Browser.Open(Path.GetFullPath(Path.Combine(path, "report.html")), error);
            return code;
        });
        return command;
    }

    private static int Run(TrainingRun run, bool resume, bool final, bool quiet, bool asJson, TextWriter output, TextWriter error)
    {
        var (settings, data, model) = (run.Settings, run.Data, run.Trainer.Model);
        var report = Path.Combine(run.Folder, "report.html");
        var parameters = model.Parameters().Sum(parameter => (long)parameter.Length);
        var view = quiet ? null : new ProgressView(error, settings.Epochs);
        if (!quiet)
        {
            var (train, validation) = (data.Train.Count, data.Validation.Count);
            var threads = $"{settings.Threads} thread{(settings.Threads == 1 ? "" : "s")}";
            error.WriteLine($"{settings.Dataset}: {train:N0} training and {validation:N0} validation samples");
            error.WriteLine($"{settings.Model}: {parameters:N0} parameters; {threads}");
        }
        if (view is not null) run.Trainer.Callbacks.Add(view);
        using var interrupt = new Interrupt();
        TrainingResult result;
        try
        {
            result = run.Train(resume, warning =>
            {
                view?.Close();
                error.WriteLine($"adjoint: {Printable.Line(warning)}");
            }, interrupt.Token);
        }
        catch (DivergedException problem)
        {
            view?.Close();
            result = run.WriteDiverged(problem);
            if (!quiet) error.WriteLine($"report: {Printable.Line(report)}");
            if (asJson) output.WriteLine(ToJson(run, parameters, result, null, problem.Message));
            throw;
        }
        finally
        {
            view?.Close();
        }
        var test = final && !result.WasCancelled ? run.Test(result) : null;
        run.WriteReport(result, test);
        if (!quiet)
        {
            var accuracy = result.Best.ValidationAccuracy.ToString("P2", CultureInfo.InvariantCulture);
            var place = Printable.Line(report);
            error.WriteLine($"best validation accuracy {accuracy} after epoch {result.Best.Epoch}; report: {place}");
            if (result.WasCancelled)
            {
                var again = Printable.Line(ShellWord.Quote(run.Folder));
                error.WriteLine($"interrupted; to go on: adjoint train --resume {again}");
            }
            if (result.Capture is { Plans: 0, Refusal: not null } eager)
                error.WriteLine($"steps {Printable.Line($"{eager}")}");
            if (test is not null) error.WriteLine(FormattableString.Invariant($"test accuracy of that model: {test.Accuracy:P2}"));
        }
        if (run.Profile is { } profile)
        {
            AtomicFile.Write(Path.Combine(run.Folder, "trace.json"), profile.WriteTrace);
            error.Write(profile.ToTable());
            error.WriteLine(
                $"steps {(result.Capture is { } how ? Printable.Line($"{how}") : "eager: as --eager asks")}");
        }
        if (!result.WasCancelled) run.Complete();
        if (asJson) output.WriteLine(ToJson(run, parameters, result, test, null));
        return result.WasCancelled ? Tool.Interrupted : 0;
    }

    private static string ToJson(TrainingRun run, long parameters, TrainingResult result, Evaluation? test,
        string? problem)
    {
        var settings = run.Settings;
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("dataset", settings.Dataset);
            json.WriteString("model", settings.Model);
            json.WriteNumber("parameters", parameters);
            json.WriteNumber("seed", settings.Seed);
            json.WriteNumber("threads", settings.Threads);
            json.WriteString("runDirectory", run.Folder);
            json.WriteStartArray("epochs");
            foreach (var epoch in result.Epochs) MetricLog.Write(json, epoch);
            json.WriteEndArray();
            Short(json, "best", result.Best);
            Short(json, "final", result.Final);
            if (test is not null)
            {
                json.WriteNumber("testLoss", test.Loss);
                json.WriteNumber("testAccuracy", test.Accuracy);
            }
            if (problem is not null) json.WriteString("problem", problem);
            if (result.Capture is { } capture) Capture(json, capture);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static void Capture(Utf8JsonWriter json, CaptureReport capture)
    {
        json.WriteStartObject("capture");
        json.WriteNumber("replayed", capture.Replayed);
        json.WriteNumber("recorded", capture.Recorded);
        json.WriteNumber("eager", capture.Eager);
        json.WriteNumber("plans", capture.Plans);
        json.WriteNumber("operations", capture.Operations);
        json.WriteNumber("plannedBytes", capture.PlannedBytes);
        if (capture.Refusal is { } refusal) json.WriteString("refusal", refusal);
        json.WriteEndObject();
    }

    private static void Short(Utf8JsonWriter json, string name, EpochResult epoch)
    {
        json.WriteStartObject(name);
        json.WriteNumber("epoch", epoch.Epoch);
        json.WriteNumber("validationAccuracy", epoch.ValidationAccuracy);
        json.WriteEndObject();
    }
}
