using Adjoint.Data;
using Adjoint.IO;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.TensorBoard;
using Adjoint.TensorBoard.Format;
using Adjoint.Training;

namespace Adjoint.Tests.TensorBoard;

public sealed class TensorBoardCallbackTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_run_is_written_by_epoch_and_by_batch()
    {
        var callback = new TensorBoardCallback(folder, new ManualClock())
        {
            BatchInterval = 3,
            Texts = new Dictionary<string, string> { ["settings"] = "`lr` 0.1" },
        };
        var (trainer, losses) = (New(), new List<double>());
        trainer.Callbacks.Add(callback);
        trainer.Callbacks.Add(new Losses(losses));
        var result = trainer.Fit(2);
        Assert.Null(callback.Problem);
        var events = EventFile.Read(callback.Path!);
        Assert.Equal("brain.Event:2", events[0].FileVersion);
        Assert.Equal((SessionLog.Types.SessionStatus.Start, 0), (events[1].SessionLog.Status, events[1].Step));
        Assert.Equal("`lr` 0.1", events[2].Summary.Value[0].Tensor.StringVal[0].ToStringUtf8());

        var curves = Curves(callback.Path!);
        var epochs = result.Epochs;
        string[] tags =
        [
            "batch/learningRate", "batch/loss", "batch/samplesPerSecond", "epoch/learningRate", "epoch/seconds",
            "loss/train", "loss/validation", .. epochs[0].Metrics.Keys.Select(name => $"{name}/validation"),
        ];
        Assert.Equal(tags.Order(), curves.Keys.Order());
        Assert.Equal(epochs.Select(epoch => ((long)epoch.Epoch, (float)epoch.ValidationLoss)),
            curves["loss/validation"]);
        Assert.Equal(epochs.Skip(1).Select(epoch => ((long)epoch.Epoch, (float)epoch.TrainLoss!)),
            curves["loss/train"]);
        Assert.Equal(epochs.Select(epoch => ((long)epoch.Epoch, (float)epoch.ValidationAccuracy)),
            curves["accuracy/validation"]);
        Assert.Equal(epochs.Select(epoch => ((long)epoch.Epoch, (float)epoch.Seconds)), curves["epoch/seconds"]);
        // Two epochs of four batches.
        Assert.Equal([(3, (float)losses[2]), (6, (float)losses[5])], curves["batch/loss"]);
        Assert.Equal([(3, 0.1f), (6, 0.1f)], curves["batch/learningRate"]);
    }

    [Fact]
    public void Histograms_are_those_of_parameters_and_of_the_last_gradients()
    {
        var callback = new TensorBoardCallback(folder) { HistogramInterval = 2 };
        var trainer = New();
        trainer.Callbacks.Add(callback);
        trainer.Fit(2);
        var histograms = Values(callback.Path!).Where(one => one.Value.Histo is not null)
            .ToDictionary(one => (one.Value.Tag, one.Step), one => one.Value.Histo);
        Assert.Equal(4 * 3, histograms.Count);
        foreach (var (name, parameter) in trainer.Model.NamedParameters())
            foreach (var (tag, values) in new[] { ("parameters", parameter.Detach()), ("gradients", parameter.Grad!) })
            {
                var numbers = values.ToArray<float>();
                var histogram = histograms[($"{tag}/{name}", 2)];
                Assert.Equal((numbers.Length, numbers.Min(), numbers.Max()),
                    (histogram.Num, (float)histogram.Min, (float)histogram.Max));
            }
        // Of epoch 0 there are no gradients.
        Assert.Equal(4, histograms.Keys.Count(key => key.Step == 0));
    }

    [Fact]
    public void Images_are_those_of_the_first_batch()
    {
        var pixels = Enumerable.Range(0, 4 * 6).Select(i => i - 12f).ToArray();
        var data = new TensorDataset("some", (Shape)new[] { 1, 2, 3 }, pixels, [0, 1, 0, 1], ["a", "b"]);
        var model = new Sequential(new Flatten(), new Linear(6, 2, generator: new Generator(1)));
        var trainer = new Trainer(model, new Sgd(model.Parameters(), 0.1), new ClassificationTask(),
            new DataLoader(data, 2));
        var callback = new TensorBoardCallback(folder) { Images = 1 };
        trainer.Callbacks.Add(callback);
        trainer.Fit(2);
        var image = Assert.Single(Values(callback.Path!), one => one.Value.Image is not null);
        Assert.Equal(("images/firstBatch", 0, 3, 2),
            (image.Value.Tag, image.Step, image.Value.Image.Width, image.Value.Image.Height));
        // Nothing is validated, and nothing is said of it.
        Assert.DoesNotContain("loss/validation", Curves(callback.Path!).Keys);
    }

    [Fact]
    public void A_run_that_is_resumed_goes_on_with_the_steps_in_a_file_of_its_own()
    {
        var (whole, cut) = (new TensorBoardCallback(Path.Combine(folder, "whole")) { BatchInterval = 1 },
            new TensorBoardCallback(Path.Combine(folder, "cut")) { BatchInterval = 1 });
        var trainer = New();
        trainer.Callbacks.Add(whole);
        trainer.Fit(3);

        using var stop = new CancellationTokenSource();
        trainer = New();
        trainer.Callbacks.Add(cut);
        trainer.Callbacks.Add(new After(6, stop.Cancel));
        Assert.True(trainer.Fit(3, stop.Token).WasCanceled);
        var first = cut.Path!;
        trainer = New();
        trainer.Callbacks.Add(cut);
        trainer.Load(trainer.Checkpoints!.Latest(Assert.Fail)!);
        trainer.Fit(3);

        Assert.NotEqual(first, cut.Path);
        Assert.Equal(7, EventFile.Read(cut.Path!)[1].Step);
        Assert.Equal(SessionLog.Types.SessionStatus.Start, EventFile.Read(cut.Path!)[1].SessionLog.Status);
        var (expected, early, late) = (Curves(whole.Path!), Curves(first), Curves(cut.Path!));
        foreach (var tag in new[] { "batch/loss", "loss/train", "loss/validation", "accuracy/validation" })
            Assert.Equal(expected[tag], early.GetValueOrDefault(tag, []).Concat(late[tag]));
    }

    [Fact]
    public void A_run_that_is_watched_gives_the_same_bits()
    {
        var (plain, watched) = (New(), New());
        watched.Callbacks.Add(new TensorBoardCallback(folder) { BatchInterval = 1, HistogramInterval = 1 });
        var (expected, found) = (plain.Fit(2), watched.Fit(2));
        Assert.Equal(expected.Epochs.Select(epoch => (epoch.TrainLoss, epoch.ValidationLoss)),
            found.Epochs.Select(epoch => (epoch.TrainLoss, epoch.ValidationLoss)));
        Assert.All(plain.Model.Parameters().Zip(watched.Model.Parameters()), pair =>
            Assert.Equal(pair.First.Detach().ToArray<float>(), pair.Second.Detach().ToArray<float>()));
        Assert.Equal(plain.Capture?.Replayed, watched.Capture?.Replayed);
    }

    [Fact]
    public void Scalars_can_be_read_while_the_run_goes_on()
    {
        var seen = 0;
        var callback = new TensorBoardCallback(folder);
        var trainer = New();
        trainer.Callbacks.Add(callback);
        trainer.Callbacks.Add(new After(5, () => seen = Curves(callback.Path!)["loss/train"].Count));
        trainer.Fit(2);
        Assert.Equal(1, seen);
    }

    [Fact]
    public void A_run_that_diverges_says_why()
    {
        var callback = new TensorBoardCallback(folder);
        var trainer = New(rate: 1e38);
        trainer.Callbacks.Add(callback);
        var error = Assert.Throws<DivergedException>(() => trainer.Fit(9));
        Assert.Equal(error.Message, Values(callback.Path!)[^1].Value.Tensor.StringVal[0].ToStringUtf8());
    }

    [Fact]
    public void A_run_goes_on_where_its_file_cannot_be_written()
    {
        var disk = new FullDisk();
        var callback = new TensorBoardCallback(folder) { Open = () => new(disk, "place", TimeProvider.System) };
        var trainer = New();
        trainer.Callbacks.Add(callback);
        trainer.Callbacks.Add(new After(1, () => disk.IsFull = true));
        Assert.Equal(3, trainer.Fit(2).Epochs.Count);
        Assert.Equal("place: No space left on device", callback.Problem);
    }

    [Fact]
    public void A_folder_that_cannot_be_made_ends_the_run_before_it_begins()
    {
        File.WriteAllText(Path.Combine(folder, "file"), "");
        var trainer = New();
        trainer.Callbacks.Add(new TensorBoardCallback(Path.Combine(folder, "file", "events")));
        Assert.ThrowsAny<IOException>(() => trainer.Fit(1));
        Assert.Empty(trainer.Results);
    }

    [Fact]
    public void Negative_intervals_are_refused() => Assert.Equal(
        "TensorBoardCallback: BatchInterval must not be negative: found -1; 0 is none",
        Assert.Throws<AdjointException>(() => new TensorBoardCallback(folder) { BatchInterval = -1 }).Message);

    private Trainer New(double rate = 0.1)
    {
        var data = Synth.Create(seed: 1, train: 64, validation: 32);
        var model = new Mlp(2, [4], 2, "relu", new Generator(1));
        var store = new CheckpointStore(Directory.CreateDirectory(Path.Combine(folder, "checkpoints")).FullName);
        return new(model, new Sgd(model.Parameters(), rate), new ClassificationTask(),
            new DataLoader(data.Train, 16, new() { Shuffle = true, Seed = 1 }), new DataLoader(data.Validation, 32))
        {
            Checkpoints = new(store, TimeSpan.FromHours(1)),
        };
    }

    private static IReadOnlyList<(long Step, Summary.Types.Value Value)> Values(string path) =>
        [.. EventFile.Read(path).Where(one => one.Summary is not null)
            .SelectMany(one => one.Summary.Value.Select(value => (one.Step, value)))];

    private static Dictionary<string, List<(long Step, float Value)>> Curves(string path) => Values(path)
        .Where(one => one.Value.HasSimpleValue).GroupBy(one => one.Value.Tag)
        .ToDictionary(curve => curve.Key, curve => curve.Select(one => (one.Step, one.Value.SimpleValue)).ToList());

    private sealed class Losses(List<double> losses) : Callback
    {
        public override void AfterBatch(Trainer trainer, StepInfo step) => losses.Add(step.Loss);
    }

    /// <summary>Does something after a number of batches.</summary>
    private sealed class After(int batches, Action act) : Callback
    {
        private int count;

        public override void AfterBatch(Trainer trainer, StepInfo step)
        {
            if (++count == batches) act();
        }
    }

    private sealed class FullDisk : MemoryStream
    {
        internal bool IsFull { get; set; }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (IsFull) throw new IOException("No space left on device");
            base.Write(buffer);
        }
    }
}
