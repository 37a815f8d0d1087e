using System.CommandLine;
using System.Text.Json;
using Adjoint.Data;
using Adjoint.Experiments;
using Adjoint.Explorer;
using Adjoint.Generation;
using Adjoint.IO;
using Adjoint.Nn;

namespace Adjoint.Cli.Commands;

/// <summary><c>adjoint explore</c>: a page in the browser that shows a network think and learn.</summary>
internal static class ExploreCommand
{
    // Of the settings of a run, those that the page takes over.
    private static readonly Setting[] Noted =
    [
        TrainSettings.Dataset, TrainSettings.Model, TrainSettings.Hidden, TrainSettings.Layers,
        TrainSettings.Activation, TrainSettings.Optimizer, TrainSettings.LearningRate, TrainSettings.Momentum,
        TrainSettings.WeightDecay, TrainSettings.Pixels,
    ];

    private static readonly NumberSetting<int> BatchSize = new(TrainSettings.BatchSize.Name)
    {
        Group = TrainSettings.BatchSize.Group,
        Help = "Samples per step, and in the graph.",
        Range = new() { AtLeast = 1, AtMost = 1024, Words = "1 to 1024, so that a page can show it" },
        Default = 32,
    };

    internal static Command Create(TextWriter output, TextWriter error)
    {
        var options = new SettingOptions(TrainSettings.Dataset, TrainSettings.DataDir, TrainSettings.Model,
            TrainSettings.Hidden, TrainSettings.Layers, TrainSettings.Activation, BatchSize, TrainSettings.LearningRate,
            TrainSettings.Optimizer, TrainSettings.Seed);
        var checkpoint = SettingOption.Of(new TextSetting("checkpoint")
        {
            Help = "Begin with the best model of a run: its folder, whose settings are then the defaults, or a "
                + ".safetensors file.",
            ValueName = "path",
        });
        var file = new Argument<string?>("file")
        {
            Description = "A file of tensors to look into: safetensors, .pt, .npz or .npy, an index of shards, or the "
                + "folder of a model or a run; without it, a network that learns.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        // A misspelled option, not a file.
        file.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && token.Value.StartsWith("--", StringComparison.Ordinal))
                result.AddError($"unknown option '{token.Value}'");
        });
        var port = SettingOption.Of(PageSettings.Port);
        var open = SettingOption.Of(PageSettings.Open);
        var command = new GuidedCommand("explore", "Show how a network thinks and learns, in the browser.",
        [
            ("adjoint explore --open", "An mlp on two features, made on the spot."),
            ("adjoint explore --dataset cifar10 --model lenet --open", "Images and convolutions."),
            ("adjoint explore --checkpoint runs/1 --open", "A run; of a language model attention and next tokens."),
            ("adjoint explore model.safetensors --open", "The tensors of a file, also of others' networks."),
        ],
        new("Data", [options[TrainSettings.Dataset], options[TrainSettings.DataDir]]),
        new("Network", [.. options.In("Network"), checkpoint]), new("Training", options.In("Training")),
        new("Page", [port, open])) { file };
        command.SetAction(parsed =>
        {
            var path = parsed.GetValue(checkpoint);
            var (start, run) = Checkpoint(path);
            var given = options.Given(parsed);
            if (parsed.GetValue(file) is { } tensors)
            {
                var idle = path is not null ? checkpoint.Name[2..] : given.Count > 0 ? given[0].Key : null;
                return idle is null
                    ? Serve(Tensors(tensors), parsed.GetValue(port), parsed.GetValue(open), output, error)
                    : throw new UsageException(
                        $"--{idle}: has no effect on the page of a file, where nothing is trained; leave it out");
            }
            return Serve(SiteOf(), parsed.GetValue(port), parsed.GetValue(open), output, error);

            Site SiteOf()
            {
                if (start is not null && LanguageModelOf(start) is { } generator)
                    return given.Count == 0
                        ? new LanguageSite(new(generator, Path.GetFileName(Path.TrimEndingDirectorySeparator(path!))))
                        : throw new UsageException(
                            $"--{given[0].Key}: has no effect on the page of a language model, which is not trained "
                            + "there; leave it out");
                var settings = Read(given, parsed.GetValue((Option<int>)options[BatchSize]), start, run);
                var name = settings.Get(TrainSettings.Model);
                if (TrainSettings.LanguageModels.Contains(name))
                    throw new UsageException(
                        $"--model {name}: language models are not trained on this page; train one (adjoint train "
                        + $"--model {name}) and show it: adjoint explore --checkpoint, with the folder of its run");
                return new ExplorerSite(Begin(TaskOf(settings, LoadData(settings, start)), start));
            }
        });
        return command;
    }

    // What is given, beside what the run of the checkpoint was trained with.
    private static SettingValues Read(
        IReadOnlyList<KeyValuePair<string, string>> given, int batchSize, string? file,
        IReadOnlyDictionary<string, string> run)
    {
        var table = TrainSettings.Table;
        var noted = run.Where(one => Noted.Any(row => row.Name == one.Key)).ToDictionary();
        try
        {
            table.Read(noted, isNoted: true);
        }
        catch (SettingException problem)
        {
            throw new AdjointException(
                $"--checkpoint {file}: {problem.Setting} of the settings.json beside it: {problem.Problem}");
        }
        foreach (var (name, text) in given) noted[name] = text;
        // A rate belongs to its optimizer, and to the mean over a batch, which is what the page learns from.
        var (rate, optimizer) = (TrainSettings.LearningRate.Name, TrainSettings.Optimizer.Name);
        var isOfRun = run.GetValueOrDefault(TrainSettings.LossReduction.Name) == "mean"
            && run.TryGetValue(optimizer, out var own) && noted[optimizer] == own;
        if (!isOfRun && !given.Any(one => one.Key == rate)) noted.Remove(rate);
        noted[BatchSize.Name] = $"{batchSize}";
        var settings = table.Read(noted, isNoted: true);
        settings.RefuseIdle(given.Select(one => one.Key));
        return settings;
    }

    /// <summary>What a page can train with these settings.</summary>
    internal static LiveTask TaskOf(SettingValues settings, DataSplits data)
    {
        return new()
        {
            Title = $"{settings.Get(TrainSettings.Dataset)}: {settings.Get(TrainSettings.Model)}",
            Data = data,
            BatchSize = settings.Get(TrainSettings.BatchSize),
            Seed = settings.Get(TrainSettings.Seed),
            CreateModel = seed => settings.With(TrainSettings.Seed, seed).CreateModel(data.Train),
            CreateOptimizer = (name, network, rate) =>
                WithOptimizer(name).With(TrainSettings.LearningRate, rate).CreateOptimizer(network),
            Optimizers = TrainSettings.Optimizer.Choices,
            Optimizer = settings.Get(TrainSettings.Optimizer),
            LearningRate = settings.Get(TrainSettings.LearningRate),
            RateOf = name => TrainSettings.LearningRate.DefaultIn(WithOptimizer(name)),
        };

        SettingValues WithOptimizer(string name) => settings.With(TrainSettings.Optimizer, name);
    }

    // Of the folder of a run the best model.
    private static TensorFileSite Tensors(string path)
    {
        var best = Path.Combine(path, "best.safetensors");
        return new(new(TensorFile.Open(File.Exists(best) ? best : path),
            Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)))));
    }

    private static int Serve(Site site, int port, bool open, TextWriter output, TextWriter error)
    {
        using var page = ExplorerPage.Serve(site, port);
        using var interrupt = new Interrupt();
        output.WriteLine(page.Address);
        output.Flush();
        error.WriteLine("Ctrl+C stops.");
        if (open) Browser.Open(page.Address.ToString(), error);
        interrupt.Token.WaitHandle.WaitOne();
        return 0;
    }

    /// <summary>The samples, standardized by what the model that the page begins with was trained with.</summary>
    internal static DataSplits LoadData(SettingValues settings, string? checkpoint)
    {
        if (checkpoint is null) return settings.LoadData();
        SafeTensors.Load(checkpoint, out var metadata);
        return Standardize.StatisticsOf(metadata) is { } statistics
            ? settings.With(TrainSettings.Pixels, "unit").LoadData().Standardize(statistics)
            : settings.LoadData();
    }

    /// <summary>The language model in a file; null where it holds another model, or tensors alone.</summary>
    private static TextGenerator? LanguageModelOf(string file)
    {
        SafeTensors.Load(file, out var metadata);
        if (!metadata.TryGetValue(ModelFile.Key, out var description)) return null;
        try
        {
            return ModelFile.Read(file) is { Model: LanguageModel } found ? new(found) : null;
        }
        catch (DataFormatException) when (!description.Contains("\"next-token\"", StringComparison.Ordinal))
        {
            // A module of somebody else's: its tensors may fit a network that the settings describe.
            return null;
        }
    }

    private static Exploration Begin(LiveTask task, string? checkpoint)
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
        const string remedy = "name the folder of a run, or a .safetensors file";
        if (!Directory.Exists(path))
            throw new AdjointException($"--checkpoint {path}: no such folder or file; {remedy}");
        var best = Path.Combine(path, "best.safetensors");
        if (!File.Exists(best))
            throw new AdjointException($"--checkpoint {path}: holds no best.safetensors; {remedy}");
        var noted = Path.Combine(path, "settings.json");
        if (File.Exists(noted))
            settings = JsonFile.Read(noted,
                "settings; name the .safetensors file instead and give the settings as options", json =>
                json.EnumerateObject().Where(setting => setting.Value.ValueKind == JsonValueKind.String)
                    .ToDictionary(setting => setting.Name, setting => setting.Value.GetString()!));
        return (best, settings);
    }
}
