using System.CommandLine;
using System.Numerics;
using System.Text.Json;
using Adjoint.Data;
using Adjoint.Exploring;
using Adjoint.IO;
using Adjoint.Kernels;
using Adjoint.Nn;

namespace Adjoint.Cli.Commands;

/// <summary><c>adjoint explore</c>: a page in the browser that shows a network think and learn.</summary>
internal static class ExploreCommand
{
    internal static Command Create(TextWriter output, TextWriter error)
    {
        var dataset = TextOption.Optional("--dataset",
            $"What to learn: {string.Join(", ", TrainSettings.Datasets)}; synth by default.");
        var model = TextOption.Optional("--model",
            $"The network: {string.Join(", ", TrainSettings.Models)}; mlp by default.");
        var hidden = TextOption.Optional("--hidden",
            "Of an mlp: hidden sizes, 4x (four times the inputs) or a list, 300,100.");
        var layers = NumberOption.Optional<int>("--layers",
            "Of an mlp: how many hidden layers of --hidden 4x; 1 by default.");
        var activation = TextOption.Optional("--activation",
            $"Of an mlp: {string.Join(", ", Nn.Mlp.Activations)}; by default sigmoid for synth and relu for images.");
        var batchSize = NumberOption.Of("--batch-size", "Samples per step, and in the graph.", 32);
        var rate = NumberOption.Optional<double>("--lr",
            "Learning rate at first; by default one that suits data set and optimizer.");
        var optimizer = TextOption.Optional("--optimizer",
            $"At first: {string.Join(", ", TrainSettings.Optimizers)}; by default sgd for synth and adam for images.");
        var seed = NumberOption.Of("--seed", "Of everything random.", 1UL);
        var dataDir = TextOption.DataDir();
        var checkpoint = TextOption.Optional("--checkpoint",
            "Begin with the best model of a run: its folder, whose settings are taken, or a .safetensors file.",
            "path");
        var port = NumberOption.Of("--port", "Where to serve; 0 takes any free port.", 0);
        var open = NumberOption.Flag("--open", "Open the page in the browser.");
        var command = new GuidedCommand("explore", "Show a network think and learn, in the browser.",
        [
            ("adjoint explore --open", "An mlp on two features, made on the spot."),
            ("adjoint explore --dataset cifar10 --model lenet --open", "Images and convolutions."),
        ],
        new("Data", [dataset, dataDir]), new("Network", [model, hidden, layers, activation, checkpoint]),
        new("Training", [batchSize, rate, optimizer, seed]), new("Page", [port, open]));
        command.SetAction(parsed =>
        {
            var (file, run) = Checkpoint(parsed.GetValue(checkpoint));
            string? Given(Option<string?> option) => parsed.GetValue(option) ?? run.GetValueOrDefault(option.Name[2..]);
            T? Noted<T>(string name) where T : struct, INumber<T>, IMinMaxValue<T> =>
                !run.TryGetValue(name, out var text) ? null
                : NumberText.TryRead<T>(text, out var number, out var problem) ? number
                : throw new AdjointException($"--checkpoint {file}: {name} of the settings.json beside it: {problem}");
            var (of, by) = (Given(dataset) ?? "synth", Given(model) ?? "mlp");
            var step = Given(optimizer) ?? TrainSettings.DefaultOptimizer(of);
            // A rate belongs to its optimizer, and to the mean over a batch, which is what the page learns from.
            var noted = run.GetValueOrDefault("optimizer") == step && run.GetValueOrDefault("loss-reduction") == "mean"
                ? Noted<double>("lr") : null;
            var size = parsed.GetValue(batchSize);
            var settings = new TrainSettings(
                of, by, Given(hidden) ?? "4x", parsed.GetValue(layers) ?? Noted<int>("layers") ?? 1,
                Given(activation) ?? TrainSettings.DefaultActivation(of, by), size, 1,
                parsed.GetValue(rate) ?? noted ?? TrainSettings.DefaultLearningRate(of, step, "mean", size), step,
                Noted<double>("momentum") ?? 0,
                Noted<double>("weight-decay") ?? TrainSettings.DefaultWeightDecay(step), "mean",
                run.GetValueOrDefault("pixels") ?? "unit", parsed.GetValue(seed), Workers.ThreadCount, parsed.GetValue(dataDir));
            settings.Validate();
            var given = command.Options.Where(option => option.IsGiven(parsed));
            settings.RefuseIdle(given.Select(option => option.Name[2..]));
            if (BlockedPorts.Refusal(parsed.GetValue(port)) is { } refusal)
                throw new UsageException($"--port: {refusal}");
            if (settings.BatchSize > 1024) throw new UsageException($"--batch-size: {settings.BatchSize} is out of range; use 1 to 1024, so that a page can show it");
            return Serve(settings, file, parsed.GetValue(port), parsed.GetValue(open), output, error);
        });
        return command;
    }

    /// <summary>What a page can train with these settings.</summary>
    internal static LearningTask TaskOf(TrainSettings settings, DataSplits data) => new(
        $"{settings.Dataset}: {settings.Model}", data, seed => (settings with { Seed = seed }).CreateModel(data.Train),
        (name, network, rate) => (settings with { Optimizer = name, LearningRate = rate }).CreateOptimizer(network),
        TrainSettings.Optimizers, settings.Optimizer, settings.LearningRate,
        name => TrainSettings.DefaultLearningRate(settings.Dataset, name, "mean", settings.BatchSize),
        settings.BatchSize, settings.Seed);

    private static int Serve(TrainSettings settings, string? checkpoint, int port, bool open, TextWriter output, TextWriter error)
    {
        using var page = ExplorerPage.Serve(Begin(TaskOf(settings, LoadData(settings, checkpoint)), checkpoint), port);
        using var interrupt = new Interrupt();
        output.WriteLine(page.Address);
        output.Flush();
        error.WriteLine("Ctrl+C stops.");
        if (open) Browser.Open(page.Address.ToString(), error);
        interrupt.Token.WaitHandle.WaitOne();
        return 0;
    }

    /// <summary>The samples, standardised by what the model that the page begins with was trained with.</summary>
    internal static DataSplits LoadData(TrainSettings settings, string? checkpoint)
    {
        if (checkpoint is null) return settings.LoadData();
        SafeTensors.Load(checkpoint, out var metadata);
        return Standardize.StatisticsOf(metadata) is { } statistics
            ? (settings with { Pixels = "unit" }).LoadData().Standardize(statistics)
            : settings.LoadData();
    }

    private static Exploration Begin(LearningTask task, string? checkpoint)
    {
        if (checkpoint is null) return Exploration.Of(task);
        var start = SafeTensors.Load(checkpoint);
        try
        {
            return Exploration.Of(task, start);
        }
        catch (AdjointException problem)
        {
            throw new AdjointException($"--checkpoint {checkpoint}: {problem.Message}", problem);
        }
    }

    // A run's folder brings its settings; a file brings none.
    private static (string? File, IReadOnlyDictionary<string, string> Settings) Checkpoint(string? path)
    {
        var settings = new Dictionary<string, string>();
        if (path is null) return (null, settings);
        if (File.Exists(path)) return (path, settings);
        if (!Directory.Exists(path)) throw new AdjointException($"--checkpoint {path}: no such folder or file; name the folder of a run, or a .safetensors file");
        var best = Path.Combine(path, "best.safetensors");
        if (!File.Exists(best)) throw new AdjointException($"--checkpoint {path}: holds no best.safetensors; name the folder of a run, or a .safetensors file");
        var noted = Path.Combine(path, "settings.json");
        if (File.Exists(noted))
            settings = JsonFile.Read(noted,
                "settings; name the .safetensors file instead and give the settings as options", json =>
                json.EnumerateObject().Where(setting => setting.Value.ValueKind == JsonValueKind.String)
                    .ToDictionary(setting => setting.Name, setting => setting.Value.GetString()!));
        return (best, settings);
    }
}
