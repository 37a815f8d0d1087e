using System.Runtime.InteropServices;
using Adjoint.Data;
using Adjoint.IO;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Tests.Optim;
using Adjoint.Training;

namespace Adjoint.Tests.Training;

/// <summary>A run that was stopped and went on elsewhere ends with the bits of one that never stopped.</summary>
public sealed class ResumeTests : IDisposable
{
    private const int Epochs = 4, StepsPerEpoch = 16;
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    // Everything that carries a state: momentum or moments, schedule, batch normalization, dropout, averaged weights,
    // augmentation, early stopping.
    [Theory]
    [InlineData("sgd", false)]
    [InlineData("adam", false)]
    [InlineData("adamw", true)]
    [InlineData("rmsprop", false)]
    [InlineData("a user's", false)]
    [InlineData("adam", false, DType.BFloat16)]
    [InlineData("sgd", true, DType.Float16)]
    public void At_any_step_and_between_epochs(string optimizer, bool eager, DType type = DType.Float32)
    {
        var (whole, wholeModel) = Finish(New(optimizer, eager, out var model, type: type), model);
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        foreach (var stop in (int[])[1, 2, StepsPerEpoch - 1, StepsPerEpoch, StepsPerEpoch + 1,
            random.Next(1, Epochs * StepsPerEpoch)])
        {
            var path = Path.Combine(folder, $"{optimizer}-{type}-{stop}");
            Directory.CreateDirectory(path);
            var first = New(optimizer, eager, out _, new CheckpointStore(path), type: type);
            using var cancel = new CancellationTokenSource();
            first.Callbacks.Add(new StopAt(stop, cancel));
            Assert.True(first.Fit(Epochs, cancel.Token).WasCanceled);

            var store = new CheckpointStore(path);
            var second = New(optimizer, eager, out var resumed, store, type: type);
            var found = store.Latest(Assert.Fail)!.Value;
            second.Load(new(found.Tensors, found.Notes));
            var (result, end) = Finish(second, resumed);
            Assert.True(whole.SequenceEqual(result),
                $"stopped at step {stop}: {string.Join(" ", result)} instead of {string.Join(" ", whole)}");
            Assert.True(wholeModel.SequenceEqual(end), $"stopped at step {stop}: weights differ");
        }
    }

    [Fact]
    public void The_best_model_comes_back_too()
    {
        // A rate that grows until the model is spoiled: the best one lies before the checkpoint.
        Trainer Make(CheckpointStore? store, string to, out ModelCheckpoint keeper)
        {
            Directory.CreateDirectory(to);
            var network = new Mlp(2, [8], 2, "relu", new Generator(1));
            var data = Synth.Create(train: 640, validation: 300);
            var trainer =
                new Trainer(network, new Sgd(network.Parameters(), 0.3),
                    new ClassificationTask(), new DataLoader(data.Train, 64, new() { Shuffle = true, Seed = 1 }),
                    new DataLoader(data.Validation, 300))
                {
                    Schedule = Schedule.StepDecay(20, 8),
                    Checkpoints = store is null ? null : new(store, TimeSpan.FromHours(1)),
                };
            trainer.Callbacks.Add(keeper = new ModelCheckpoint(to));
            return trainer;
        }

        var (one, two) = (Path.Combine(folder, "one"), Path.Combine(folder, "two"));
        var whole = Make(null, one, out var kept).Fit(8);
        kept.Write();
        Assert.InRange(whole.Best.Epoch, 1, 6);
        using var cancel = new CancellationTokenSource();
        var store = new CheckpointStore(folder);
        var first = Make(store, two, out _);
        first.Callbacks.Add(new StopAt(10 * whole.Best.Epoch + 15, cancel));
        first.Fit(8, cancel.Token);
        var second = Make(store, two, out var keptAgain);
        second.Load(new Checkpoints(store, TimeSpan.Zero).Latest(Assert.Fail)!);
        second.Fit(8);
        keptAgain.Write();
        foreach (var name in (string[])["best.safetensors", "last.safetensors"])
            Assert.Equal(File.ReadAllBytes(Path.Combine(one, name)), File.ReadAllBytes(Path.Combine(two, name)));
    }

    [Fact]
    public void A_state_of_other_settings_is_refused_by_name()
    {
        var state = New("sgd", eager: false, out _);
        state.Fit(1);
        var saved = state.Save();
        var error = Assert.Throws<AdjointException>(() => New("sgd", eager: false, out _, seed: 2).Load(saved));
        Assert.Contains("random stream 3.mask is 2 7 here: found '1 7 ", error.Message, StringComparison.Ordinal);
        saved.Set("steps", "many");
        Assert.Contains("entry 'steps' must be 1 numbers: found 'many'",
            Assert.Throws<AdjointException>(() => New("sgd", eager: false, out _).Load(saved)).Message,
            StringComparison.Ordinal);
    }

    private static (string[] Results, byte[] Weights) Finish(Trainer trainer, Module model)
    {
        var result = trainer.Fit(Epochs);
        return ([.. result.Epochs.Select(epoch => $"{epoch with { Seconds = 0 }}")], Bytes(model));
    }

    // Exact of every type.
    private static byte[] Bytes(Module model) =>
    [
        .. model.StateDict().OrderBy(entry => entry.Key, StringComparer.Ordinal).SelectMany(entry =>
            MemoryMarshal.AsBytes(entry.Value.To(DType.Float64).ToArray<double>().AsSpan()).ToArray()),
    ];

    private static Trainer New(string name, bool eager, out Layer model, CheckpointStore? store = null, ulong seed = 1,
        DType type = DType.Float32)
    {
        var data = Synth.Create(train: 64 * StepsPerEpoch - 20, validation: 200);
        var random = new Generator(seed, 1);
        model = new Sequential(new Linear(2, 16, generator: random), new BatchNorm(16), new Relu(),
            new Dropout(0.2, new Generator(seed, 7)), new Linear(16, 2, generator: random));
        model.To(type);
        Optimizer optimizer = name switch
        {
            "sgd" => new Sgd(model.Parameters(), 0.1, momentum: 0.9),
            "adam" => new Adam(model.Parameters(), 0.01),
            "adamw" => new AdamW(model.Parameters(), 0.01),
            "rmsprop" => new RmsProp(model.Parameters(), 0.01),
            _ => new OwnOptimizerTests.Decaying([new(model.Parameters(), 0.05, 0.01)], 0.9),
        };
        var trainer = new Trainer(model, optimizer,
            new ClassificationTask(), new DataLoader(data.Train, 64, new() { Shuffle = true, Seed = seed }),
                new DataLoader(data.Validation, 100))
        {
            Eager = eager,
            Schedule = name == "a user's"
                ? Schedule.WarmUp(StepsPerEpoch / 2, new OwnScheduleTests.InverseRoot(StepsPerEpoch))
                : Schedule.OneCycle(Epochs * StepsPerEpoch),
            Average = new WeightAverage(model),
            Checkpoints = store is null ? null : new(store, TimeSpan.FromHours(1)),
        };
        trainer.Callbacks.Add(new EarlyStopping(patience: 3));
        return trainer;
    }
}
