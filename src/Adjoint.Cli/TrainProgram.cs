using System.Collections.Concurrent;
using Adjoint.Data;
using Adjoint.Experiments;
using Adjoint.IO;
using Adjoint.Training;

namespace Adjoint.Cli;

/// <summary><c>adjoint train</c> as what runs the trials of experiments. Data sets are read once and shared.</summary>
internal sealed class TrainProgram(string? dataDir, TimeSpan checkpointEvery, string? tensorBoard = null)
    : ITrialProgram
{
    private readonly ConcurrentDictionary<string, Lazy<OwnData>> own = new();
    private readonly ConcurrentDictionary<string, Lazy<DataSplits>> data = new();

    // An experiment gives the seeds itself.
    public IReadOnlyList<Setting> Settings { get; } =
        [.. TrainSettings.Table.Rows.Where(row => row.AffectsResult && row != TrainSettings.Seed)];

    public IReadOnlyList<(string Name, string Value)> Complete(IReadOnlyDictionary<string, string> settings) =>
        Read(settings).Identity();

    // Multiplications of one pass, and a share for each step; rough, which is enough.
    public double Cost(IReadOnlyDictionary<string, string> settings)
    {
        var own = Read(settings);
        var (samples, inputs) = own.Get(TrainSettings.Dataset) switch
        {
            "synth" => (60_000, 2),
            "brackets" or "arithmetic" or "text" => (8192, own.Get(TrainSettings.Context)),
            "cifar10" => (45_000, 3072),
            _ => (55_000, 784),
        };
        var hidden = HiddenSizes.Of(own.Get(TrainSettings.Hidden), inputs, own.Get(TrainSettings.Layers));
        int[] sizes = [inputs, .. hidden, 10];
        var work = own.Get(TrainSettings.Model) switch
        {
            // For each token the four products of a block or a layer, of about the same size.
            "gpt" or "lstm" =>
                12.0 * inputs * own.Get(TrainSettings.Layers) * Math.Pow(own.Get(TrainSettings.Width), 2),
            "mlp" => sizes.Zip(sizes.Skip(1), (a, b) => (double)a * b).Sum(),
            "lenet" or "lenet5" => 700_000,
            _ => 40e6,
        };
        var passes = own.Get(TrainSettings.Epochs) * own.Get(TrainSettings.DataShare);
        return passes * samples * (work + 800_000.0 / own.Get(TrainSettings.BatchSize) * 4);
    }

    public int Epochs(IReadOnlyDictionary<string, string> settings) => Read(settings).Get(TrainSettings.Epochs);

    public string Command(IReadOnlyDictionary<string, string> settings) =>
        RunFolder.Command(Read(settings).Rows().Where(row => TrainSettings.Table.Find(row.Name).AffectsResult));

    public TrialOutcome Run(TrialTask task)
    {
        try
        {
            return RunTogether(task, World.Current);
        }
        catch (RanksException problem)
        {
            // All ranks know it, and can go on with another trial.
            throw new AdjointException(problem.Message, problem);
        }
    }

    // Of several ranks the first writes; the others have no folder.
    private TrialOutcome RunTogether(TrialTask task, World world)
    {
        var (settings, splits) = world.Together("settings and data", () => Open(task.Settings, world.Size));
        world.RequireOneInstructionSet();
        world.RequireAlike(settings, splits);
        world.Together("settings of the run", () =>
        {
            if (world.IsFirst)
                RunFolder.WriteSettings(task.Folder, settings, ranks: world.Size > 1 ? world.Description : null);
        });
        var run = world.Together("network", () => new TrainingRun(settings, splits, task.Folder, checkpointEvery));
        if (world.IsFirst) run.Trainer.Callbacks.Add(new Listener(task.OnEpoch));
        try
        {
            var result = run.Train(resume: true, task.Warn, task.Cancellation);
            if (!world.IsFirst) return new(result.Epochs, result.WasCanceled, null, []);
            if (!result.WasCanceled) run.WriteReport(result);
            return new(result.Epochs, result.WasCanceled, null, run.Doctor.Advice(result.Epochs));
        }
        catch (DivergedException error)
        {
            if (!world.IsFirst) return new([.. run.Trainer.Results], false, error.Message, []);
            run.WriteDiverged(error);
            return new([.. run.Trainer.Results], false, error.Message, run.Doctor.Advice(run.Trainer.Results));
        }
    }

    private (SettingValues, DataSplits) Open(IReadOnlyDictionary<string, string> given, int ranks)
    {
        var settings = Read(given);
        // What follows from own data is the same for each trial, and is not what tells them apart.
        var own = settings.Get(TrainSettings.Source) is null ? null
            : this.own.GetOrAdd(settings.Get(TrainSettings.Source), _ => new(() => OwnData.Open(given)!)).Value;
        if (own is not null) settings = Read(own.Complete(given));
        settings = settings.With(TrainSettings.DataDir, dataDir!).With(TrainSettings.TensorBoard, tensorBoard!)
            .ForRanks(ranks, hasShards: true);
        var source = string.Join('\n', settings.Rows()
            .Where(row => TrainSettings.Table.Find(row.Name).Group == TrainSettings.Data
                || own is not null && row.Name == TrainSettings.Seed.Name));
        return (settings, data.GetOrAdd(source, _ => new(() => settings.LoadData(own))).Value);
    }

    // Of a sweep the best models are enough.
    public void Forget(string folder)
    {
        new CheckpointStore(folder).Clear();
        File.Delete(Path.Combine(folder, "last.safetensors"));
        StepLog.Remove(folder);
    }

    private static SettingValues Read(IReadOnlyDictionary<string, string> settings) =>
        TrainSettings.Table.Read(settings);

    private sealed class Listener(Action<EpochResult> onEpoch) : Callback
    {
        public override void AfterEpoch(Trainer trainer, EpochResult epoch) => onEpoch(epoch);
    }
}
