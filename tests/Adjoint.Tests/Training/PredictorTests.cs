using System.Text;
using System.Text.Json;
using Adjoint.Data;
using Adjoint.IO;
using Adjoint.Nn;
using Adjoint.Training;

namespace Adjoint.Tests.Training;

/// <summary>A model in use: the bits of the model itself, from any number of threads; gradients of inputs.</summary>
public sealed class PredictorTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-predictor-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Sixty_four_threads_get_the_bits_of_the_model_itself()
    {
        var model = new Sequential(
            new Conv2d(1, 4, 3, new() { Padding = 1, Generator = new(1) }), new BatchNorm(4), new Relu(),
            new MaxPool2d(2), new Dropout(), new Flatten(), new Linear(64, 10, generator: new(2))).Eval();
        var predictor = Loaded(model, new() { Task = "classification" });
        Tensor[] inputs = [.. Enumerable.Range(0, 8).Select(
            i => Tensor.Randn([i % 4 + 1, 1, 8, 8], new Generator((ulong)i)).Keep())];
        float[][] expected = [.. inputs.Select(x =>
        {
            using var _ = new NoGrad();
            return model.Forward(x).Softmax().ToArray<float>();
        })];
        var problems = new List<string>();
        Thread[] threads = [.. Enumerable.Range(0, 64).Select(number => new Thread(() =>
        {
            try
            {
                for (var call = 0; call < 24; call++)
                {
                    var at = (number + call) % inputs.Length;
                    if (!predictor.Predict(inputs[at]).Values.ToArray<float>().SequenceEqual(expected[at]))
                        throw new InvalidOperationException("other bits");
                }
            }
            catch (Exception error)
            {
                lock (problems) problems.Add($"{number}: {error}");
            }
        }))];
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        Assert.Equal("", string.Join('\n', problems));
    }

    [Fact]
    public void Memory_reaches_a_level()
    {
        var predictor = Loaded(new Mlp(50, [100], 10, "relu"), new());
        var x = Tensor.Randn([64, 50], new Generator(1)).Keep();
        for (var call = 0; call < 5; call++) predictor.Predict(x);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var call = 0; call < 100; call++) predictor.Predict(x);
        // The results, and what says what they are; the activations alone would be 25 KB a call.
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / 100, 0, 8 << 10);
    }

    [Fact]
    public void Gradients_are_those_of_the_inputs_alone()
    {
        var model = new Mlp(4, [6], 3, "tanh", new Generator(1));
        var predictor = Loaded(model, new() { Task = "classification" });
        var x = Tensor.Randn([2, 4], new Generator(2)).RequireGrad();
        predictor.Predict(x, recordGradients: true).Outputs.Select(1, 1).Sum().Backward();
        Assert.All(predictor.Model.Parameters(), parameter => Assert.Null(parameter.Grad));
        var gradient = x.Grad!.ToArray<float>();
        // Central differences of the original, in float64.
        model.To(DType.Float64).Eval();
        var at = x.Detach().ToArray<float>();
        for (var i = 0; i < at.Length; i++)
        {
            var difference = (Output(i, 1e-4) - Output(i, -1e-4)) / 2e-4;
            Assert.Equal(difference, gradient[i], 1e-5);
        }
        Assert.False(predictor.Predict(x).Values.RequiresGrad);

        double Output(int changed, double by)
        {
            var moved = at.Select((value, i) => i == changed ? value + by : value).ToArray();
            return model.Forward(Tensor.From(moved, 2, 4)).Select(1, 1).Sum().Item();
        }
    }

    [Fact]
    public void Predictions_have_names()
    {
        var x = Tensor.From(new[] { 1f, 0, 0, 1, 0.5f, 0.25f }, 3, 2);
        var model = new Linear(2, 2, bias: false);
        model.Weight.CopyFrom<float>([1, 0, 0, 2]);
        ModelInfo info = new() { Task = "classification", ClassNames = ["ham", "spam"] };
        var prediction = Loaded(model, info).Predict(x);
        Assert.Equal([0, 1, 0], Enumerable.Range(0, 3).Select(prediction.ClassOf));
        // 1 / (1 + e⁻²)
        Assert.Equal(0.8807970779778823, prediction.ValueOf(1, 1), 1e-7);
        Assert.StartsWith("""{"class":"spam","probability":0.880797""", Json(prediction, 1), StringComparison.Ordinal);
        Assert.Contains("\"probabilities\":{\"ham\":0.119", Json(prediction, 1), StringComparison.Ordinal);

        prediction = Loaded(model, info with { Task = "multi-label" }).Predict(x);
        Assert.StartsWith("""{"labels":["ham","spam"],"probabilities":{"ham":0.622""", Json(prediction, 2),
            StringComparison.Ordinal);
        Assert.Throws<AdjointException>(() => prediction.ClassOf(0));

        prediction = Loaded(model, new() { Task = "regression", TargetNames = ["price", "weight"] }).Predict(x);
        Assert.Equal("""{"price":0.5,"weight":0.5}""", Json(prediction, 2));
        prediction = Loaded(model, new()).Predict(x);
        Assert.Equal("""{"0":0.5,"1":0.5}""", Json(prediction, 2));
        Assert.Throws<AdjointException>(() => prediction.ValueOf(3));
        Assert.Throws<AdjointException>(() => prediction.ValueOf(0, 2));

        model.Weight.CopyFrom<float>([float.NaN, 0, 0, 2]);
        prediction = Loaded(model, new() { Task = "regression", TargetNames = ["price", "weight"] }).Predict(x);
        Assert.Equal("""{"price":null,"weight":0.5}""", Json(prediction, 2));
    }

    [Fact]
    public void Inputs_that_do_not_fit_are_refused_by_name()
    {
        var predictor = Loaded(new Linear(3, 1), new()
        {
            Task = "regression",
            Fields = [new(Field.Inputs, (int[])[3], DType.Float32), new(Field.Targets, (int[])[], DType.Float32)],
        });
        Assert.Equal((Shape)(int[])[2, 1], predictor.Predict(Tensor.Zeros(2, 3)).Values.Shape);
        var error = Assert.Throws<AdjointException>(() => predictor.Predict(Tensor.Zeros(2, 4)));
        Assert.Equal("Predictor: 'inputs' must be (n, 3), samples as the model learned from: found (2, 4); one sample "
            + "alone takes .Unsqueeze(0)", error.Message);
        Assert.Throws<AdjointException>(() => predictor.Predict(Tensor.Zeros(3)));
        error = Assert.Throws<AdjointException>(() => predictor.Predict(new Batch(("x", Tensor.Zeros(2, 3)))));
        Assert.Equal("Predictor: the model takes 'inputs' (3,): found x", error.Message);
    }

    [Fact]
    public void Tokens_are_not_shifted_and_models_with_several_inputs_take_their_task()
    {
        var words = new Sequential(new Embedding(7, 4), new Linear(4, 7));
        var tokens = Tensor.From(new[] { 1L, 2, 3, 4, 5, 6 }, 2, 3);
        var prediction = Loaded(words, new() { Task = "next-token" }).Predict(tokens);
        Assert.Equal((Shape)(int[])[2, 3, 7], prediction.Values.Shape);

        ModuleRegistry.Register<Sum>();
        new Sum().Save(PathOf());
        var task = LearningTask.Of<Sum>(
            (model, batch) => model.Forward(batch["a"], batch["b"]).Mean(),
            (model, batch) => model.Forward(batch["a"], batch["b"]));
        var batch = new Batch(("a", Tensor.Ones(2, 1)), ("b", Tensor.Ones(2, 1)));
        Assert.Equal([3f, 3f], Predictor.Load(PathOf(), task).Predict(batch).Values.ToArray<float>());
        var error = Assert.Throws<AdjointException>(() => Predictor.Load(PathOf()).Predict(batch));
        Assert.Contains("give Predictor.Load the task that calls it", error.Message, StringComparison.Ordinal);
    }

    private static string Json(Prediction prediction, int sample)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer)) prediction.Write(json, sample);
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private Predictor Loaded(Module model, ModelInfo info)
    {
        model.Save(PathOf(), info);
        return Predictor.Load(PathOf());
    }

    private string PathOf() => Path.Combine(folder, "model.safetensors");

    private sealed class Sum : Module, ISavableModule<Sum>
    {
        public static Sum Create(ModuleSettings settings) => new();

        public Tensor Forward(Tensor a, Tensor b) => Call([a, b], () => a + b * 2);
    }
}
