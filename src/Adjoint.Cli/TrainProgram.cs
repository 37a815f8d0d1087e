using System.Collections.Concurrent;
using Adjoint.Data;
using Adjoint.Experiments;
using Adjoint.IO;
using Adjoint.Training;

namespace Adjoint.Cli;

/// <summary><c>adjoint train</c> as what runs the trials of experiments. Data sets are read once and shared.</summary>
internal sealed class TrainProgram(string? dataDir, TimeSpan checkpointEvery) : ITrialProgram
{
    private readonly ConcurrentDictionary<(string, string, double), Lazy<DataSplits>> data = new();

    public IReadOnlyList<Setting> Settings { get; } = new SettingOptions().Settings;

    public IReadOnlyList<(string Name, string Value)> Complete(IReadOnlyDictionary<string, string> settings) =>
        SettingOptions.Read(settings).ResultRows();

    // Multiplications of one pass, and a share for each step; rough, which is enough.
    public double Cost(IReadOnlyDictionary<string, string> settings)
    {
        var own = SettingOptions.Read(settings);
        var (samples, inputs) = own.Dataset switch { "synth" => (60_000, 2), "cifar10" => (45_000, 3072), _ => (55_000, 784) };
        var work = 700_000.0;
        if (own.Model == "mlp")
        {
            int[] sizes = [inputs, .. own.HiddenSizes(inputs), 10];
            work = sizes.Zip(sizes.Skip(1), (a, b) => (double)a * b).Sum();
        }
        else if (own.Model != "lenet" && own.Model != "lenet5") work = 40e6;
        return own.Epochs * own.DataShare * samples * (work + 800_000.0 / own.BatchSize * 4);
    }

    public int Epochs(IReadOnlyDictionary<string, string> settings) => SettingOptions.Read(settings).Epochs;

    public string Command(IReadOnlyDictionary<string, string> settings) =>
        "adjoint train "
            + string.Join(' ', SettingOptions.Read(settings).Rows().Where(row =>
                row.Name is not ("threads" or "data-dir"))
                .Select(row => $"--{row.Name} {ShellWord.Quote(row.Value)}"));

    public TrialOutcome Run(TrialTask task)
    {
        var settings = SettingOptions.Read(task.Settings, dataDir: dataDir);
        var splits = data.GetOrAdd((settings.Dataset, settings.Pixels, settings.DataShare), _ => new(settings.LoadData)).Value;
        RunFolder.WriteSettings(task.Folder, settings);
        var run = new TrainingRun(settings, splits, task.Folder, checkpointEvery);
        run.Trainer.Callbacks.Add(new Listener(task.OnEpoch));
        try
        {
            var result = run.Train(resume: true, task.Warn, task.Cancellation);
            if (!result.WasCancelled) run.WriteReport(result);
            return new(result.Epochs, result.WasCancelled, null, run.Doctor.Advice(result.Epochs));
        }
        catch (DivergedException error)
        {
            run.WriteDiverged(error);
            return new([.. run.Trainer.Results], false, error.Message, run.Doctor.Advice(run.Trainer.Results));
        }
    }

    // Of a sweep the best models are enough.
    public void Forget(string folder)
    {
        new CheckpointStore(folder).Clear();
        File.Delete(Path.Combine(folder, "last.safetensors"));
    }

    private sealed class Listener(Action<EpochResult> onEpoch) : Callback
    {
        public override void OnEpoch(Trainer trainer, EpochResult epoch) => onEpoch(epoch);
    }
}
