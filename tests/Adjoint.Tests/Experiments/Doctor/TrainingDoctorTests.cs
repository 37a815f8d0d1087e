using Adjoint.Data;
using Adjoint.Experiments;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Tests.Training;
using Adjoint.Training;

namespace Adjoint.Tests.Experiments;

public class TrainingDoctorTests
{
    private static readonly DataSplits Data = Synth.Create(train: 640, validation: 300);

    [Theory, InlineData(DType.Float32), InlineData(DType.BFloat16), InlineData(DType.Float16)]
    public void Watching_changes_no_bit(DType type)
    {
        (string, TrainingDoctor?) Train(bool watched)
        {
            var model = new Mlp(2, [16], 2, "relu", new Generator(1));
            model.To(type);
            var doctor = watched ? new TrainingDoctor(Data.Validation) : null;
            var trainer = New(model, 0.1);
            if (doctor is not null) trainer.Callbacks.Add(doctor);
            return (string.Join(" ", trainer.Fit(3).Epochs.Select(epoch => epoch with { Seconds = 0 })), doctor);
        }

        var (bits, doctor) = Train(true);
        Assert.Equal(Train(false).Item1, bits);
        Assert.Equal(["1", "3"], doctor!.History.Where(row => row.Epoch == 3 && double.IsFinite(row.GradientNorm))
            .Select(row => row.Layer));
        Assert.Equal(4, doctor.History.Count(row => row.Layer == "2"));
        Assert.Empty(doctor.Advice([]));
    }

    [Fact]
    public void Update_and_gradient_agree_as_plain_SGD_says()
    {
        const double rate = 0.05;
        var model = new Mlp(2, [16], 2, "sigmoid", new Generator(1));
        var doctor = new TrainingDoctor(Data.Validation);
        var norms = new Dictionary<string, double>();
        var trainer = New(model, rate);
        trainer.Callbacks.Add(doctor);
        trainer.Callbacks.Add(new AtStep(1, () =>
        {
            foreach (var layer in (string[])["1", "3"])
                norms[layer] =
                    Math.Sqrt(
                    model.NamedParameters()
                    .Where(parameter => parameter.Name.StartsWith(layer, StringComparison.Ordinal))
                    .Sum(parameter => parameter.Value.Detach().Square().Sum().Item()));
        }));
        trainer.Fit(1);
        // w ← w − η g: the change over the weights is η·‖g‖ / ‖w‖.
        foreach (var row in doctor.History.Where(row => double.IsFinite(row.UpdateRatio)))
            Assert.Equal(rate * row.GradientNorm / norms[row.Layer], row.UpdateRatio, 1e-5);
    }

    [Fact]
    public void Dead_units_and_saturated_ones_are_counted_and_told()
    {
        var dead = Diagnose(
            "relu", model => Set(model, "1.bias", [.. Enumerable.Range(0, 16).Select(unit => unit < 12 ? -1e4f : 1f)]));
        Assert.Equal(0.75, dead.History.First(row => row.Layer == "2").Idle, 2 / 16.0);
        Assert.Contains(dead.Advice([]), line => line.StartsWith("Layer 2: ", StringComparison.Ordinal)
            && line.Contains("ReLU units are dead", StringComparison.Ordinal)
            && line.Contains("Rule: ", StringComparison.Ordinal));
        var saturated = Diagnose("sigmoid", model => Set(model, "1.bias", [.. Enumerable.Repeat(50f, 16)]));
        Assert.Equal(1, saturated.History.First(row => row.Layer == "2").Idle);
        Assert.Contains(saturated.Advice([]),
            line => line.Contains("100 % of its sigmoid outputs are saturated", StringComparison.Ordinal));
    }

    [Fact]
    public void A_loss_that_starts_high_and_over_fitting_are_told()
    {
        var doctor = new TrainingDoctor(Data.Validation);
        Assert.Contains("The loss before training is 5.00, not about ln 2 = 0.69",
            Assert.Single(doctor.Advice([new(0, null, 5, Measures.Accuracy(0.5), 1)])), StringComparison.Ordinal);
        Assert.Empty(
            doctor.Advice([new(0, null, 0.7, Measures.Accuracy(0.5), 1), new(1, 0.6, 0.5, Measures.Accuracy(0.7), 1),
                new(2, 0.5, 0.4, Measures.Accuracy(0.8), 1)]));
        Assert.StartsWith("Overfitting: the validation loss rose from 0.500 (epoch 1) to 0.600",
            Assert.Single(
            doctor.Advice([new(0, null, 0.7, Measures.Accuracy(0.5), 1), new(1, 0.6, 0.5, Measures.Accuracy(0.7), 1),
                new(2, 0.3, 0.6, Measures.Accuracy(0.7), 1)])),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Steps_that_are_too_small_or_too_large_and_gradients_that_vanish_are_told()
    {
        Assert.Contains(Diagnose("relu", _ => { }, 1e-9).Advice([]),
            line => line.Contains("raise the learning rate", StringComparison.Ordinal));
        Assert.Contains(Diagnose("relu", _ => { }, 50).Advice([]),
            line => line.Contains("lower the learning rate", StringComparison.Ordinal));
        Assert.Contains(Diagnose("sigmoid", model => Set(model, "3.weight", [.. Enumerable.Repeat(1e-7f, 32)]), 1e-9)
            .Advice([]), line => line.Contains("vanishes on the way", StringComparison.Ordinal));
    }

    [Fact]
    public void What_it_saw_is_kept_in_a_checkpoint()
    {
        var (whole, first, second) = (new TrainingDoctor(Data.Validation), new TrainingDoctor(Data.Validation),
            new TrainingDoctor(Data.Validation));
        Trainer Make(TrainingDoctor doctor)
        {
            var trainer = New(new Mlp(2, [16], 2, "relu", new Generator(1)), 0.1);
            trainer.Callbacks.Add(doctor);
            return trainer;
        }

        Make(whole).Fit(3);
        foreach (var step in (int[])[1, 2, 11, 12])
        {
            using var cancel = new CancellationTokenSource();
            var trainer = Make(first);
            trainer.Callbacks.Add(new AtStep(step, cancel.Cancel));
            trainer.Fit(3, cancel.Token);
            var again = Make(second);
            again.Load(trainer.Save());
            again.Fit(3);
            Assert.Equal(whole.History, second.History);
            (first, second) = (new(Data.Validation), new(Data.Validation));
        }
    }

    private static TrainingDoctor Diagnose(string activation, Action<Layer> spoil, double rate = 1e-6)
    {
        var model = new Mlp(2, [16], 2, activation, new Generator(1));
        spoil(model);
        var doctor = new TrainingDoctor(Data.Validation);
        var trainer = New(model, rate);
        trainer.Callbacks.Add(doctor);
        trainer.Fit(1);
        return doctor;
    }

    private static void Set(Module model, string name, float[] values) =>
        model.NamedParameters().Single(parameter => parameter.Name == name).Value.Detach().CopyFrom<float>(values);

    private static Trainer New(Layer model, double rate) => new(
        model, new Sgd(model.Parameters(), rate), new ClassificationTask(),
            new DataLoader(Data.Train, 64, new() { Shuffle = true, Seed = 1 }),
        new DataLoader(Data.Validation, 300));

    private sealed class AtStep(int step, Action act) : Callback
    {
        private int steps;

        public override void AfterBatch(Trainer trainer, StepInfo info)
        {
            if (++steps == step) act();
        }
    }
}
