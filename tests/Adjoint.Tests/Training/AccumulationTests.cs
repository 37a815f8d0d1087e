using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

namespace Adjoint.Tests.Training;

/// <summary>Several batches make one step as one batch of all their samples would.</summary>
public class AccumulationTests
{
    // 16, 16, 16 | 16, 6: the last group has fewer batches, and its last batch fewer samples.
    private const int Samples = 70, BatchSize = 16, PerStep = 3;

    [Theory]
    [InlineData(false, false, Reduction.Mean)]
    [InlineData(true, false, Reduction.Mean)]
    [InlineData(true, true, Reduction.Mean)]
    [InlineData(false, false, Reduction.Sum)]
    public void A_step_is_that_of_all_samples_of_its_batches(bool weighted, bool eager, Reduction reduction)
    {
        var (data, model) = (Data(weighted), Model());
        new Trainer(model, new Sgd(model.Parameters(), 0.02, momentum: 0.9),
            new RegressionTask { Reduction = reduction }, new DataLoader(data, BatchSize))
        {
            BatchesPerStep = PerStep,
            Eager = eager,
        }.Fit(3);

        var other = Model();
        var sgd = new Sgd(other.Parameters(), 0.02, momentum: 0.9);
        for (var epoch = 0; epoch < 3; epoch++)
            for (var start = 0; start < Samples; start += PerStep * BatchSize)
            {
                var all = data.Load([.. Enumerable.Range(start, Math.Min(PerStep * BatchSize, Samples - start))]);
                sgd.ZeroGrad();
                var errors = (other.Forward(all.Inputs).Reshape(-1) - all.Targets).Square();
                var own = all.Weights is { } weights ? errors * weights : errors;
                var loss = own.Sum();
                if (reduction == Reduction.Mean) loss /= all.Weights?.Sum().Item() ?? all.Count;
                loss.Backward();
                sgd.Step();
            }
        foreach (var (a, b) in model.Parameters().Zip(other.Parameters()))
            foreach (var (x, y) in a.ToArray<float>().Zip(b.ToArray<float>()))
                Assert.Equal(y, x, 1e-5 * (1 + Math.Abs(y)));
    }

    [Fact]
    public void Captured_steps_have_the_bits_of_eager_ones_and_are_replayed()
    {
        float[] Weights(bool eager, out CaptureReport? report)
        {
            var model = Model();
            var trainer = new Trainer(model, new Adam(model.Parameters(), 0.01), new RegressionTask(),
                new DataLoader(Data(true), BatchSize))
            {
                BatchesPerStep = PerStep,
                MaxGradientNorm = 0.5,
                Eager = eager,
            };
            report = trainer.Fit(5).Capture;
            return [.. model.Parameters().SelectMany(parameter => parameter.ToArray<float>())];
        }

        Assert.Equal(Weights(true, out _), Weights(false, out var report));
        Assert.Null(report!.Refusal);
        Assert.Equal((21L, 2L, 2L), (report.Replayed, report.Recorded, report.Eager));
    }

    [Theory]
    [InlineData(double.PositiveInfinity, 0.05)]
    [InlineData(0.02, double.PositiveInfinity)]
    [InlineData(0.02, 0.01)]
    public void Gradients_are_clamped_and_then_scaled(double norm, double value)
    {
        var (data, model) = (Data(false), Model());
        var before = model.Parameters().Select(parameter => parameter.ToArray<float>()).ToArray();
        var trainer = new Trainer(model, new Sgd(model.Parameters(), 1), new RegressionTask(),
            new DataLoader(data, Samples))
        {
            MaxGradientNorm = norm,
            MaxGradientValue = value,
        };
        var other = Model();
        var all = data.Load([.. Enumerable.Range(0, Samples)]);
        Loss.Mse(other.Forward(all.Inputs).Reshape(-1), all.Targets).Backward();
        double[][] gradients = [.. other.Parameters().Select(parameter =>
            parameter.Grad!.ToArray<float>().Select(g => Math.Clamp(g, -value, value)).ToArray())];
        var length = Math.Sqrt(gradients.Sum(gradient => gradient.Sum(g => g * g)));
        var scale = Math.Min(1, norm / length);
        Assert.True(scale < 1 || value < 1, "nothing is clipped");
        trainer.Fit(1);
        foreach (var (i, parameter) in model.Parameters().Index())
            foreach (var (j, now) in parameter.ToArray<float>().Index())
                Assert.Equal(before[i][j] - scale * gradients[i][j], now, 2e-6);
    }

    [Fact]
    public void Numbers_that_make_no_sense_are_refused()
    {
        var model = Model();
        Trainer Make(int batches, double norm) => new(model, new Sgd(model.Parameters(), 1), new RegressionTask(),
            new DataLoader(Data(false), 16))
        {
            BatchesPerStep = batches,
            MaxGradientNorm = norm,
        };
        Assert.Contains("BatchesPerStep must be positive: found 0",
            Assert.Throws<AdjointException>(() => Make(0, 1)).Message, StringComparison.Ordinal);
        Assert.Contains("a limit of gradients must be positive: found NaN",
            Assert.Throws<AdjointException>(() => Make(1, double.NaN)).Message, StringComparison.Ordinal);
        var saved = Make(3, 1).Save();
        Assert.Contains("saved with steps of 3 batches: found 2",
            Assert.Throws<AdjointException>(() => Make(2, 1).Load(saved)).Message, StringComparison.Ordinal);
    }

    private static Mlp Model() => new(3, [5], 1, "tanh", new Generator(1));

    private static TensorDataset Data(bool weighted)
    {
        var random = new Generator(2);
        var x = Tensor.Randn([Samples, 3], random);
        (string, Tensor)[] fields =
            [(Field.Inputs, x), (Field.Targets, x.Sum(1) * 0.5 + Tensor.Randn([Samples], random) * 0.1)];
        return new("made up", weighted ? [.. fields, (Field.Weights, Tensor.Rand([Samples], random) * 3)] : fields);
    }
}
