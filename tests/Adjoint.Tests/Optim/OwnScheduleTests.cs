using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

namespace Adjoint.Tests.Optim;

/// <summary>Schedules that users write, wherever the library's own go.</summary>
public class OwnScheduleTests
{
    [Theory, InlineData(false), InlineData(true)]
    public void A_trainer_asks_for_the_factor_of_each_step(bool hasWarmUp)
    {
        const double peak = 0.5;
        var model = new Linear(2, 2);
        // Two groups: the factor is of both.
        var optimizer = new Sgd([new([model.Weight], peak), new([model.Bias!], 2 * peak)]);
        var data = Synth.Create(train: 300, validation: 50);
        var seen = new Rates(optimizer);
        var schedule = new InverseRoot(5);
        var trainer = new Trainer(model, optimizer, new ClassificationTask(), new DataLoader(data.Train, 50),
            new DataLoader(data.Validation, 50))
        {
            Schedule = hasWarmUp ? Schedule.WarmUp(4, schedule) : schedule,
        };
        trainer.Callbacks.Add(seen);
        trainer.Fit(3);
        Assert.Equal(18, seen.All.Count);
        for (var step = 0; step < 18; step++)
        {
            // The paper's formula, d = 512, its steps counted from 1.
            var at = hasWarmUp ? step - 3 : step + 1;
            var rate = Math.Pow(512, -0.5) * Math.Min(Math.Pow(at, -0.5), at * Math.Pow(5, -1.5));
            var factor = at < 1 ? (step + 1) / 4.0 : rate / (Math.Pow(512, -0.5) * Math.Pow(5, -0.5));
            Assert.Equal(peak * factor, seen.All[step].First, 1e-12);
            Assert.Equal(2 * peak * factor, seen.All[step].Second, 1e-12);
        }
        Assert.Equal((peak, 2 * peak), (optimizer.Groups[0].LearningRate, optimizer.Groups[1].LearningRate));
    }

    [Fact]
    public void A_factor_that_gives_no_rate_is_refused_before_the_step()
    {
        var model = new Linear(2, 2);
        var before = model.Weight.ToArray<float>();
        var data = Synth.Create(train: 100, validation: 50).Train;
        var trainer = new Trainer(
            model, new Sgd(model.Parameters(), 1), new ClassificationTask(), new DataLoader(data, 50),
                new DataLoader(data, 50))
        {
            Schedule = new Given(double.NaN),
        };
        Assert.Contains("learning rate NaN is outside its range", Assert.Throws<AdjointException>(() => trainer.Fit(1))
            .Message, StringComparison.Ordinal);
        Assert.Equal(before, model.Weight.ToArray<float>());
    }

    /// <summary>Up in a line, down with the inverse root, 1 at the end of the rise.</summary>
    internal sealed class InverseRoot(int warmUp) : Schedule
    {
        public override double Factor(int step) => Math.Min(Math.Sqrt(warmUp / (step + 1.0)), (step + 1.0) / warmUp);
    }

    private sealed class Given(double factor) : Schedule
    {
        public override double Factor(int step) => factor;
    }

    private sealed class Rates(Optimizer optimizer) : Callback
    {
        internal List<(double First, double Second)> All { get; } = [];

        public override void AfterBatch(Trainer trainer, StepInfo info) =>
            All.Add((optimizer.Groups[0].LearningRate, optimizer.Groups[1].LearningRate));
    }
}
