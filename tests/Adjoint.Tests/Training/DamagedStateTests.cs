using Adjoint.Data;
using Adjoint.Experiments;
using Adjoint.IO;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

namespace Adjoint.Tests.Training;

/// <summary>A checkpoint whose digest is right and whose contents are not: every part is refused by its name.</summary>
public sealed class DamagedStateTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("batch", "NaN")]
    [InlineData("batch", "1e300")]
    [InlineData("batch", "-1")]
    [InlineData("batch", "99")]
    [InlineData("steps", "2.5")]
    [InlineData("samples", "∞")]
    [InlineData("pass", "1e10")]
    [InlineData("loss-sum", "much")]
    [InlineData("rates", "1 2")]
    [InlineData("results", "")]
    [InlineData("results", "7 1 1 1 1")]
    [InlineData("results", "0 1 1 1 1\n2 1 1 1 1")]
    [InlineData("stream.default", "1 1 -5")]
    [InlineData("early-stopping", "1 1e12")]
    [InlineData("best", "1 5 0")]
    [InlineData("best", "1 NaN 0")]
    [InlineData("doctor", "layer 0 1 1")]
    [InlineData("doctor", "layer 0 one 1 1")]
    [InlineData("doctor", "layer 9 1 1 1")]
    [InlineData("doctor.step", "layer 1 one")]
    public void A_note_that_cannot_be_is_refused_by_name(string name, string value)
    {
        var state = Saved();
        state.Set(name, value);
        Assert.Throws<AdjointException>(() => New().Load(state));
    }

    [Fact]
    public void Every_note_and_every_tensor_is_missed_by_name()
    {
        var sound = Saved();
        foreach (var name in sound.Notes.Keys.Where(name => name != SafeTensors.DigestKey))
        {
            var notes = sound.Notes.Where(note => note.Key != name).ToDictionary();
            Assert.Throws<AdjointException>(() => New().Load(new(sound.Tensors, notes)));
        }
        foreach (var name in sound.Tensors.Keys)
            foreach (var other in (Tensor?[])[null, Tensor.Zeros(1, 7), Tensor.Zeros([3], DType.Int64)])
            {
                // A parameter that never had a gradient has no state: none is missed.
                if (other is null && name.StartsWith("optimizer/", StringComparison.Ordinal)) continue;
                var tensors = sound.Tensors.Where(tensor => tensor.Key != name).ToDictionary();
                if (other is not null) tensors[name] = other;
                var error = Assert.Throws<AdjointException>(() => New().Load(new(tensors, sound.Notes)));
                Assert.Contains(name.Split('/')[^1], error.Message, StringComparison.Ordinal);
            }
    }

    [Fact]
    public void Parts_of_another_optimizer_are_refused()
    {
        // Of a checkpoint of version 0.1, which does not say what it was made with.
        var state = Saved();
        var network = Network();
        foreach (
            var optimizer in (Optimizer[])[new Adam(network.Parameters(), 0.1), new Sgd(network.Parameters(), 0.1)])
            Assert.Throws<AdjointException>(() => optimizer.LoadStateDict(state.TensorsOf("optimizer")));
    }

    // Stopped between the steps that the doctor looks at, so that what it remembers is there too.
    private TrainingState Saved()
    {
        var trainer = New(out var store);
        using var cancel = new CancellationTokenSource();
        cancel.Cancel();
        Assert.True(trainer.Fit(2, cancel.Token).WasCanceled);
        var (tensors, notes) = store.Latest(Assert.Fail)!.Value;
        return new(tensors, notes);
    }

    private Trainer New() => New(out _);

    private Trainer New(out CheckpointStore store)
    {
        var network = Network();
        var data = Synth.Create(train: 256, validation: 64);
        store = new CheckpointStore(folder);
        var trainer = new Trainer(network, new Sgd(network.Parameters(), 0.1, momentum: 0.9),
            new ClassificationTask(), new DataLoader(data.Train, 64, new() { Shuffle = true, Seed = 1 }),
                new DataLoader(data.Validation, 64))
        {
            Average = new WeightAverage(network),
            Checkpoints = new(store, TimeSpan.FromHours(1)),
        };
        trainer.Callbacks.Add(new EarlyStopping());
        trainer.Callbacks.Add(new ModelCheckpoint(folder));
        trainer.Callbacks.Add(new TrainingDoctor(data.Validation));
        return trainer;
    }

    private static Mlp Network() => new(2, [4], 2, "relu", new Generator(1));
}
