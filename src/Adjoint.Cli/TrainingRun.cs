using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Adjoint.Data;
using Adjoint.Distributed;
using Adjoint.Experiments;
using Adjoint.IO;
using Adjoint.Nn;
using Adjoint.TensorBoard;
using Adjoint.Training;

namespace Adjoint.Cli;

/// <summary>
/// A network that learns in a folder: metrics, checkpoints, the best and the last model, and the report. The caller
/// locks the folder. Of several ranks the first writes; the others have no folder.
/// </summary>
internal sealed class TrainingRun
{
    private readonly World world = World.Current;
    private readonly DataLoader validation;
    private readonly Layer model;
    private readonly ModelCheckpoint keeper;
    private readonly CheckpointStore? store;
    private readonly Checkpoints? checkpoints;
    private readonly DataParallel parallel;
    private readonly MetricLog metrics;

    internal TrainingRun(SettingValues settings, DataSplits data, string folder, TimeSpan every, bool eager = false,
        Profile? profile = null)
    {
        (Settings, Data, Folder, Profile) = (settings, data, folder, profile);
        validation = new DataLoader(data.Validation, Evaluation.BatchSizeOf(data.Validation));
        model = settings.CreateModel(data.Train);
        // The others load what the first has learned so far.
        store = world.IsFirst ? new CheckpointStore(folder) : null;
        var (samples, others) = ($"{data.Train.Count}", $"{data.Validation.Count}");
        checkpoints = store is null ? null : new(
            store, every,
            [
                .. settings.Identity(), ("order", settings.Get(TrainSettings.NoShuffle) ? "of the files" : "shuffled"),
                ("training samples", samples), ("validation samples", others), .. Fingerprint(data.Train),
            ]);
        // A run that goes on has what it learned since, also where the weights are no longer there.
        if (settings.Get(TrainSettings.Weights) is { } weights
            && (Path.Exists(weights) || store is { HasStates: false }))
            Weights = StartingWeights.Load(settings, model);
        if (settings.Get(TrainSettings.BatchNorm) == "sync") SyncBatchNorm.Convert(model, world.Communicator);
        Trainer = settings.CreateTrainer(model, data, validation, eager, profile, checkpoints);
        keeper = new ModelCheckpoint(folder);
        metrics = new MetricLog(Path.Combine(folder, "metrics.jsonl"));
        Doctor = new TrainingDoctor(data.Validation);
        parallel = new DataParallel(Trainer, world.Communicator, new()
        {
            Shards = settings.Get(TrainSettings.Shards),
            ShardOptimizer = settings.Get(TrainSettings.ShardOptimizer),
        });
        if (world.IsFirst) AddWriters();
        if (settings.Get(TrainSettings.Patience) is > 0 and var patience)
            Trainer.Callbacks.Add(new EarlyStopping(patience));
    }

    // In the order in which they take part in checkpoints.
    private void AddWriters()
    {
        Trainer.Callbacks.Add(keeper);
        Trainer.Callbacks.Add(metrics);
        Trainer.Callbacks.Add(new StepLog(Folder));
        Trainer.Callbacks.Add(Doctor);
        if (parallel.Shards > 1) Trainer.Callbacks.Add(new RankLog(Folder, parallel));
        if (LaunchedRank.HasLauncher) Trainer.Callbacks.Add(new RankProgress(world));
        var settings = Settings;
        if (settings.Get(TrainSettings.TensorBoard) is { } place)
            Trainer.Callbacks.Add(Events = new(EventFolder = RunFolder.MakeEvents(Folder, place))
            {
                HistogramInterval = 1,
                Images = 16,
                // Indented: as it is, whatever characters it has.
                Texts = new Dictionary<string, string>
                {
                    ["settings"] = string.Concat(settings.Rows().Select(row => $"    {row.Name} = {row.Value}\n")),
                },
            });
    }

    internal SettingValues Settings { get; }
    internal DataSplits Data { get; }
    internal string Folder { get; }
    internal Profile? Profile { get; }

    /// <summary>The name of the data set, or of the file or folder of own data.</summary>
    internal string DataName => Settings.Get(TrainSettings.Source) is { } path
        ? Path.GetFileName(Path.TrimEndingDirectorySeparator(path))
        : Settings.Get(TrainSettings.Dataset);

    /// <summary>What is learned, in a few words: <c>classification into 10 classes</c>.</summary>
    internal string Purpose => Trainer.Task switch
    {
        ClassificationTask => $"classification into {Data.Train.ClassNames.Count} classes",
        MultiLabelTask => $"{Data.Train.ClassNames.Count} labels that may hold at once",
        NextTokenTask => $"the next of {((TextPreprocessing)Data.Train.Preprocessing!).Size} tokens",
        _ => $"{Trainer.Task.Name} of {Settings.Get(TrainSettings.Target)}",
    };

    internal Trainer Trainer { get; }
    internal TrainingDoctor Doctor { get; }

    /// <summary>What was loaded of the weights that the run began from; null where there are none.</summary>
    internal LoadReport? Weights { get; }

    /// <summary>Where the events for TensorBoard are; null where nobody asked for them.</summary>
    internal string? EventFolder { get; private set; }

    /// <summary>What writes them, or null.</summary>
    internal TensorBoardCallback? Events { get; private set; }

    /// <summary>
    /// Trains, from the last checkpoint where asked to and where there is one. After the last epoch a checkpoint is
    /// kept too, until <see cref="Complete"/>, so that nothing that comes then can lose the run; the trainer's model is
    /// then the best one.
    /// </summary>
    internal TrainingResult Train(bool resume, Action<string> warn, CancellationToken cancellation)
    {
        var state = resume ? world.Together("checkpoint", () => checkpoints?.Latest(warn)) : null;
        if (!(resume && parallel.Load(state)) && Settings.Get(TrainSettings.Weights) is { } path)
            world.Together("weights", () =>
            {
                var loaded = Weights ?? throw new AdjointException(
                    $"--weights {path}: no such file or folder, and no checkpoint to go on from; put it back");
                if (world.IsFirst) StartingWeights.Write(Folder, path, loaded);
            });
        TrainingResult result;
        try
        {
            result = Trainer.Fit(Settings.Get(TrainSettings.Epochs), cancellation);
            if (!result.WasCanceled) Trainer.WriteCheckpoint();
        }
        finally
        {
            if (world.IsFirst) keeper.Write();
            if (Events?.Problem is { } problem) warn($"{problem}; TensorBoard will not show what came after that");
        }
        if (world.IsFirst) TakeBest();
        return result;
    }

    /// <summary>
    /// Everything is written: what the run could go on from is removed, and only then it is complete.
    /// </summary>
    internal void Complete() => store!.Clear();

    /// <summary>Measures the best model on the test set, after training, and adds that to the metrics.</summary>
    internal Evaluation Test(TrainingResult result)
    {
        var test = Evaluation.Run(model, Trainer.Task, new DataLoader(Data.Test!, Evaluation.BatchSizeOf(Data.Test!)),
            Settings.Views());
        metrics.AddTest(result.Best.Epoch, test);
        return test;
    }

    /// <summary>
    /// Writes the report of a run whose loss is not finite: what was measured before, of the best model until then.
    /// </summary>
    internal TrainingResult WriteDiverged(DivergedException problem)
    {
        metrics.AddProblem(problem);
        TakeBest();
        var result = new TrainingResult([.. Trainer.Results], WasCanceled: false, Trainer.Score)
        {
            Capture = Trainer.Capture,
        };
        WriteReport(result, problem: problem.Message);
        return result;
    }

    /// <summary>Writes the report.</summary>
    internal void WriteReport(TrainingResult result, Evaluation? test = null, string? problem = null)
    {
        var (mistakes, task) = (new ConfidentMistakes(Data.Validation), Trainer.Task);
        // Images that were taken for another class are shown as mistakes.
        var review = task is ClassificationTask && ImageSheet.CanShow(Data.Validation.SampleShape)
            ? null : TaskReview.Of(task, Data.Validation);
        var evaluation = Evaluation.Run(model, task, validation, Settings.Views(), (outputs, batch) =>
        {
            if (task is ClassificationTask) mistakes.Observe(outputs, batch.Targets);
            review?.Observe(outputs, batch);
        });
        // Enough for the second digit, and no longer than the validation takes.
        var size = Evaluation.BatchSizeOf(Data.Train);
        var someOfTraining = new DataLoader(Data.Train, size, new() { Shuffle = true }).Take(10);
        var activation = Settings.Rows().FirstOrDefault(row => row.Name == "activation").Value;
        var (dataset, name) = (Settings.Get(TrainSettings.Dataset), Settings.Get(TrainSettings.Model));
        var title = $"{DataName}: {name}{(activation is null ? "" : $", {activation}")}";
        var report = new RunReport(title, ReportRows(), result, evaluation, Data.Train.ClassNames,
            dataset == "synth" ? model : null)
        {
            Task = task,
            Review = review,
            Mistakes = mistakes.ToImages(),
            Filters = ImageSheet.Filters(model, Data.Train.SampleShape),
            Doctor = Doctor,
            Layers = LayerRow.Of(model, Data.Train.FieldOf(Field.Inputs)),
            Training = Evaluation.Run(model, Trainer.Task, someOfTraining, Settings.Views()),
            TrainingSamples = Data.Train.Count,
            Test = test,
            Problem = problem,
            Ranks = RankEpochs.Load(Folder),
        };
        AtomicFile.WriteText(Path.Combine(Folder, "report.html"), report.ToHtml());
    }

    private (string Name, string Value)[] ReportRows() =>
    [
        .. Settings.Rows(),
        .. world.Size == 1 ? [] : ((string, string)[])[("ranks", world.Description)],
        .. Weights is null ? [] : ((string, string)[])[("loaded weights", $"{Weights}".Replace('\n', ';'))],
    ];

    // Whether own data are still those that the run began with.
    private static IEnumerable<(string, string)> Fingerprint(Dataset data)
    {
        if (data.Preprocessing is not { } preprocessing) yield break;
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            preprocessing.Write(json);
            json.WriteEndObject();
        }
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(buffer.ToArray());
        // Of a text the tokens alone say little.
        if (preprocessing is TextPreprocessing)
            foreach (var batch in new DataLoader(data, Evaluation.BatchSizeOf(data)))
                hash.AppendData(MemoryMarshal.AsBytes<long>(batch.Inputs.ToArray<long>()));
        yield return ("fingerprint of the data", Convert.ToHexStringLower(hash.GetHashAndReset())[..16]);
    }

    private void TakeBest() =>
        model.LoadStateDict(SafeTensors.Load(Path.Combine(Folder, "best.safetensors")));
}
