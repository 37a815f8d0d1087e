using System.CommandLine;
using System.Runtime.InteropServices;
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
        var dataset = new Option<string>("--dataset") { Description = $"What to learn: {string.Join(", ", TrainSettings.Datasets)}.", DefaultValueFactory = _ => "synth" };
        var model = new Option<string>("--model") { Description = $"The network: {string.Join(", ", TrainSettings.Models)}.", DefaultValueFactory = _ => "mlp" };
        var hidden = new Option<string>("--hidden") { Description = "Hidden sizes: 4x (four times the inputs) or a list, 300,100.", DefaultValueFactory = _ => "4x" };
        var layers = new Option<int>("--layers") { Description = "Hidden layers, for --hidden 4x.", DefaultValueFactory = _ => 1 };
        var activation = new Option<string>("--activation") { Description = $"Between the layers: {string.Join(", ", Nn.Mlp.Activations)}.", DefaultValueFactory = _ => "sigmoid" };
        var batchSize = new Option<int>("--batch-size") { Description = "Samples per step.", DefaultValueFactory = _ => 128 };
        var epochs = new Option<int>("--epochs") { Description = "Passes over the training samples.", DefaultValueFactory = _ => 20 };
        var rate = new Option<double?>("--lr") { Description = "Learning rate; the default depends on data set and optimizer." };
        var optimizer = new Option<string>("--optimizer") { Description = $"One of {string.Join(", ", TrainSettings.Optimizers)}.", DefaultValueFactory = _ => "sgd" };
        var momentum = new Option<double>("--momentum") { Description = "Momentum of sgd.", DefaultValueFactory = _ => 0 };
        var decay = new Option<double>("--weight-decay") { Description = "Weight decay.", DefaultValueFactory = _ => 0 };
        var reduction = new Option<string>("--loss-reduction") { Description = "Loss of a batch: mean or sum of its samples' losses.", DefaultValueFactory = _ => "mean" };
        var pixels = new Option<string>("--pixels") { Description = "Of mnist and fashion-mnist: unit (divided by 255) or bytes (0 to 255, as the course's engine has them).", DefaultValueFactory = _ => "unit" };
        var seed = new Option<ulong>("--seed") { Description = "Of everything random.", DefaultValueFactory = _ => 1 };
        var threads = new Option<int?>("--threads") { Description = "Threads; the result does not depend on it." };
        var dataDir = new Option<string?>("--data-dir") { Description = "Where the data sets lie; else ADJOINT_DATA, else the user's cache." };
        var folder = new Option<string?>("--out") { Description = "The run's folder; by default a new one under runs/." };
        var final = new Option<bool>("--final") { Description = "Measure the best model on the test set, once, at the very end." };
        var quiet = new Option<bool>("--quiet") { Description = "No progress." };
        var eager = new Option<bool>("--eager") { Description = "Do not capture training steps; the result is the same." };
        var profile = new Option<bool>("--profile") { Description = "Time every op: a table at the end, trace.json in the run's folder. Implies --eager." };
        var asJson = new Option<bool>("--json") { Description = "Print the result as one JSON object on stdout." };
        var command = new Command("train", "Train a network and write a report.") { dataset, model, hidden, layers, activation, batchSize, epochs, rate, optimizer, momentum, decay, reduction, pixels, seed, threads, dataDir, folder, final, quiet, asJson, eager, profile };
        command.SetAction(parsed =>
        {
            string Value(Option<string> option) => parsed.GetValue(option)!;
            var settings = new TrainSettings(
                Value(dataset), Value(model), Value(hidden), parsed.GetValue(layers), Value(activation), parsed.GetValue(batchSize), parsed.GetValue(epochs),
                parsed.GetValue(rate) ?? TrainSettings.DefaultLearningRate(Value(dataset), Value(optimizer), Value(reduction), parsed.GetValue(batchSize)),
                Value(optimizer), parsed.GetValue(momentum), parsed.GetValue(decay), Value(reduction), Value(pixels), parsed.GetValue(seed), parsed.GetValue(threads) ?? Workers.ThreadCount, parsed.GetValue(dataDir));
            settings.Validate();
            return Run(settings, parsed.GetValue(folder), parsed.GetValue(final), parsed.GetValue(quiet), parsed.GetValue(asJson), parsed.GetValue(eager), parsed.GetValue(profile) ? new Profile() : null, output, error);
        });
        return command;
    }

    private static int Run(TrainSettings settings, string? wantedFolder, bool final, bool quiet, bool asJson, bool eager, Profile? profile, TextWriter output, TextWriter error)
    {
        Workers.ThreadCount = settings.Threads;
        var data = settings.LoadData();
        var folder = RunFolder.Create(wantedFolder, settings.Dataset);
        RunFolder.WriteSettings(folder, settings);
        var model = settings.CreateModel(data.Train);
        if (!quiet)
            error.WriteLine($"{settings.Dataset}: {data.Train.Count:N0} training and {data.Validation.Count:N0} validation samples; {settings.Model} with {model.Parameters().Sum(parameter => parameter.Length):N0} parameters; {settings.Threads} thread{(settings.Threads == 1 ? "" : "s")}");
        var validation = new DataLoader(data.Validation, 1000);
        var trainer = new Trainer(model, settings.CreateOptimizer(model), new DataLoader(data.Train, settings.BatchSize, shuffle: true, settings.Seed), validation)
        {
            LossReduction = settings.LossReduction == "sum" ? Reduction.Sum : Reduction.Mean,
            Eager = eager,
            Profile = profile,
        };
        trainer.Callbacks.Add(new ModelKeeper(folder));
        trainer.Callbacks.Add(new MetricLog(Path.Combine(folder, "metrics.jsonl")));
        if (!quiet) trainer.Callbacks.Add(new ProgressView(error, settings.Epochs));

        using var cancel = new CancellationTokenSource();
        using var onInterrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Stop(context, cancel));
        using var onTerminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Stop(context, cancel));
        var result = trainer.Run(settings.Epochs, cancel.Token);

        if (result.WasCancelled) SafeTensors.Save(Path.Combine(folder, "last.safetensors"), model.StateDict());
        model.LoadStateDict(SafeTensors.Load(Path.Combine(folder, "best.safetensors")));
        WriteReport(settings, data, folder, model, result, validation);
        var test = final && data.Test is { } samples ? Evaluation.Run(model, new DataLoader(samples, 1000)) : null;
        if (!quiet)
        {
            error.WriteLine(FormattableString.Invariant($"best validation accuracy {result.Best.ValidationAccuracy:P2} after epoch {result.Best.Epoch}; report: {Path.Combine(folder, "report.html")}"));
            if (test is not null) error.WriteLine(FormattableString.Invariant($"test accuracy of that model: {test.Accuracy:P2}"));
            else if (final) error.WriteLine($"--final: {settings.Dataset} has no test set");
        }
        if (profile is not null)
        {
            AtomicFile.Write(Path.Combine(folder, "trace.json"), profile.WriteTrace);
            error.Write(profile.ToTable());
        }
        if (asJson) output.WriteLine(ToJson(settings, model.Parameters().Sum(parameter => (long)parameter.Length), folder, result, test));
        return result.WasCancelled ? Tool.Interrupted : 0;
    }

    // The step in progress is finished, then everything is written as at a normal end.
    private static void Stop(PosixSignalContext context, CancellationTokenSource cancel)
    {
        context.Cancel = true;
        cancel.Cancel();
    }

    private static void WriteReport(TrainSettings settings, DataSplits data, string folder, Nn.Module model, TrainingResult result, DataLoader validation)
    {
        var report = new RunReport($"{settings.Dataset}: {settings.Model}, {settings.Activation}", settings.Rows(), result, Evaluation.Run(model, validation),
            data.Train.ClassNames, settings.Dataset == "synth" ? model : null);
        AtomicFile.WriteText(Path.Combine(folder, "report.html"), report.ToHtml());
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
