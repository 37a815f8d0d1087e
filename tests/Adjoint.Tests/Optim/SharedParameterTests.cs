using Adjoint.Data;
using Adjoint.Experiments;
using Adjoint.Explorer;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

namespace Adjoint.Tests.Optim;

/// <summary>A parameter that several places share is one parameter, wherever parameters are looped over.</summary>
public sealed class SharedParameterTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public static TheoryData<string> Optimizers => ["sgd", "momentum", "nesterov", "adam", "adamw", "rmsprop"];

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [MemberData(nameof(Optimizers))]
    public void Every_optimizer_steps_as_with_one_parameter_used_twice(string name)
    {
        var layer = new Linear(3, 3, generator: new Generator(1));
        var model = new Sequential(layer, new Sigmoid(), layer);
        var (weight, bias) = (Clone(layer.Weight), Clone(layer.Bias!));
        var (shared, plain) = (New(name, model.Parameters()), New(name, [weight, bias]));
        for (var step = 0; step < 5; step++)
        {
            var x = Tensor.Randn([4, 3], new Generator(2, (ulong)step));
            shared.ZeroGrad();
            plain.ZeroGrad();
            model.Forward(x).Square().Sum().Backward();
            Once(Once(x).Sigmoid()).Square().Sum().Backward();
            shared.Step();
            plain.Step();
            AssertNear(weight.ToArray<float>(), layer.Weight.ToArray<float>());
        }
        Assert.Equal(plain.StateDict().Keys, shared.StateDict().Keys);

        Tensor Once(Tensor x) => x.MatMul(weight.Transpose(0, 1)) + bias;
    }

    [Fact]
    public void A_step_moves_by_the_rate_however_often_the_parameter_is_listed()
    {
        var w = Tensor.Ones(1).RequireGrad();
        var sgd = new Sgd([w, w, w], 0.1);
        w.Grad = Tensor.Ones(1);
        sgd.Step();
        Assert.Equal(0.9f, w.ToArray<float>()[0], 1e-7f);
    }

    [Fact]
    public void A_captured_step_of_a_shared_layer_has_the_bits_of_the_eager_one()
    {
        float[] Train(bool eager)
        {
            var model = Tied(out _);
            var data = Synth.Create(seed: 1, train: 256, validation: 100);
            var (training, validation) = (new DataLoader(data.Train, 64), new DataLoader(data.Validation, 100));
            new Trainer(model, new Sgd(model.Parameters(), 0.1, 0.9), new ClassificationTask(), training, validation)
            {
                Eager = eager
            }.Fit(3);
            return [.. model.Parameters().SelectMany(parameter => parameter.ToArray<float>())];
        }

        Assert.Equal(Train(eager: true), Train(eager: false));
    }

    [Fact]
    public void Clipping_counts_and_scales_it_once()
    {
        var layer = new Linear(1, 1, bias: false);
        Tensor[] listed = [layer.Weight, layer.Weight], ofModel = [.. new Sequential(layer, layer).Parameters()];
        foreach (var parameters in (Tensor[][])[listed, ofModel])
        {
            layer.Weight.Grad = Tensor.From([3f], 1, 1);
            Assert.Equal(3, ClipGradients.ByNorm(parameters, 1).Item());
            Assert.Equal(1, layer.Weight.Grad.ToArray<float>()[0], 1e-6f);
            ClipGradients.ByValue(parameters, 0.5);
            Assert.Equal([0.5f], layer.Weight.Grad.ToArray<float>());
        }
    }

    [Fact]
    public void An_average_swaps_and_comes_back_with_the_live_weights()
    {
        var model = Tied(out var layer);
        var average = new WeightAverage(model, 0.5);
        var before = layer.Weight.ToArray<float>();
        layer.Weight.CopyFrom<float>([7, 8, 9, 10]);
        average.Update();
        for (var i = 0; i < 3; i++)
        {
            // The first step's decay is 1 / 10.
            float[] expected = [.. before.Select((start, j) => start * 0.1f + (7 + j) * 0.9f)];
            using (average.Swap()) AssertNear(expected, layer.Weight.ToArray<float>());
            Assert.Equal([7, 8, 9, 10], layer.Weight.ToArray<float>());
        }

        // Also where two tensors are views of the same memory.
        var memory = Tensor.Zeros(3);
        var views = new Holder(("a", memory.Slice(0, 0, 2)), ("b", memory.Slice(0, 1, 2)));
        var other = new WeightAverage(views, 0.5);
        memory.CopyFrom<float>([1, 2, 3]);
        other.Update();
        other.Swap().Dispose();
        Assert.Equal([1, 2, 3], memory.ToArray<float>());
    }

    [Fact]
    public void An_exchange_is_undone_once_and_nothing_is_averaged_meanwhile()
    {
        var layer = new Linear(2, 2, generator: new Generator(1));
        var average = new WeightAverage(layer);
        layer.Weight.CopyFrom<float>([1, 2, 3, 4]);
        var first = average.Swap();
        foreach (var refused in (Action[])[average.Update, () => average.StateDict(), () => average.Swap()])
            Assert.Contains("dispose what", Assert.Throws<AdjointException>(refused).Message, StringComparison.Ordinal);
        first.Dispose();
        var averaged = average.StateDict()["weight"].ToArray<float>();
        using (average.Swap())
        {
            first.Dispose();
            Assert.Equal(averaged, layer.Weight.ToArray<float>());
        }
        Assert.Equal([1, 2, 3, 4], layer.Weight.ToArray<float>());
    }

    [Fact]
    public void A_parameter_in_two_groups_is_refused()
    {
        var (w, v) = (Tensor.Zeros(2).RequireGrad(), Tensor.Zeros(3).RequireGrad());
        w.Name = "weight";
        ParameterGroup[] two = [new([w], 0.1), new([v, w], 0.2)];
        Func<Optimizer>[] all = [() => new Sgd(two), () => new Adam(two), () => new AdamW(two), () => new RmsProp(two)];
        foreach (var create in all)
        {
            var message = Assert.Throws<AdjointException>(create).Message;
            Assert.Contains("can be in one group only: found weight (2,) in group 1", message,
                StringComparison.Ordinal);
        }
        var group = new ParameterGroup([w], 0.1);
        Assert.Throws<AdjointException>(() => new Sgd([group, group]));
    }

    [Fact]
    public void Names_and_counts_have_it_once_and_the_state_by_every_name()
    {
        var model = Tied(out var layer);
        Assert.Equal(["0.weight", "0.bias"], model.NamedParameters().Select(parameter => parameter.Name));
        Assert.Equal(["0.weight", "0.bias", "2.weight", "2.bias"], model.StateDict().Keys);
        Assert.Equal(["0.weight", "0.bias", "2.weight", "2.bias", "steps"], new WeightAverage(model).StateDict().Keys);
        var summary = model.Summary(1, 2);
        Assert.Matches(@"0 Linear\(2 → 2\) .* 6\r?\n", summary);
        Assert.Matches(@"2 Linear\(2 → 2\) \(shared\) .* 0\r?\n", summary);
        Assert.Matches(@"total\s+6\r?\n", summary);

        var norm = new BatchNorm(2);
        var random = new Generator(3);
        var other = new Sequential(norm, new Dropout(0.5, random), norm, new Dropout(0.5, random));
        Assert.Equal(["0.running_mean", "0.running_var"], other.NamedBuffers().Select(buffer => buffer.Name));
        Assert.Single(other.NamedGenerators());
        string[] paths = ["weight", "bias", "running_mean", "running_var"];
        var both = paths.SelectMany(path => (string[])[$"0.{path}", $"2.{path}"]);
        Assert.Equal(both.Order(), other.StateDict().Keys.Order());
        // One matrix under two names of one module.
        Assert.Single(new Holder(("encoder", layer.Weight), ("decoder", layer.Weight)).Parameters());
    }

    [Fact]
    public void A_state_loads_by_either_name_and_is_refused_where_they_differ()
    {
        var (model, copy) = (Tied(out _), Tied(out var layer));
        copy.LoadStateDict(model.StateDict());
        Assert.Equal(model.StateDict()["2.weight"].ToArray<float>(), layer.Weight.ToArray<float>());

        var other = Tensor.From([1f, 2, 3, 4], 2, 2);
        var state = new Dictionary<string, Tensor>(model.StateDict()) { ["2.weight"] = other };
        var before = layer.Weight.ToArray<float>();
        AssertRefused("LoadStateDict: 0.weight and 2.weight are one tensor", () => copy.LoadStateDict(state));
        Assert.Equal(before, layer.Weight.ToArray<float>());

        state.Remove("0.weight");
        copy.LoadStateDict(state);
        Assert.Equal([1, 2, 3, 4], layer.Weight.ToArray<float>());
        state.Remove("2.weight");
        var missing = "LoadStateDict: the state does not fit the model: missing 0.weight, 2.weight, unknown none";
        AssertRefused(missing, () => copy.LoadStateDict(state));

        var average = new WeightAverage(model);
        var averaged = new Dictionary<string, Tensor>(average.StateDict()) { ["2.bias"] = Tensor.Ones(2) };
        AssertRefused("WeightAverage: 0.bias and 2.bias are one tensor", () => average.LoadStateDict(averaged));
    }

    [Theory]
    [MemberData(nameof(Optimizers))]
    public void A_run_of_a_tied_model_resumes_with_the_bits_of_one_that_never_stopped(string name)
    {
        Trainer Make(out Layer model)
        {
            model = Tied(out _);
            var data = Synth.Create(seed: 1, train: 256, validation: 100);
            var training = new DataLoader(data.Train, 64, new() { Shuffle = true, Seed = 1 });
            var (optimizer, validation) = (New(name, model.Parameters()), new DataLoader(data.Validation, 100));
            var trainer = new Trainer(model, optimizer, new ClassificationTask(), training, validation)
            {
                Average = new WeightAverage(model, 0.9),
            };
            trainer.Callbacks.Add(new ModelCheckpoint(folder));
            return trainer;
        }

        var whole = Make(out var expected);
        var result = whole.Fit(4);
        TrainingState? saved = null;
        var first = Make(out _);
        // At the end of an epoch the model holds the average: what is saved are the weights themselves.
        first.Callbacks.Add(new SaveAfter(2, state => saved = state));
        first.Fit(4);
        var second = Make(out var found);
        second.Load(saved!);
        Assert.Equal(result.Final with { Seconds = 0 }, second.Fit(4).Final with { Seconds = 0 });
        Assert.Equal(expected.Parameters().First().ToArray<float>(), found.Parameters().First().ToArray<float>());
        ((ModelCheckpoint)second.Callbacks[0]).Write();
        var file = Adjoint.IO.SafeTensors.Load(Path.Combine(folder, "last.safetensors"));
        // A model file holds what is shared once, and loads it into both places.
        Assert.False(file.ContainsKey("2.weight"));
        found.LoadStateDict(file);
        Assert.Equal(file["0.weight"].ToArray<float>(), found.StateDict()["2.weight"].ToArray<float>());
    }

    [Fact]
    public void A_shared_layer_is_watched_once_a_call()
    {
        var (activation, layer) = (new Sigmoid(), new Linear(2, 2, generator: new Generator(1)));
        var model = new Sequential(layer, activation, layer, activation);
        var data = Synth.Create(seed: 1, train: 128, validation: 64);
        var (x, y) = data.Train.Load([0, 1, 2, 3]);
        Assert.Equal(["0", "1", "2", "3"], LayerWatch.Run(model, x, y).Select(watched => watched.Path));

        var (training, validation) = (new DataLoader(data.Train, 64), new DataLoader(data.Validation, 64));
        var trainer = new Trainer(model, new Sgd(model.Parameters(), 0.1), new ClassificationTask(), training,
            validation);
        var doctor = new TrainingDoctor(data.Validation);
        trainer.Callbacks.Add(doctor);
        trainer.Fit(1);
        var rows = doctor.History.Where(row => row.Epoch == 1).ToLookup(row => double.IsNaN(row.Idle));
        Assert.Equal(["1", "3"], rows[false].Select(row => row.Layer));
        Assert.Equal(["0"], rows[true].Select(row => row.Layer));
    }

    private static Sequential Tied(out Linear layer)
    {
        layer = new Linear(2, 2, generator: new Generator(5));
        return new(layer, new Sigmoid(), layer);
    }

    private static void AssertNear(float[] expected, float[] found)
    {
        Assert.Equal(expected.Length, found.Length);
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], found[i], 1e-5f);
    }

    private static void AssertRefused(string start, Action action) =>
        Assert.StartsWith(start, Assert.Throws<AdjointException>(action).Message, StringComparison.Ordinal);

    private static Tensor Clone(Tensor value) => value.Detach().Clone().RequireGrad();

    private static Optimizer New(string name, IEnumerable<Tensor> parameters) => name switch
    {
        "sgd" => new Sgd(parameters, 0.05, weightDecay: 0.1),
        "momentum" => new Sgd(parameters, 0.05, momentum: 0.9, weightDecay: 0.1),
        "nesterov" => new Sgd(parameters, 0.05, momentum: 0.9, nesterov: true),
        "adam" => new Adam(parameters, 0.05, weightDecay: 0.1),
        "adamw" => new AdamW(parameters, 0.05),
        _ => new RmsProp(parameters, 0.05),
    };

    private sealed class Holder : Module
    {
        internal Holder(params ReadOnlySpan<(string Name, Tensor Value)> parameters)
        {
            foreach (var (name, value) in parameters) AddParameter(name, value);
        }
    }

    private sealed class SaveAfter(int epoch, Action<TrainingState> saved) : Callback
    {
        public override void AfterEpoch(Trainer trainer, EpochResult result)
        {
            // The tensors are the trainer's own until they are copied.
            if (result.Epoch != epoch || trainer.Save() is not { } state) return;
            var copies = state.Tensors.ToDictionary(entry => entry.Key, entry => entry.Value.Clone().Keep());
            saved(new(copies, state.Notes));
        }
    }
}
